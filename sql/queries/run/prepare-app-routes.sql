-- Question: what is each app's route mix, when routes that everyone uses count for little?
-- Serves:   the route-mix signal. Weight: ln(1 + apps / apps on the route), the usual inverse document frequency.
-- False positive: none, it only describes.
INSERT INTO analysis_app_route (run_id, app_id, route, mass)
SELECT {run_id:String}, app_id, route, weighted / sum(weighted) OVER (PARTITION BY app_id)
FROM
(
    SELECT app_id, route, n * log(1 + (SELECT count() FROM analysis_app WHERE run_id = {run_id:String}) / count() OVER (PARTITION BY route)) AS weighted
    FROM
    (
        SELECT toString(app_id) AS app_id, toString(route) AS route, sum(requests) AS n
        FROM app_network_route_hourly FINAL
        WHERE hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')}
          AND app_id IN (SELECT app_id FROM analysis_app WHERE run_id = {run_id:String})
        GROUP BY app_id, route
    )
)
