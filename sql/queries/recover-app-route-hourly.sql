-- Question: what does this range add to app_route_hourly? The same as its view makes of the block (a test holds the two together).
-- Serves:   recovery of a rollup that lacks the range (ingest-rollup-gaps.sql).
-- False positive: run twice it counts twice; recovery asks for the gap first.
INSERT INTO app_route_hourly (hour, app_id, route, requests, throttled, limit_max)
SELECT toStartOfHour(timestamp) AS hour, app_id, route AS route, count() AS requests, countIf(status_code = 429) AS throttled, max(ifNull(ratelimit_limit, 0)) AS limit_max
FROM requests
WHERE source = {source:String} AND partition = {partition:UInt32} AND offset >= {from:UInt64} AND offset < {to:UInt64}
GROUP BY hour, app_id, route
SETTINGS insert_deduplicate = 0
