-- Where every record enters: one INSERT of one block into `landing`, from which materialized views fill all other tables.
-- `landing` keeps nothing (engine Null); it exists so that raw rows, dead letters, the ledger and every rollup come from the
-- same block under the same deduplication token.
CREATE TABLE IF NOT EXISTS landing
(
    source              LowCardinality(String) COMMENT 'Kafka topic, or file:<fingerprint> for a file',
    partition           UInt32                 COMMENT 'Kafka partition; 0 for a file',
    offset              UInt64                 COMMENT 'Kafka offset, or line number from 0',
    reason              LowCardinality(String) COMMENT 'Empty for an accepted record, else why it is dead',
    detail              String                 COMMENT 'What is wrong with a dead record, in words',
    payload             String                 COMMENT 'Bytes of a dead record, cut at 64 KiB; empty for an accepted one',
    timestamp           DateTime64(3, 'UTC')   COMMENT 'Start of the request, milliseconds',
    app_id              LowCardinality(String) COMMENT 'Registered application',
    client_ip           IPv6                   COMMENT 'Client address; IPv4 as ::ffff:a.b.c.d',
    method              LowCardinality(String) COMMENT 'HTTP method, upper case',
    route               LowCardinality(String) COMMENT 'Route template',
    status_code         UInt16                 COMMENT 'HTTP status, 0 = no answer',
    user_id             String                 COMMENT 'End user; empty = app-only request',
    user_agent          LowCardinality(String) COMMENT 'User-Agent, cut at 512 characters',
    request_id          String                 COMMENT 'Request id; empty = absent',
    credential_id       String                 COMMENT 'Credential id; empty = absent',
    ratelimit_limit     Nullable(UInt32)       COMMENT 'Requests allowed in the window',
    ratelimit_remaining Nullable(UInt32)       COMMENT 'Requests left in the window',
    ratelimit_reset     Nullable(UInt32)       COMMENT 'Seconds until the window ends, or epoch seconds when > 1e9',
    duration_ms         Nullable(Float32)      COMMENT 'Milliseconds',
    request_bytes       Nullable(UInt64)       COMMENT 'Bytes',
    response_bytes      Nullable(UInt64)       COMMENT 'Bytes',
    host                LowCardinality(String) COMMENT 'Host asked for; empty = absent',
    region              LowCardinality(String) COMMENT 'Empty = absent',
    gateway             LowCardinality(String) COMMENT 'Empty = absent',
    trace_id            String                 COMMENT 'Empty = absent'
)
ENGINE = Null
COMMENT 'Entrance: one INSERT feeds every table below; stores nothing';

-- ORDER BY (app_id, timestamp): every read of raw rows is for the few apps of one finding over a window.
-- PARTITION BY week: 30 days of retention are 5-6 parts to drop whole; a day would make 7 times the parts for late data.
-- TTL by arrival, not by event time: logs of last year that are analysed today must survive their own merge.
CREATE TABLE IF NOT EXISTS requests
(
    source              LowCardinality(String) COMMENT 'Kafka topic, or file:<fingerprint>',
    partition           UInt32                 COMMENT 'Kafka partition; 0 for a file' CODEC(T64, ZSTD(1)),
    offset              UInt64                 COMMENT 'Kafka offset, or line number from 0' CODEC(Delta, ZSTD(1)),
    timestamp           DateTime64(3, 'UTC')   COMMENT 'Start of the request, milliseconds' CODEC(Delta, ZSTD(1)),
    app_id              LowCardinality(String) COMMENT 'Registered application',
    client_ip           IPv6                   COMMENT 'Client address; IPv4 as ::ffff:a.b.c.d. Personal data' CODEC(ZSTD(1)),
    method              LowCardinality(String) COMMENT 'HTTP method, upper case',
    route               LowCardinality(String) COMMENT 'Route template',
    status_code         UInt16                 COMMENT 'HTTP status, 0 = no answer' CODEC(T64, ZSTD(1)),
    user_id             String                 COMMENT 'End user; empty = app-only. Personal data' CODEC(ZSTD(1)),
    user_agent          LowCardinality(String) COMMENT 'User-Agent, cut at 512 characters',
    request_id          String                 COMMENT 'Request id; empty = absent' CODEC(ZSTD(1)),
    credential_id       String                 COMMENT 'Credential id; empty = absent' CODEC(ZSTD(1)),
    ratelimit_limit     Nullable(UInt32)       COMMENT 'Requests allowed in the window' CODEC(ZSTD(1)),
    ratelimit_remaining Nullable(UInt32)       COMMENT 'Requests left in the window' CODEC(ZSTD(1)),
    ratelimit_reset     Nullable(UInt32)       COMMENT 'Seconds until the window ends, or epoch seconds when > 1e9' CODEC(ZSTD(1)),
    duration_ms         Nullable(Float32)      COMMENT 'Milliseconds' CODEC(ZSTD(1)),
    request_bytes       Nullable(UInt64)       COMMENT 'Bytes' CODEC(T64, ZSTD(1)),
    response_bytes      Nullable(UInt64)       COMMENT 'Bytes' CODEC(T64, ZSTD(1)),
    host                LowCardinality(String) COMMENT 'Host asked for; empty = absent',
    region              LowCardinality(String) COMMENT 'Empty = absent',
    gateway             LowCardinality(String) COMMENT 'Empty = absent',
    trace_id            String                 COMMENT 'Empty = absent' CODEC(ZSTD(1)),
    ingested_at         DateTime('UTC')        DEFAULT now() COMMENT 'When the row arrived'
)
ENGINE = MergeTree
PARTITION BY toMonday(timestamp)
ORDER BY (app_id, timestamp)
TTL ingested_at + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 100000
COMMENT 'Raw requests, as accepted';

