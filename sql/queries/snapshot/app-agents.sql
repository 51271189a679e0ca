-- Question: as which programs does each app speak, from all networks together?
-- Serves:   how rare a program is on this platform.
-- False positive: none, it only describes.
SELECT toString(app_id) AS app_id, groupArray(toString(user_agent)) AS agents, groupArray(n) AS counts
FROM
(
    SELECT app_id, user_agent, sum(requests) AS n
    FROM app_network_user_agent_hourly FINAL
    WHERE hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')} AND user_agent != ''
    GROUP BY app_id, user_agent
    ORDER BY app_id, user_agent
)
GROUP BY app_id
ORDER BY app_id
