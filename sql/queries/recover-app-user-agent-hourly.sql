-- Question: what does this range add to app_user_agent_hourly? The same as its view makes of the block (a test holds the two together).
-- Serves:   recovery of a rollup that lacks the range (ingest-rollup-gaps.sql).
-- False positive: run twice it counts twice; recovery asks for the gap first.
INSERT INTO app_user_agent_hourly (hour, app_id, user_agent, requests, throttled)
SELECT toStartOfHour(timestamp) AS hour, app_id, user_agent AS user_agent, count() AS requests, countIf(status_code = 429) AS throttled
FROM requests
WHERE source = {source:String} AND partition = {partition:UInt32} AND offset >= {from:UInt64} AND offset < {to:UInt64}
GROUP BY hour, app_id, user_agent
SETTINGS insert_deduplicate = 0
