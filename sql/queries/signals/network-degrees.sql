-- Question: how many networks carry how many apps, hubs and shared hosts left out? The degree sequence of the null model.
-- Serves:   the degree-corrected expectation of shared networks.
-- False positive: none, it only describes.
SELECT n.network_degree AS degree, uniqExact(n.network) AS keys
FROM (SELECT network, network_degree FROM analysis_app_network WHERE run_id = {run_id:String} AND NOT personal) AS n
LEFT JOIN (SELECT network, class FROM analysis_network WHERE run_id = {run_id:String}) AS c ON c.network = n.network
WHERE (n.network_degree <= {low_degree_max:UInt32} OR c.class = 'operator') AND c.class NOT IN ('hub', 'shared')
GROUP BY degree
ORDER BY degree
