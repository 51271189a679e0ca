-- Question: what does this range add to throttle_events? The same as its view makes of the block (a test holds the two together).
-- Serves:   recovery of a rollup that lacks the range (ingest-rollup-gaps.sql).
-- False positive: run twice it counts twice; recovery asks for the gap first.
INSERT INTO throttle_events (timestamp, app_id, route, client_ip, user_id, ratelimit_limit, ratelimit_reset)
SELECT timestamp, app_id, route, client_ip, user_id, ratelimit_limit, ratelimit_reset
FROM requests
WHERE source = {source:String} AND partition = {partition:UInt32} AND offset >= {from:UInt64} AND offset < {to:UInt64} AND status_code = 429
SETTINGS insert_deduplicate = 0
