-- Hourly rollups: what the analyzer reads. A rollup holds sums that merge, so hours and parts add up in any order.
-- ORDER BY starts with the app (pairs are joined on the second column, grouped by app), PARTITION BY week like `requests`,
-- TTL by arrival (`ingested_on`) for the same reason as there; 400 days so that a year can be compared with the one before.
-- A network key is the IPv4 /32 or the IPv6 /64: one subscriber line or host holds a whole /64 (RFC 6177).

CREATE TABLE IF NOT EXISTS app_network_hourly
(
    hour        DateTime('UTC')        COMMENT 'Start of the hour' CODEC(Delta, ZSTD(1)),
    app_id      LowCardinality(String) COMMENT 'Registered application',
    network     IPv6                   COMMENT 'IPv4 /32 as ::ffff:a.b.c.d, or the first address of the IPv6 /64. Personal data',
    requests    SimpleAggregateFunction(sum, UInt64) COMMENT 'Requests' CODEC(T64, ZSTD(1)),
    throttled   SimpleAggregateFunction(sum, UInt64) COMMENT 'Requests answered 429' CODEC(T64, ZSTD(1)),
    user_bits   SimpleAggregateFunction(groupBitOr, UInt64) COMMENT 'Linear-counting sketch of the end users, 64 bits (Whang et al. 1990)' CODEC(ZSTD(1)),
    ingested_on SimpleAggregateFunction(max, Date)   DEFAULT today() COMMENT 'Day of the last arrival'
)
ENGINE = AggregatingMergeTree
PARTITION BY toMonday(hour)
ORDER BY (app_id, network, hour)
TTL ingested_on + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 100000
COMMENT 'Requests by app and network';

CREATE MATERIALIZED VIEW IF NOT EXISTS app_network_hourly_view TO app_network_hourly AS
SELECT toStartOfHour(timestamp) AS hour, app_id, if(startsWith(IPv6NumToString(client_ip), '::ffff:'), client_ip, tupleElement(IPv6CIDRToRange(client_ip, 64), 1)) AS network, count() AS requests, countIf(status_code = 429) AS throttled,
    groupBitOr(if(user_id = '', 0, bitShiftLeft(toUInt64(1), cityHash64(user_id) % 64))) AS user_bits
FROM landing
WHERE reason = ''
GROUP BY hour, app_id, network;

CREATE TABLE IF NOT EXISTS app_user_hourly
(
    hour        DateTime('UTC')        COMMENT 'Start of the hour' CODEC(Delta, ZSTD(1)),
    app_id      LowCardinality(String) COMMENT 'Registered application',
    user_id     String                 COMMENT 'End user; app-only requests are not here. Personal data',
    requests    SimpleAggregateFunction(sum, UInt64) COMMENT 'Requests' CODEC(T64, ZSTD(1)),
    throttled   SimpleAggregateFunction(sum, UInt64) COMMENT 'Requests answered 429' CODEC(T64, ZSTD(1)),
    ingested_on SimpleAggregateFunction(max, Date)   DEFAULT today() COMMENT 'Day of the last arrival'
)
ENGINE = AggregatingMergeTree
PARTITION BY toMonday(hour)
ORDER BY (app_id, user_id, hour)
TTL ingested_on + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 100000
COMMENT 'Requests by app and end user';

CREATE MATERIALIZED VIEW IF NOT EXISTS app_user_hourly_view TO app_user_hourly AS
SELECT toStartOfHour(timestamp) AS hour, app_id, user_id AS user_id, count() AS requests, countIf(status_code = 429) AS throttled
FROM landing
WHERE reason = '' AND user_id != ''
GROUP BY hour, app_id, user_id;

CREATE TABLE IF NOT EXISTS app_route_hourly
(
    hour        DateTime('UTC')        COMMENT 'Start of the hour' CODEC(Delta, ZSTD(1)),
    app_id      LowCardinality(String) COMMENT 'Registered application',
    route       LowCardinality(String) COMMENT 'Route template',
    requests    SimpleAggregateFunction(sum, UInt64) COMMENT 'Requests' CODEC(T64, ZSTD(1)),
    throttled   SimpleAggregateFunction(sum, UInt64) COMMENT 'Requests answered 429' CODEC(T64, ZSTD(1)),
    limit_max   SimpleAggregateFunction(max, UInt32) COMMENT 'Largest ratelimit_limit seen; 0 = none seen',
    ingested_on SimpleAggregateFunction(max, Date)   DEFAULT today() COMMENT 'Day of the last arrival'
)
ENGINE = AggregatingMergeTree
PARTITION BY toMonday(hour)
ORDER BY (app_id, route, hour)
TTL ingested_on + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 100000
COMMENT 'Requests by app and route, with the limit seen';

