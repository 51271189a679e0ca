-- Question: which blocks of the ledger hold more records than the tables do?
-- Serves:   reconcile: rows that were lost after they had been acknowledged, by a power loss or a restore of one table.
-- False positive: rows that somebody deleted on purpose. Blocks that arrived longer ago are left out: their rows may have expired.
WITH
    recent AS
    (
        SELECT source, partition, offset_from, offset_to, max(records) AS recorded
        FROM ingest_ledger
        WHERE toUnixTimestamp(ingested_at) + {back_seconds:UInt64} > toUnixTimestamp(now())
        GROUP BY source, partition, offset_from, offset_to
    ),
    counts AS
    (
        SELECT recent.source AS source, recent.partition AS partition, recent.offset_from AS offset_from, uniqExact(rows.offset) AS stored
        FROM
        (
            SELECT source, partition, offset FROM requests
            UNION ALL
            SELECT source, partition, offset FROM dead_requests
        ) AS rows
        ASOF JOIN recent ON rows.source = recent.source AND rows.partition = recent.partition AND rows.offset >= recent.offset_from
        WHERE rows.offset < recent.offset_to
        GROUP BY source, partition, offset_from
    )
SELECT source, partition, offset_from AS from, offset_to AS to, recorded, stored
FROM recent
LEFT JOIN counts USING (source, partition, offset_from)
WHERE stored < recorded
ORDER BY source, partition, from
