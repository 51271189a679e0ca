-- Question: is this very record stored at this offset? Found by the primary key, when it is.
-- Serves:   telling a topic that was made anew from the one that the ledger knows: its last stored record is read again and looked for.
-- False positive: a new topic that has the same record at the same offset.
SELECT count() AS same
FROM requests
WHERE app_id = {app:String} AND timestamp = fromUnixTimestamp64Milli({time:Int64})
    AND source = {source:String} AND partition = {partition:UInt32} AND offset = {offset:UInt64}
