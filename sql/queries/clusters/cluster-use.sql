-- Question: what did the apps of each cluster use together in the busiest limit window of each route, and what may one app use?
-- Serves:   materiality: the gain over one app's limit. Severity only, never identity.
-- False positive: none, it only describes. Served requests only: a request answered 429 used nothing.
-- Raw rows are read because no rollup holds app x route x minute; the key order makes it a read of these apps' ranges alone.
SELECT cluster, route, max(served) AS peak_served, max(limit_seen) AS limit_seen
FROM
(
    SELECT
        transform(app_id, {apps:Array(String)}, {clusters:Array(UInt32)}, toUInt32(0)) AS cluster,
        toString(route) AS route,
        intDiv(toUnixTimestamp(timestamp), transform(app_id, {apps:Array(String)}, {window_seconds:Array(UInt32)}, toUInt32(900))) AS slot,
        countIf(status_code != 429) AS served,
        max(ifNull(ratelimit_limit, 0)) AS limit_seen
    FROM requests
    WHERE app_id IN {apps:Array(String)} AND timestamp >= {from:DateTime('UTC')} AND timestamp < {to:DateTime('UTC')}
    GROUP BY cluster, route, slot
)
GROUP BY cluster, route
ORDER BY cluster, route
