-- Question: which ranges of offsets of these sources have been stored?
-- Serves:   reading on where the last run over a file or a partition stopped.
-- False positive: none; a range is listed once its block is in.
SELECT source, offset_from AS from, offset_to AS to, max(records) AS records, max(dead_records) AS dead
FROM ingest_ledger
WHERE source IN {sources:Array(String)} AND partition = {partition:UInt32}
GROUP BY source, partition, offset_from, offset_to
ORDER BY source, offset_from, offset_to
