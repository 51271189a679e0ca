-- Question: what share of each app's traffic comes from networks that no other app of the cluster uses?
-- Serves:   the innocent explanation "each person's own app": people also work at home and on the move, keys in a machine room do not.
-- False positive: none, it only describes.
SELECT app_id, sumIf(share, cluster_apps = 1) AS elsewhere_share
FROM
(
    SELECT app_id, share, count() OVER (PARTITION BY transform(app_id, {apps:Array(String)}, {clusters:Array(UInt32)}, toUInt32(0)), network) AS cluster_apps
    FROM analysis_app_network
    WHERE run_id = {run_id:String} AND app_id IN {apps:Array(String)}
)
GROUP BY app_id
ORDER BY app_id
