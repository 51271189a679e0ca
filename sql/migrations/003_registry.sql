-- The app registry. One row wins for each app: the one with the greatest version (Kafka offset, or load time for a file).
CREATE TABLE IF NOT EXISTS apps
(
    app_id        String                 COMMENT 'Registered application',
    owner_id      String                 COMMENT 'Account that registered it; same id space as user_id. Personal data',
    name          String                 COMMENT 'Name as registered',
    description   String                 COMMENT 'Empty = absent',
    website       String                 COMMENT 'Empty = absent',
    callback_urls Array(String)          COMMENT 'OAuth callbacks',
    created_at    DateTime64(3, 'UTC')   COMMENT 'When it was registered',
    tier          LowCardinality(String) COMMENT 'Empty = absent',
    status        LowCardinality(String) COMMENT 'Empty = absent',
    limits        Map(String, UInt32)    COMMENT 'Route to requests per limit window',
    version       UInt64                 COMMENT 'Greatest wins',
    deleted       UInt8                  COMMENT '1 = tombstone'
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY app_id
COMMENT 'App registry; read with FINAL';
