-- Question: how is each app's traffic spread over end users, and how many apps does each user have?
-- Serves:   user signals, blocking.
-- False positive: none, it only describes.
INSERT INTO analysis_app_user (run_id, user_id, app_id, requests, share, user_degree)
SELECT
    {run_id:String}, user_id, app_id, n,
    n / sum(n) OVER (PARTITION BY app_id),
    count() OVER (PARTITION BY user_id)
FROM
(
    SELECT toString(app_id) AS app_id, user_id, sum(requests) AS n
    FROM app_user_hourly FINAL
    WHERE hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')}
      AND app_id IN (SELECT app_id FROM analysis_app WHERE run_id = {run_id:String})
    GROUP BY app_id, user_id
)
