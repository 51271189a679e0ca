-- Question: on how many networks is each app seen, hubs and shared hosts left out?
-- Serves:   the degree-corrected expectation of shared networks.
-- False positive: none, it only describes.
SELECT n.app_id AS app_id, count() AS keys
FROM (SELECT app_id, network, network_degree FROM analysis_app_network WHERE run_id = {run_id:String} AND NOT personal) AS n
LEFT JOIN (SELECT network, class FROM analysis_network WHERE run_id = {run_id:String}) AS c ON c.network = n.network
WHERE (n.network_degree <= {low_degree_max:UInt32} OR c.class = 'operator') AND c.class NOT IN ('hub', 'shared')
GROUP BY app_id
ORDER BY app_id
