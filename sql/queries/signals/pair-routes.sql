-- Question: how alike are the route mixes of each pair? 1 - Jensen-Shannon divergence (base 2) of the weighted mixes, 0..1.
-- Serves:   copies of one program, whatever their names, networks and users.
-- False positive: competitors and tutorials use the same routes; alone it never makes a finding.
-- Only common routes are joined: a route that one app lacks adds exactly its mass / 2 to the divergence.
WITH pairs AS (SELECT DISTINCT app_a, app_b FROM analysis_pair WHERE run_id = {run_id:String})
SELECT p.app_a AS app_a, p.app_b AS app_b,
       greatest(0, least(1, -0.5 * sum(a.mass * log2(a.mass / (a.mass + b.mass)) + b.mass * log2(b.mass / (a.mass + b.mass))))) AS similarity
FROM pairs AS p
INNER JOIN (SELECT app_id, route, mass FROM analysis_app_route WHERE run_id = {run_id:String}) AS a ON a.app_id = p.app_a
INNER JOIN (SELECT app_id, route, mass FROM analysis_app_route WHERE run_id = {run_id:String}) AS b ON b.app_id = p.app_b AND b.route = a.route
GROUP BY app_a, app_b
ORDER BY app_a, app_b
