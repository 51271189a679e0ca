-- Question: how much did the apps of each cluster use together, and each of them alone, in the busiest limit window of each route?
-- Serves:   materiality: the gain over what one app may use.
-- False positive: none, it only describes. Served requests only: a request answered 429 used nothing.
-- Raw rows are read because no rollup holds app x route x minute; the key order makes it a read of these apps' ranges alone.
SELECT cluster, route, max(served) AS peak_served, max(most) AS peak_of_one, max(others) AS peak_of_others,
       max(limit_seen) AS limit_seen, max(limit_at_429) AS limit_at_429
FROM
(
    SELECT cluster, route, slot, sum(n) AS served, max(n) AS most, sumIf(n, not_production = 1) AS others,
           max(limit_seen) AS limit_seen, max(limit_at_429) AS limit_at_429
    FROM
    (
        SELECT
            transform(app_id, {apps:Array(String)}, {clusters:Array(UInt32)}, toUInt32(0)) AS cluster,
            transform(app_id, {apps:Array(String)}, {not_production:Array(UInt32)}, toUInt32(0)) AS not_production,
            toString(route) AS route,
            intDiv(toUnixTimestamp(timestamp), transform(app_id, {apps:Array(String)}, {window_seconds:Array(UInt32)}, toUInt32(900))) AS slot,
            toString(app_id) AS app,
            countIf(status_code != 429) AS n,
            max(ifNull(ratelimit_limit, 0)) AS limit_seen,
            maxIf(ifNull(ratelimit_limit, 0), status_code = 429) AS limit_at_429
        FROM requests
        WHERE app_id IN {apps:Array(String)} AND timestamp >= {from:DateTime('UTC')} AND timestamp < {to:DateTime('UTC')}
        GROUP BY cluster, not_production, route, slot, app
    )
    GROUP BY cluster, route, slot
)
GROUP BY cluster, route
ORDER BY cluster, route
