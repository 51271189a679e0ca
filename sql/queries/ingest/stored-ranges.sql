-- Question: which offsets of this range are stored, as records or as dead letters? Runs of offsets without a gap are one row.
-- Serves:   recovery: a block that a kill cut off is in some tables only, and its token may be known without its rows.
-- False positive: none; an offset is stored however often it is there.
SELECT min(offset) AS from, max(offset) + 1 AS to
FROM
(
    SELECT offset, offset - row_number() OVER (ORDER BY offset) AS run
    FROM
    (
        SELECT offset FROM requests
        WHERE source = {source:String} AND partition = {partition:UInt32} AND offset >= {from:UInt64} AND offset < {to:UInt64}
        UNION DISTINCT
        SELECT offset FROM dead_requests
        WHERE source = {source:String} AND partition = {partition:UInt32} AND offset >= {from:UInt64} AND offset < {to:UInt64}
    )
)
GROUP BY run
ORDER BY from
