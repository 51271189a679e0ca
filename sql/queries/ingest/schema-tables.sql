-- Question: how many of the tables that ingest needs are there?
-- Serves:   the start of the ingest service: without them `sidestep migrate` has not been run on this database.
-- False positive: none.
SELECT count() AS tables
FROM system.tables
WHERE database = currentDatabase() AND name IN ('landing', 'ingest_ledger', 'apps')
