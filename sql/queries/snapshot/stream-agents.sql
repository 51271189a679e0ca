-- Question: as which programs does each app speak on each network that several apps use?
-- Serves:   "one operator?": a program of the house.
-- False positive: none, it only describes.
SELECT toString(network) AS network, toString(app_id) AS app_id, groupArray(toString(user_agent)) AS agents, groupArray(n) AS counts
FROM
(
    SELECT network, app_id, user_agent, sum(requests) AS n
    FROM app_network_user_agent_hourly FINAL
    WHERE hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')} AND user_agent != ''
      AND network IN
      (
          SELECT network
          FROM app_network_user_agent_hourly
          WHERE hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')}
          GROUP BY network
          HAVING uniqExact(app_id) >= 2
      )
    GROUP BY network, app_id, user_agent
    ORDER BY network, app_id, user_agent
)
GROUP BY network, app_id
ORDER BY network, app_id
