-- Question: how many records are stored at this offset, and how many of them are this very record?
-- Serves:   as is-record-stored, when that found none. It reads columns of the whole table, and counts both in one look: a record that shows between
--           two looks would pass for another one.
-- False positive: none; a row that has expired, or a dead letter, is no record.
SELECT countIf(app_id = {app:String} AND timestamp = fromUnixTimestamp64Milli({time:Int64})) AS same, count() AS records
FROM requests
WHERE source = {source:String} AND partition = {partition:UInt32} AND offset = {offset:UInt64}
