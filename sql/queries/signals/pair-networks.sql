-- Question: for each pair, how many network keys do both use, and how much of their traffic is common to them?
-- Serves:   rotation and sharding over apps that run on the same machines. Lines of single users do not count.
-- False positive: tenants of one host. Hubs (carrier NAT, office, campus, VPN, cloud egress) and shared hosts carry no weight.
WITH
    kept AS
    (
        SELECT n.network AS network, n.app_id AS app_id, n.share AS share,
               if(c.class = '', toFloat64(1 / log2(greatest(2, n.network_degree))), toFloat64(c.weight)) AS weight
        FROM (SELECT * FROM analysis_app_network WHERE run_id = {run_id:String} AND network_degree >= 2 AND NOT personal) AS n
        LEFT JOIN (SELECT network, class, weight FROM analysis_network WHERE run_id = {run_id:String}) AS c ON c.network = n.network
        WHERE (n.network_degree <= {low_degree_max:UInt32} OR c.class = 'operator') AND c.class NOT IN ('hub', 'shared')
    ),
    pairs AS (SELECT DISTINCT app_a, app_b FROM analysis_pair WHERE run_id = {run_id:String})
SELECT a.app_id AS app_a, b.app_id AS app_b, count() AS shared,
       sum(least(a.share, b.share)) AS overlap, sum(a.weight) AS weight
FROM kept AS a
INNER JOIN kept AS b ON a.network = b.network
WHERE a.app_id < b.app_id AND (a.app_id, b.app_id) IN pairs
GROUP BY app_a, app_b
ORDER BY app_a, app_b
