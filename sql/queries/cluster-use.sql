-- Question: what did the apps of a cluster use together in the busiest limit window of each route, and what may one app use?
-- Serves:   materiality: the gain over one app's limit. Severity only, never identity.
-- False positive: none, it only describes. Served requests only: a request answered 429 used nothing.
-- Raw rows are read because no rollup holds app x route x minute; the key order makes it a read of these apps' ranges alone.
SELECT route, max(served) AS peak_served, argMax(largest_app, served) AS largest_app_served, max(limit_seen) AS limit_seen
FROM
(
    SELECT route, slot, sum(n) AS served, max(n) AS largest_app, max(limit_of_app) AS limit_seen
    FROM
    (
        SELECT toString(route) AS route, app_id, intDiv(toUnixTimestamp(timestamp), {window_seconds:UInt32}) AS slot,
               countIf(status_code != 429) AS n, max(ifNull(ratelimit_limit, 0)) AS limit_of_app
        FROM requests
        WHERE app_id IN {apps:Array(String)} AND timestamp >= {from:DateTime('UTC')} AND timestamp < {to:DateTime('UTC')}
        GROUP BY route, app_id, slot
    )
    GROUP BY route, slot
)
GROUP BY route
ORDER BY route
