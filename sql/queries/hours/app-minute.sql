-- Question: when did each app act, in the touched hours between two moments?
-- Serves:   the rollup app_minute.
-- False positive: none, it only counts.
INSERT INTO app_minute (minute, app_id, requests, throttled, ingested_on)
SELECT toStartOfMinute(timestamp) AS minute, app_id, count(), countIf(status_code = 429), toDate(max(ingested_at))
FROM requests
WHERE timestamp >= {from:DateTime('UTC')} AND timestamp < {to:DateTime('UTC')}
  AND (app_id, toStartOfHour(timestamp)) IN (SELECT app_id, hour FROM touched_hour WHERE run_id = {run_id:String})
GROUP BY minute, app_id
