-- Question: which records of a range of offsets are dead letters, and why?
-- Serves:   the registry topic, which may be read again: a record that is a dead letter already is not stored once more.
-- False positive: none.
SELECT offset, reason, detail
FROM dead_requests
WHERE source = {source:String} AND partition = {partition:UInt32} AND offset >= {from:UInt64} AND offset < {to:UInt64}
ORDER BY offset, reason, detail
