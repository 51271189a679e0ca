-- Question: what does this range add to app_network_hourly? The same as its view makes of the block (a test holds the two together).
-- Serves:   recovery of a rollup that lacks the range (ingest-rollup-gaps.sql).
-- False positive: run twice it counts twice; recovery asks for the gap first.
INSERT INTO app_network_hourly (hour, app_id, network, requests, throttled)
SELECT toStartOfHour(timestamp) AS hour, app_id, if(startsWith(IPv6NumToString(client_ip), '::ffff:'), client_ip, tupleElement(IPv6CIDRToRange(client_ip, 64), 1)) AS network, count() AS requests, countIf(status_code = 429) AS throttled
FROM requests
WHERE source = {source:String} AND partition = {partition:UInt32} AND offset >= {from:UInt64} AND offset < {to:UInt64}
GROUP BY hour, app_id, network
SETTINGS insert_deduplicate = 0
