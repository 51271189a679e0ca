-- Question: how much did the apps of each cluster use together, each of them alone, and each end user through all of them, in the busiest limit
-- window of each route? With a user's token and without one apart, because their limits differ.
-- Serves:   materiality: the gain over what one app may use.
-- False positive: none, it only describes. Served requests only: a request answered 429 used nothing.
-- By each app's own limit windows (window-offset.sql). Raw rows are read because no rollup holds app x route x minute; the key order makes it a
-- read of these apps' ranges alone.
SELECT cluster, route, for_user, max(served) AS peak_served, max(most) AS peak_of_one, max(others) AS peak_of_others, max(most_of_user) AS peak_of_user,
       max(limit_seen) AS limit_seen, max(limit_at_429) AS limit_at_429
FROM
(
    SELECT cluster, route, for_user, slot, sum(n) AS served, sumIf(n, not_production = 1) AS others,
           arrayMax(tupleElement(sumMap([app], [n]), 2)) AS most, arrayMax(tupleElement(sumMap([user_id], [n]), 2)) AS most_of_user,
           max(limit_seen) AS limit_seen, max(limit_at_429) AS limit_at_429
    FROM
    (
        SELECT
            transform(app_id, {apps:Array(String)}, {clusters:Array(UInt32)}, toUInt32(0)) AS cluster,
            transform(app_id, {apps:Array(String)}, {not_production:Array(UInt32)}, toUInt32(0)) AS not_production,
            toString(route) AS route,
            user_id != '' AS for_user,
            intDiv(
                toUnixTimestamp(timestamp) + 86400 - transform(app_id, {apps:Array(String)}, {offset_seconds:Array(UInt32)}, toUInt32(0)),
                transform(app_id, {apps:Array(String)}, {window_seconds:Array(UInt32)}, toUInt32(900))) AS slot,
            toString(app_id) AS app,
            user_id,
            countIf(status_code != 429) AS n,
            max(ifNull(ratelimit_limit, 0)) AS limit_seen,
            maxIf(ifNull(ratelimit_limit, 0), status_code = 429) AS limit_at_429
        FROM requests
        WHERE app_id IN {apps:Array(String)} AND timestamp >= {from:DateTime('UTC')} AND timestamp < {to:DateTime('UTC')}
        GROUP BY cluster, not_production, route, for_user, slot, app, user_id
    )
    GROUP BY cluster, route, for_user, slot
)
GROUP BY cluster, route, for_user
ORDER BY cluster, route, for_user
