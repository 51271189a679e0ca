-- Question: what share of each app's traffic comes from networks that no other app of the cluster uses and that few apps use at all?
-- Serves:   the innocent explanation "each person runs a tool of their own, at home too".
-- False positive: none, it only describes.
SELECT app_id, sumIf(share, cluster_apps = 1 AND network_degree <= {low_degree_max:UInt32}) AS own_share
FROM
(
    SELECT app_id, share, network_degree, count() OVER (PARTITION BY network) AS cluster_apps
    FROM analysis_app_network
    WHERE run_id = {run_id:String} AND app_id IN {apps:Array(String)}
)
GROUP BY app_id
ORDER BY app_id
