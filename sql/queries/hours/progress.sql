-- Question: up to which moment have arrivals been counted in the rollups, and what time is it for the database?
-- Serves:   bringing the rollups up to date.
-- False positive: none, it only reads.
SELECT toUnixTimestamp(max(arrived_before)) AS arrived_before_seconds, toUnixTimestamp(now()) AS now_seconds
FROM rollup_progress
