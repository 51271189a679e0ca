-- Question: which pairs have a visible part of their traffic on the same networks, counting networks of few apps only?
-- Serves:   rotation, sharding and end-user keys driven from common machines.
-- False positive: unrelated apps on one small shared host; scoring has to tell them apart.
INSERT INTO analysis_pair (run_id, app_a, app_b, rule)
SELECT {run_id:String}, a.app_id, b.app_id, 'shared_networks'
FROM (SELECT network, app_id, share FROM analysis_app_network WHERE run_id = {run_id:String} AND NOT personal AND network_degree BETWEEN 2 AND {low_degree_max:UInt32}) AS a
INNER JOIN (SELECT network, app_id, share FROM analysis_app_network WHERE run_id = {run_id:String} AND NOT personal AND network_degree BETWEEN 2 AND {low_degree_max:UInt32}) AS b
    ON a.network = b.network
WHERE a.app_id < b.app_id
GROUP BY a.app_id, b.app_id
HAVING sum(least(a.share, b.share)) >= {overlap_min:Float64}
ORDER BY sum(least(a.share, b.share)) DESC, a.app_id, b.app_id
LIMIT {pairs_max:UInt32}
