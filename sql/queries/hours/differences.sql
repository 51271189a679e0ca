-- Question: where does a rollup not hold what the raw rows say? Compared by (hour, app): counts, and hashes of the keys times their counts.
-- Serves:   reconcile, the tests of faults. Sums of hashes wrap, so raw and rolled cancel out to 0 exactly where they agree.
-- False positive: rows that arrived after the last computation (raw_arrived_seconds tells); hours of which raw rows have expired.
SELECT rollup_table, toUnixTimestamp(hour) AS hour_seconds, app AS app_id, sum(raw) AS raw_requests, sum(rolled) AS rolled_requests,
       toUnixTimestamp(max(arrived)) AS raw_arrived_seconds
FROM
(
    SELECT 'app_network_route_hourly' AS rollup_table, toStartOfHour(timestamp) AS hour, toString(app_id) AS app, toInt64(count()) AS raw, toInt64(0) AS rolled, toInt64(sum(cityHash64(if(startsWith(IPv6NumToString(client_ip), '::ffff:'), client_ip, tupleElement(IPv6CIDRToRange(client_ip, 64), 1)), toString(route)))) AS print, max(ingested_at) AS arrived
    FROM requests WHERE timestamp >= {from:DateTime('UTC')} AND timestamp < {to:DateTime('UTC')} GROUP BY hour, app
    UNION ALL
    SELECT 'app_network_route_hourly', toStartOfHour(hour) AS bucket, toString(app_id) AS app, toInt64(0), toInt64(sum(requests)), -toInt64(sum(cityHash64(network, toString(route)) * requests)), toDateTime(0, 'UTC')
    FROM app_network_route_hourly FINAL WHERE hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')} GROUP BY bucket, app
    UNION ALL
    SELECT 'app_network_user_agent_hourly' AS rollup_table, toStartOfHour(timestamp) AS hour, toString(app_id) AS app, toInt64(count()) AS raw, toInt64(0) AS rolled, toInt64(sum(cityHash64(if(startsWith(IPv6NumToString(client_ip), '::ffff:'), client_ip, tupleElement(IPv6CIDRToRange(client_ip, 64), 1)), toString(user_agent)))) AS print, max(ingested_at) AS arrived
    FROM requests WHERE timestamp >= {from:DateTime('UTC')} AND timestamp < {to:DateTime('UTC')} GROUP BY hour, app
    UNION ALL
    SELECT 'app_network_user_agent_hourly', toStartOfHour(hour) AS bucket, toString(app_id) AS app, toInt64(0), toInt64(sum(requests)), -toInt64(sum(cityHash64(network, toString(user_agent)) * requests)), toDateTime(0, 'UTC')
    FROM app_network_user_agent_hourly FINAL WHERE hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')} GROUP BY bucket, app
    UNION ALL
    SELECT 'app_user_hourly' AS rollup_table, toStartOfHour(timestamp) AS hour, toString(app_id) AS app, toInt64(count()) AS raw, toInt64(0) AS rolled, toInt64(sum(cityHash64(user_id))) AS print, max(ingested_at) AS arrived
    FROM requests WHERE timestamp >= {from:DateTime('UTC')} AND timestamp < {to:DateTime('UTC')} AND user_id != '' GROUP BY hour, app
    UNION ALL
    SELECT 'app_user_hourly', toStartOfHour(hour) AS bucket, toString(app_id) AS app, toInt64(0), toInt64(sum(requests)), -toInt64(sum(cityHash64(user_id) * requests)), toDateTime(0, 'UTC')
    FROM app_user_hourly FINAL WHERE hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')} GROUP BY bucket, app
    UNION ALL
    SELECT 'app_minute' AS rollup_table, toStartOfHour(timestamp) AS hour, toString(app_id) AS app, toInt64(count()) AS raw, toInt64(0) AS rolled, toInt64(sum(cityHash64(toStartOfMinute(timestamp)))) AS print, max(ingested_at) AS arrived
    FROM requests WHERE timestamp >= {from:DateTime('UTC')} AND timestamp < {to:DateTime('UTC')} GROUP BY hour, app
    UNION ALL
    SELECT 'app_minute', toStartOfHour(minute) AS bucket, toString(app_id) AS app, toInt64(0), toInt64(sum(requests)), -toInt64(sum(cityHash64(minute) * requests)), toDateTime(0, 'UTC')
    FROM app_minute FINAL WHERE minute >= {from:DateTime('UTC')} AND minute < {to:DateTime('UTC')} GROUP BY bucket, app
)
GROUP BY rollup_table, hour, app
HAVING sum(print) != 0
ORDER BY rollup_table, hour, app
