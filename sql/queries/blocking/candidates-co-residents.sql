-- Question: which pairs live on one busy network (more than a few apps, each with a good part of its traffic there)?
-- Serves:   many keys driven from one machine room, where the room itself makes the network busy.
-- False positive: tenants of one hosting provider; the class of the network decides (services/analyzer/evidence/network-classes.ts).
INSERT INTO analysis_pair (run_id, app_a, app_b, rule)
WITH residents AS
(
    SELECT network, app_id, share
    FROM analysis_app_network
    WHERE run_id = {run_id:String} AND network_degree > {low_degree_max:UInt32} AND share >= {resident_share_min:Float64}
),
few AS (SELECT network FROM residents GROUP BY network HAVING count() BETWEEN 2 AND {residents_max:UInt32})
SELECT {run_id:String}, a.app_id, b.app_id, 'co_residents'
FROM (SELECT * FROM residents WHERE network IN (SELECT network FROM few)) AS a
INNER JOIN (SELECT * FROM residents WHERE network IN (SELECT network FROM few)) AS b ON a.network = b.network
WHERE a.app_id < b.app_id
GROUP BY a.app_id, b.app_id
ORDER BY sum(least(a.share, b.share)) DESC, a.app_id, b.app_id
LIMIT {pairs_max:UInt32}
