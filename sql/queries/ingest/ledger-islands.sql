-- Question: which offsets of a partition are in the ledger, under each name that its topic has had?
-- Serves:   the ingest service, at the start of a partition and in reconcile; blocks that meet are one row.
-- False positive: none; control records of transactions make a gap that holds no record.
SELECT source, min(offset_from) AS from, max(offset_to) AS to, argMax(offset_from, offset_to) AS last_block_from,
    argMax(records, offset_to) AS last_block_records
FROM
(
    SELECT source, offset_from, offset_to, records,
        sum(is_start) OVER (PARTITION BY source ORDER BY offset_from, offset_to ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS island
    FROM
    (
        SELECT source, offset_from, offset_to, records,
            offset_from > max(offset_to) OVER (PARTITION BY source ORDER BY offset_from, offset_to ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS is_start
        FROM ingest_ledger
        WHERE (source = {topic:String} OR startsWith(source, concat({topic:String}, '@'))) AND partition = {partition:UInt32}
    )
)
GROUP BY source, island
ORDER BY source, from
