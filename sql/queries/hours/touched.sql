-- Question: which hours of which apps have got rows since a moment (by the database's clock)?
-- Serves:   bringing the rollups up to date at a cost that follows what is new.
-- False positive: none: an hour that is touched without need is computed again to the same numbers.
INSERT INTO touched_hour (run_id, hour, app_id)
SELECT {run_id:String}, toStartOfHour(timestamp) AS hour, app_id
FROM requests
WHERE ingested_at >= {arrived_from:DateTime('UTC')}
GROUP BY hour, app_id
