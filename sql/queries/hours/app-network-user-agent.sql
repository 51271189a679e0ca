-- Question: as which program did each app speak from each network, in the touched hours between two moments?
-- Serves:   the rollup app_network_user_agent_hourly.
-- False positive: none, it only counts.
INSERT INTO app_network_user_agent_hourly (hour, app_id, network, user_agent, requests, ingested_on)
SELECT
    toStartOfHour(timestamp) AS hour, app_id,
    if(startsWith(IPv6NumToString(client_ip), '::ffff:'), client_ip, tupleElement(IPv6CIDRToRange(client_ip, 64), 1)) AS network,
    user_agent, count(), toDate(max(ingested_at))
FROM requests
WHERE timestamp >= {from:DateTime('UTC')} AND timestamp < {to:DateTime('UTC')}
  AND (app_id, toStartOfHour(timestamp)) IN (SELECT app_id, hour FROM touched_hour WHERE run_id = {run_id:String})
GROUP BY hour, app_id, network, user_agent
