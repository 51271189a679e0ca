-- Question: how many bits of rare user agent do the two of each pair have in common, weighted by traffic?
-- Serves:   one program behind many keys.
-- False positive: a self-hosted tool; alone it never makes a finding.
WITH
    pairs AS (SELECT DISTINCT app_a, app_b FROM analysis_pair WHERE run_id = {run_id:String}),
    rare AS (SELECT app_id, user_agent, share, bits FROM analysis_app_user_agent WHERE run_id = {run_id:String} AND bits > 0)
SELECT p.app_a AS app_a, p.app_b AS app_b, sum(least(a.share, b.share) * a.bits) AS common_bits, argMax(a.user_agent, least(a.share, b.share) * a.bits) AS user_agent
FROM pairs AS p
INNER JOIN rare AS a ON a.app_id = p.app_a
INNER JOIN rare AS b ON b.app_id = p.app_b AND b.user_agent = a.user_agent
GROUP BY app_a, app_b
ORDER BY app_a, app_b
