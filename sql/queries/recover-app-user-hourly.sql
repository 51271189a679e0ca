-- Question: what does this range add to app_user_hourly? The same as its view makes of the block (a test holds the two together).
-- Serves:   recovery of a rollup that lacks the range (ingest-rollup-gaps.sql).
-- False positive: run twice it counts twice; recovery asks for the gap first.
INSERT INTO app_user_hourly (hour, app_id, user_id, requests, throttled)
SELECT toStartOfHour(timestamp) AS hour, app_id, user_id AS user_id, count() AS requests, countIf(status_code = 429) AS throttled
FROM requests
WHERE source = {source:String} AND partition = {partition:UInt32} AND offset >= {from:UInt64} AND offset < {to:UInt64} AND user_id != ''
GROUP BY hour, app_id, user_id
SETTINGS insert_deduplicate = 0
