-- Question: what is each app's route mix, from all networks together?
-- Serves:   "one use case?": the comparison with other apps, and the background of every group.
-- False positive: none, it only describes.
SELECT toString(app_id) AS app_id, groupArray(toString(route)) AS routes, groupArray(n) AS counts
FROM
(
    SELECT app_id, route, sum(requests) AS n
    FROM app_network_route_hourly FINAL
    WHERE hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')}
    GROUP BY app_id, route
    ORDER BY app_id, route
)
GROUP BY app_id
ORDER BY app_id