CREATE MATERIALIZED VIEW IF NOT EXISTS requests_view TO requests AS
SELECT
    source, partition, offset, timestamp, app_id, client_ip, method, route, status_code, user_id, user_agent, request_id,
    credential_id, ratelimit_limit, ratelimit_remaining, ratelimit_reset, duration_ms, request_bytes, response_bytes, host,
    region, gateway, trace_id
FROM landing
WHERE reason = '';

-- ORDER BY (reason, source, partition, offset): read by reason for triage, by offset for recovery. No partition: small by nature.
CREATE TABLE IF NOT EXISTS dead_requests
(
    source      LowCardinality(String) COMMENT 'Kafka topic, or file:<fingerprint>',
    partition   UInt32                 COMMENT 'Kafka partition; 0 for a file',
    offset      UInt64                 COMMENT 'Kafka offset, or line number from 0',
    reason      LowCardinality(String) COMMENT 'Closed set: schemas/dead-letter.ts',
    detail      String                 COMMENT 'What is wrong, naming the field' CODEC(ZSTD(1)),
    payload     String                 COMMENT 'Bytes as received, cut at 64 KiB. May hold personal data' CODEC(ZSTD(3)),
    ingested_at DateTime('UTC')        DEFAULT now() COMMENT 'When the row arrived'
)
ENGINE = MergeTree
ORDER BY (reason, source, partition, offset)
TTL ingested_at + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 100000
COMMENT 'Records that could not be accepted, with the reason';

CREATE MATERIALIZED VIEW IF NOT EXISTS dead_requests_view TO dead_requests AS
SELECT source, partition, offset, reason, detail, payload
FROM landing
WHERE reason != '';

-- One row for each inserted block: which offsets are in. Read at start to know where to go on; never expires by itself.
CREATE TABLE IF NOT EXISTS ingest_ledger
(
    source       LowCardinality(String) COMMENT 'Kafka topic, or file:<fingerprint>',
    partition    UInt32                 COMMENT 'Kafka partition; 0 for a file',
    offset_from  UInt64                 COMMENT 'First offset of the block',
    offset_to    UInt64                 COMMENT 'Offset after the last of the block',
    records      UInt64                 COMMENT 'Records in the block, dead ones included',
    dead_records UInt64                 COMMENT 'Dead records in the block',
    ingested_at  DateTime('UTC')        DEFAULT now() COMMENT 'When the block arrived'
)
ENGINE = MergeTree
ORDER BY (source, partition, offset_from)
SETTINGS non_replicated_deduplication_window = 100000
COMMENT 'Which offsets have been inserted';

CREATE MATERIALIZED VIEW IF NOT EXISTS ingest_ledger_view TO ingest_ledger AS
SELECT source, partition, min(offset) AS offset_from, max(offset) + 1 AS offset_to, count() AS records, countIf(reason != '') AS dead_records
FROM landing
GROUP BY source, partition;
