-- Question: how many records of this range are stored, dead ones included, and how many does the ledger have?
-- Serves:   recovery: a block that a kill cut off is in some tables only, and its token may be known without its rows.
-- False positive: none; offsets are counted once however often they are stored.
SELECT
    (SELECT uniqExact(offset) FROM requests
     WHERE source = {source:String} AND partition = {partition:UInt32} AND offset >= {from:UInt64} AND offset < {to:UInt64}) AS accepted,
    (SELECT uniqExact(offset) FROM dead_requests
     WHERE source = {source:String} AND partition = {partition:UInt32} AND offset >= {from:UInt64} AND offset < {to:UInt64}) AS dead,
    (SELECT sum(records) FROM
        (SELECT max(records) AS records FROM ingest_ledger
         WHERE source = {source:String} AND partition = {partition:UInt32} AND offset_from >= {from:UInt64} AND offset_to <= {to:UInt64}
         GROUP BY offset_from, offset_to)) AS ledger
