-- Question: what does this range add to app_minute? The same as its view makes of the block (a test holds the two together).
-- Serves:   recovery of a rollup that lacks the range (ingest-rollup-gaps.sql).
-- False positive: run twice it counts twice; recovery asks for the gap first.
INSERT INTO app_minute (minute, app_id, requests, throttled)
SELECT toStartOfMinute(timestamp) AS minute, app_id, count() AS requests, countIf(status_code = 429) AS throttled
FROM requests
WHERE source = {source:String} AND partition = {partition:UInt32} AND offset >= {from:UInt64} AND offset < {to:UInt64}
GROUP BY minute, app_id
SETTINGS insert_deduplicate = 0
