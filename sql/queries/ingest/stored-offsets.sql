-- Question: which offsets of this range are stored, as records or as dead letters?
-- Serves:   recovery of a range that is stored in part.
-- False positive: none.
SELECT DISTINCT offset
FROM
(
    SELECT offset FROM requests
    WHERE source = {source:String} AND partition = {partition:UInt32} AND offset >= {from:UInt64} AND offset < {to:UInt64}
    UNION ALL
    SELECT offset FROM dead_requests
    WHERE source = {source:String} AND partition = {partition:UInt32} AND offset >= {from:UInt64} AND offset < {to:UInt64}
)
ORDER BY offset
