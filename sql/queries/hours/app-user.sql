-- Question: for whom did each app act, in the touched hours between two moments?
-- Serves:   the rollup app_user_hourly.
-- False positive: none, it only counts.
INSERT INTO app_user_hourly (hour, app_id, user_id, requests, ingested_on)
SELECT toStartOfHour(timestamp) AS hour, app_id, user_id, count(), toDate(max(ingested_at))
FROM requests
WHERE timestamp >= {from:DateTime('UTC')} AND timestamp < {to:DateTime('UTC')}
  AND (app_id, toStartOfHour(timestamp)) IN (SELECT app_id, hour FROM touched_hour WHERE run_id = {run_id:String})
  AND user_id != ''
GROUP BY hour, app_id, user_id
