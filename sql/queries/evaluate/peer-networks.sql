-- Question: on which networks is each app used, and how often?
-- Serves:   the published methods that `evaluate` compares with (evaluate/peers): shared addresses, EvilCohort, TF-IDF.
-- False positive: none, it only describes.
SELECT app_id, arrayMap(cell -> cell.1, cells) AS objects, arrayMap(cell -> cell.2, cells) AS requests
FROM
(
    SELECT app_id, arraySort(groupArray((network, n))) AS cells
    FROM
    (
        SELECT toString(app_id) AS app_id, toString(network) AS network, sum(requests) AS n
        FROM app_network_route_hourly FINAL
        WHERE hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')}
        GROUP BY app_id, network
    )
    GROUP BY app_id
)
ORDER BY app_id
