-- Raw rows are the truth: `landing` fills requests, dead_requests and the ledger and nothing else. The rollups are computed from raw rows, by
-- (hour, app) as a whole, as often as one likes (services/analyzer/run/hours.ts, docs/adr/0005). Their columns merge by max, because the counts of
-- an hour only grow while its rows arrive: computing the same hour again, in any order, by anybody, leaves the right numbers. Read them with FINAL.
-- What the views have counted is dropped with their tables; the first computation fills the new ones from the raw rows (30 days).
DROP VIEW IF EXISTS app_network_hourly_view;
DROP VIEW IF EXISTS app_user_hourly_view;
DROP VIEW IF EXISTS app_route_hourly_view;
DROP VIEW IF EXISTS app_user_agent_hourly_view;
DROP VIEW IF EXISTS app_minute_view;
DROP VIEW IF EXISTS throttle_events_view;
DROP TABLE IF EXISTS app_network_hourly;
DROP TABLE IF EXISTS app_user_hourly;
DROP TABLE IF EXISTS app_route_hourly;
DROP TABLE IF EXISTS app_user_agent_hourly;
DROP TABLE IF EXISTS app_minute;
-- Run again after a cut, it must not believe that the new tables are filled.
DROP TABLE IF EXISTS rollup_progress;
-- Nobody read it, and the raw rows of an app are found by its key.
DROP TABLE IF EXISTS throttle_events;

-- Streams: what an app does from one network. Route mixes, networks and limits of an app are sums over this table.
-- ORDER BY starts with the app, because hours are computed and read by app; PARTITION BY week as `requests`; TTL by arrival, 400 days so that a
-- year can be compared with the one before. A network is the IPv4 /32 or the IPv6 /64: one subscriber line or host holds a whole /64 (RFC 6177).
CREATE TABLE IF NOT EXISTS app_network_route_hourly
(
    hour          DateTime('UTC')        COMMENT 'Start of the hour' CODEC(Delta, ZSTD(1)),
    app_id        LowCardinality(String) COMMENT 'Registered application',
    network       IPv6                   COMMENT 'IPv4 /32 as ::ffff:a.b.c.d, or the first address of the IPv6 /64. Personal data',
    route         LowCardinality(String) COMMENT 'Route template',
    requests      SimpleAggregateFunction(max, UInt64) COMMENT 'Requests' CODEC(T64, ZSTD(1)),
    throttled     SimpleAggregateFunction(max, UInt64) COMMENT 'Requests answered 429' CODEC(T64, ZSTD(1)),
    limit_max     SimpleAggregateFunction(max, UInt32) COMMENT 'Largest ratelimit_limit seen; 0 = none seen',
    limit_at_429  SimpleAggregateFunction(max, UInt32) COMMENT 'Largest ratelimit_limit seen at a 429; 0 = none seen',
    user_bits     SimpleAggregateFunction(groupBitOr, UInt64) COMMENT 'Linear-counting sketch of the end users, 64 bits (Whang et al. 1990)' CODEC(ZSTD(1)),
    ingested_on   SimpleAggregateFunction(max, Date) COMMENT 'Day of the last arrival'
)
ENGINE = AggregatingMergeTree
PARTITION BY toMonday(hour)
ORDER BY (app_id, network, route, hour)
TTL ingested_on + INTERVAL 400 DAY
COMMENT 'Requests by app, network and route';

CREATE TABLE IF NOT EXISTS app_network_user_agent_hourly
(
    hour        DateTime('UTC')        COMMENT 'Start of the hour' CODEC(Delta, ZSTD(1)),
    app_id      LowCardinality(String) COMMENT 'Registered application',
    network     IPv6                   COMMENT 'As in app_network_route_hourly. Personal data',
    user_agent  LowCardinality(String) COMMENT 'User-Agent; empty = absent',
    requests    SimpleAggregateFunction(max, UInt64) COMMENT 'Requests' CODEC(T64, ZSTD(1)),
    ingested_on SimpleAggregateFunction(max, Date) COMMENT 'Day of the last arrival'
)
ENGINE = AggregatingMergeTree
PARTITION BY toMonday(hour)
ORDER BY (app_id, network, user_agent, hour)
TTL ingested_on + INTERVAL 400 DAY
COMMENT 'Requests by app, network and user agent';

CREATE TABLE IF NOT EXISTS app_user_hourly
(
    hour        DateTime('UTC')        COMMENT 'Start of the hour' CODEC(Delta, ZSTD(1)),
    app_id      LowCardinality(String) COMMENT 'Registered application',
    user_id     String                 COMMENT 'End user. Personal data' CODEC(ZSTD(1)),
    requests    SimpleAggregateFunction(max, UInt64) COMMENT 'Requests' CODEC(T64, ZSTD(1)),
    ingested_on SimpleAggregateFunction(max, Date) COMMENT 'Day of the last arrival'
)
ENGINE = AggregatingMergeTree
PARTITION BY toMonday(hour)
ORDER BY (app_id, user_id, hour)
TTL ingested_on + INTERVAL 400 DAY
COMMENT 'Requests by app and end user';

-- The finest clock that a rollup keeps: diurnal shape, hand-overs at minute resolution.
CREATE TABLE IF NOT EXISTS app_minute
(
    minute      DateTime('UTC')        COMMENT 'Start of the minute' CODEC(Delta, ZSTD(1)),
    app_id      LowCardinality(String) COMMENT 'Registered application',
    requests    SimpleAggregateFunction(max, UInt64) COMMENT 'Requests' CODEC(T64, ZSTD(1)),
    throttled   SimpleAggregateFunction(max, UInt64) COMMENT 'Requests answered 429' CODEC(T64, ZSTD(1)),
    ingested_on SimpleAggregateFunction(max, Date) COMMENT 'Day of the last arrival'
)
ENGINE = AggregatingMergeTree
PARTITION BY toMonday(minute)
ORDER BY (app_id, minute)
TTL ingested_on + INTERVAL 400 DAY
COMMENT 'Requests by app and minute';

-- Which (hour, app) a computation was asked to bring up to date; kept for a day, so that one can see what a cycle touched.
CREATE TABLE IF NOT EXISTS touched_hour
(
    run_id  String                 COMMENT 'Computation',
    hour    DateTime('UTC')        COMMENT 'Start of the hour',
    app_id  LowCardinality(String) COMMENT 'Registered application',
    created DateTime('UTC')        DEFAULT now() COMMENT 'When it was noted'
)
ENGINE = MergeTree
PARTITION BY toStartOfHour(created)
ORDER BY (run_id, app_id, hour)
TTL created + INTERVAL 1 DAY
COMMENT 'Hours of apps that a computation of the rollups went through';

-- How far the rollups follow the raw rows: every row that had arrived before `arrived_before` is counted in them.
CREATE TABLE IF NOT EXISTS rollup_progress
(
    id             UInt8           COMMENT 'Always 1',
    arrived_before DateTime('UTC') COMMENT 'By the clock of the database, as requests.ingested_at'
)
ENGINE = ReplacingMergeTree(arrived_before)
ORDER BY id
COMMENT 'Progress of the rollups; read with FINAL';
