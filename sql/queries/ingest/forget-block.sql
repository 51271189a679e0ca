-- Question: (a deletion) which block should the ledger have no more, so that it is read again?
-- Serves:   reconcile --repair: a block that the tables lack and that Kafka still has.
-- False positive: none; what of it is stored is passed over when it is read again.
DELETE FROM ingest_ledger
WHERE source = {source:String} AND partition = {partition:UInt32} AND offset_from = {from:UInt64} AND offset_to = {to:UInt64}