CREATE MATERIALIZED VIEW IF NOT EXISTS app_route_hourly_view TO app_route_hourly AS
SELECT toStartOfHour(timestamp) AS hour, app_id, route AS route, count() AS requests, countIf(status_code = 429) AS throttled, max(ifNull(ratelimit_limit, 0)) AS limit_max
FROM landing
WHERE reason = ''
GROUP BY hour, app_id, route;

CREATE TABLE IF NOT EXISTS app_user_agent_hourly
(
    hour        DateTime('UTC')        COMMENT 'Start of the hour' CODEC(Delta, ZSTD(1)),
    app_id      LowCardinality(String) COMMENT 'Registered application',
    user_agent  LowCardinality(String) COMMENT 'User-Agent; empty = absent',
    requests    SimpleAggregateFunction(sum, UInt64) COMMENT 'Requests' CODEC(T64, ZSTD(1)),
    throttled   SimpleAggregateFunction(sum, UInt64) COMMENT 'Requests answered 429' CODEC(T64, ZSTD(1)),
    ingested_on SimpleAggregateFunction(max, Date)   DEFAULT today() COMMENT 'Day of the last arrival'
)
ENGINE = AggregatingMergeTree
PARTITION BY toMonday(hour)
ORDER BY (app_id, user_agent, hour)
TTL ingested_on + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 100000
COMMENT 'Requests by app and user agent';

CREATE MATERIALIZED VIEW IF NOT EXISTS app_user_agent_hourly_view TO app_user_agent_hourly AS
SELECT toStartOfHour(timestamp) AS hour, app_id, user_agent AS user_agent, count() AS requests, countIf(status_code = 429) AS throttled
FROM landing
WHERE reason = ''
GROUP BY hour, app_id, user_agent;

-- The finest clock that a rollup keeps: limit windows (15 min and up), diurnal shape, hand-overs at minute resolution.
CREATE TABLE IF NOT EXISTS app_minute
(
    minute      DateTime('UTC')        COMMENT 'Start of the minute' CODEC(Delta, ZSTD(1)),
    app_id      LowCardinality(String) COMMENT 'Registered application',
    requests    SimpleAggregateFunction(sum, UInt64) COMMENT 'Requests' CODEC(T64, ZSTD(1)),
    throttled   SimpleAggregateFunction(sum, UInt64) COMMENT 'Requests answered 429' CODEC(T64, ZSTD(1)),
    ingested_on SimpleAggregateFunction(max, Date)   DEFAULT today() COMMENT 'Day of the last arrival'
)
ENGINE = AggregatingMergeTree
PARTITION BY toMonday(minute)
ORDER BY (app_id, minute)
TTL ingested_on + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 100000
COMMENT 'Requests by app and minute';

CREATE MATERIALIZED VIEW IF NOT EXISTS app_minute_view TO app_minute AS
SELECT toStartOfMinute(timestamp) AS minute, app_id, count() AS requests, countIf(status_code = 429) AS throttled
FROM landing
WHERE reason = ''
GROUP BY minute, app_id;

-- Each 429 by itself: hand-over analysis needs its time to the millisecond, and there are few of them.
CREATE TABLE IF NOT EXISTS throttle_events
(
    timestamp       DateTime64(3, 'UTC')   COMMENT 'When the 429 was given' CODEC(Delta, ZSTD(1)),
    app_id          LowCardinality(String) COMMENT 'App that was throttled',
    route           LowCardinality(String) COMMENT 'Route template',
    client_ip       IPv6                   COMMENT 'Client address. Personal data' CODEC(ZSTD(1)),
    user_id         String                 COMMENT 'End user; empty = app-only. Personal data' CODEC(ZSTD(1)),
    ratelimit_limit Nullable(UInt32)       COMMENT 'Requests allowed in the window',
    ratelimit_reset Nullable(UInt32)       COMMENT 'Seconds until the window ends, or epoch seconds when > 1e9',
    ingested_at     DateTime('UTC')        DEFAULT now() COMMENT 'When the row arrived'
)
ENGINE = MergeTree
PARTITION BY toMonday(timestamp)
ORDER BY (app_id, route, timestamp)
TTL ingested_at + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 100000
COMMENT 'Requests answered 429';

CREATE MATERIALIZED VIEW IF NOT EXISTS throttle_events_view TO throttle_events AS
SELECT timestamp, app_id, route, client_ip, user_id, ratelimit_limit, ratelimit_reset
FROM landing
WHERE reason = '' AND status_code = 429;
