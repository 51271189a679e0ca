-- Question: where do the records of a partition end that are stored beyond the last block of the ledger? 0 when there are none.
-- Serves:   the start of a partition that no commit tells of any more: a kill may have left a block that is not in the ledger yet.
-- False positive: none. It reads the offsets of the whole source, so it is asked only when commit and ledger disagree.
SELECT max(end) AS end
FROM
(
    SELECT max(offset) + 1 AS end FROM requests
    WHERE source = {source:String} AND partition = {partition:UInt32} AND offset >= {from:UInt64} HAVING count() > 0
    UNION ALL
    SELECT max(offset) + 1 AS end FROM dead_requests
    WHERE source = {source:String} AND partition = {partition:UInt32} AND offset >= {from:UInt64} HAVING count() > 0
)
