-- Question: which rows of the ledger reach into this range of offsets?
-- Serves:   recovery: what of a range no row covers is added, and nothing is covered twice.
-- False positive: none.
SELECT offset_from AS from, offset_to AS to
FROM ingest_ledger
WHERE source = {source:String} AND partition = {partition:UInt32} AND offset_from < {to:UInt64} AND offset_to > {from:UInt64}
ORDER BY from, to
