-- Question: how long are raw rows kept from their arrival, by the table itself? 0 where it cannot be read from its TTL.
-- Serves:   reconcile, which must not take rows that expired for rows that were lost.
-- False positive: none. A month is taken as 28 days.
SELECT
    position(engine_full, ' TTL ') > 0 AS expires,
    toUInt64OrZero(extract(engine_full, 'TTL ingested_at \\+ toInterval[A-Z][a-z]+\\((\\d+)\\)'))
        * transform(extract(engine_full, 'TTL ingested_at \\+ toInterval([A-Z][a-z]+)\\('), ['Hour', 'Day', 'Week', 'Month', 'Year'], [3600, 86400, 604800, 2419200, 31536000], 0) AS kept_seconds
FROM system.tables
WHERE database = currentDatabase() AND name = 'requests'
