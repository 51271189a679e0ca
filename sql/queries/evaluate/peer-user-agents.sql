-- Question: under which user agents does each app come, and how often?
-- Serves:   the published methods that `evaluate` compares with (evaluate/peers).
-- False positive: none, it only describes.
SELECT app_id, arrayMap(cell -> cell.1, cells) AS objects, arrayMap(cell -> cell.2, cells) AS requests
FROM
(
    SELECT app_id, arraySort(groupArray((user_agent, n))) AS cells
    FROM
    (
        SELECT toString(app_id) AS app_id, toString(user_agent) AS user_agent, sum(requests) AS n
        FROM app_network_user_agent_hourly FINAL
        WHERE hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')}
        GROUP BY app_id, user_agent
    )
    GROUP BY app_id
)
ORDER BY app_id
