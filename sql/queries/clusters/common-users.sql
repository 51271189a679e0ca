-- Question: whom do the apps of each cluster act for, and in which of them?
-- Serves:   environments (testers or the product's own people?), sharding (each user in one app?), members that stand on common users.
-- False positive: none, it only describes.
SELECT cluster, user_id, groupArray(app) AS app_ids
FROM
(
    SELECT transform(app_id, {apps:Array(String)}, {clusters:Array(UInt32)}, toUInt32(0)) AS cluster, user_id, toString(app_id) AS app
    FROM app_user_hourly FINAL
    WHERE app_id IN {apps:Array(String)} AND hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')}
    GROUP BY cluster, user_id, app
    ORDER BY cluster, user_id, app
)
GROUP BY cluster, user_id
ORDER BY cluster, user_id
