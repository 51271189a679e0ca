-- Question: which routes does each app call, and how often?
-- Serves:   the published methods that `evaluate` compares with (evaluate/peers).
-- False positive: none, it only describes.
SELECT app_id, arrayMap(cell -> cell.1, cells) AS objects, arrayMap(cell -> cell.2, cells) AS requests
FROM
(
    SELECT app_id, arraySort(groupArray((route, n))) AS cells
    FROM
    (
        SELECT toString(app_id) AS app_id, toString(route) AS route, sum(requests) AS n
        FROM app_network_route_hourly FINAL
        WHERE hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')}
        GROUP BY app_id, route
    )
    GROUP BY app_id
)
ORDER BY app_id
