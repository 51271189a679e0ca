-- Question: for whom do several apps act, and how much each?
-- Serves:   users in common, for both questions.
-- False positive: none, it only describes.
SELECT user_id, groupArray(app) AS app_ids, groupArray(n) AS counts
FROM
(
    SELECT user_id, toString(app_id) AS app, sum(requests) AS n
    FROM app_user_hourly FINAL
    WHERE hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')}
    GROUP BY user_id, app
    ORDER BY user_id, app
)
GROUP BY user_id
HAVING length(app_ids) >= 2
ORDER BY user_id
