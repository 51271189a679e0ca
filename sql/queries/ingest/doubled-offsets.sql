-- Question: in which partitions is an offset stored more than once, as a record or as a dead letter?
-- Serves:   reconcile: no record may be counted twice.
-- False positive: none, except while a block is being inserted and expired rows are being removed.
SELECT source, partition, count() AS rows, uniqExact(offset) AS offsets
FROM
(
    SELECT source, partition, offset FROM requests
    UNION ALL
    SELECT source, partition, offset FROM dead_requests
)
GROUP BY source, partition
HAVING rows != offsets
ORDER BY source, partition
