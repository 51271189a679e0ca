-- Question: does each rollup hold as many requests as the raw table, over the hours that this range touches?
-- Serves:   recovery: `missing` equal to `contribution` means that the rollup lacks the range; 0 means that it has it.
-- False positive: raw rows that have expired make `missing` negative; inserts going on at the same time make it anything.
WITH
    block AS
    (
        SELECT toStartOfHour(timestamp) AS hour, user_id, status_code
        FROM requests
        WHERE source = {source:String} AND partition = {partition:UInt32} AND offset >= {from:UInt64} AND offset < {to:UInt64}
    ),
    hours AS (SELECT DISTINCT hour FROM block),
    raw AS
    (
        SELECT count() AS records, countIf(user_id != '') AS with_user, countIf(status_code = 429) AS throttled
        FROM requests
        WHERE toStartOfHour(timestamp) IN (SELECT hour FROM hours)
    ),
    own AS (SELECT count() AS records, countIf(user_id != '') AS with_user, countIf(status_code = 429) AS throttled FROM block)
SELECT 'app_network_hourly' AS rollup,
    toInt64((SELECT records FROM raw)) - toInt64((SELECT sum(requests) FROM app_network_hourly WHERE hour IN (SELECT hour FROM hours))) AS missing,
    (SELECT records FROM own) AS contribution
UNION ALL
SELECT 'app_user_hourly' AS rollup,
    toInt64((SELECT with_user FROM raw)) - toInt64((SELECT sum(requests) FROM app_user_hourly WHERE hour IN (SELECT hour FROM hours))) AS missing,
    (SELECT with_user FROM own) AS contribution
UNION ALL
SELECT 'app_route_hourly' AS rollup,
    toInt64((SELECT records FROM raw)) - toInt64((SELECT sum(requests) FROM app_route_hourly WHERE hour IN (SELECT hour FROM hours))) AS missing,
    (SELECT records FROM own) AS contribution
UNION ALL
SELECT 'app_user_agent_hourly' AS rollup,
    toInt64((SELECT records FROM raw)) - toInt64((SELECT sum(requests) FROM app_user_agent_hourly WHERE hour IN (SELECT hour FROM hours))) AS missing,
    (SELECT records FROM own) AS contribution
UNION ALL
SELECT 'app_minute' AS rollup,
    toInt64((SELECT records FROM raw)) - toInt64((SELECT sum(requests) FROM app_minute WHERE toStartOfHour(minute) IN (SELECT hour FROM hours))) AS missing,
    (SELECT records FROM own) AS contribution
UNION ALL
SELECT 'throttle_events' AS rollup,
    toInt64((SELECT throttled FROM raw)) - toInt64((SELECT count() FROM throttle_events WHERE toStartOfHour(timestamp) IN (SELECT hour FROM hours))) AS missing,
    (SELECT throttled FROM own) AS contribution
