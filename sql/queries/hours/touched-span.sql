-- Question: which hours of which apps have rows within a span?
-- Serves:   rebuilding the rollups of that span.
-- False positive: none, it only lists.
INSERT INTO touched_hour (run_id, hour, app_id)
SELECT {run_id:String}, toStartOfHour(timestamp) AS hour, app_id
FROM requests
WHERE timestamp >= {from:DateTime('UTC')} AND timestamp < {to:DateTime('UTC')}
GROUP BY hour, app_id
