-- Question: how many of the users of a cluster are seen in how many of its apps?
-- Serves:   telling a service sharded over apps (each user in one app) from copies that serve the same users.
-- False positive: none, it only describes.
SELECT cluster, cluster_apps, count() AS users
FROM
(
    SELECT transform(app_id, {apps:Array(String)}, {clusters:Array(UInt32)}, toUInt32(0)) AS cluster, user_id, uniqExact(app_id) AS cluster_apps
    FROM analysis_app_user
    WHERE run_id = {run_id:String} AND app_id IN {apps:Array(String)}
    GROUP BY cluster, user_id
)
GROUP BY cluster, cluster_apps
ORDER BY cluster, cluster_apps
