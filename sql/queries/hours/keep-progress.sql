-- Question: none; notes how far the rollups follow the raw rows.
-- Serves:   bringing the rollups up to date.
-- False positive: none.
INSERT INTO rollup_progress (id, arrived_before) SELECT 1, {arrived_before:DateTime('UTC')}
