-- Question: what did each app do from each network, in the touched hours between two moments?
-- Serves:   the rollup app_network_route_hourly. Users: bits of a linear-counting sketch (Whang et al. 1990).
-- False positive: none, it only counts.
INSERT INTO app_network_route_hourly (hour, app_id, network, route, requests, throttled, limit_max, limit_at_429, user_bits, ingested_on)
SELECT
    toStartOfHour(timestamp) AS hour, app_id,
    if(startsWith(IPv6NumToString(client_ip), '::ffff:'), client_ip, tupleElement(IPv6CIDRToRange(client_ip, 64), 1)) AS network,
    route, count(), countIf(status_code = 429), max(ifNull(ratelimit_limit, 0)), maxIf(ifNull(ratelimit_limit, 0), status_code = 429),
    groupBitOr(if(user_id = '', 0, bitShiftLeft(toUInt64(1), cityHash64(user_id) % 64))), toDate(max(ingested_at))
FROM requests
WHERE timestamp >= {from:DateTime('UTC')} AND timestamp < {to:DateTime('UTC')}
  AND (app_id, toStartOfHour(timestamp)) IN (SELECT app_id, hour FROM touched_hour WHERE run_id = {run_id:String})
GROUP BY hour, app_id, network, route
