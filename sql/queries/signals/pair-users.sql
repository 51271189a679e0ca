-- Question: for each pair, how many end users do both serve, and how much of their traffic is for them?
-- Serves:   rotation on behalf of the same users, from whatever networks.
-- False positive: popular users who use many apps (left out above a degree), aggregators (their share of any user is small).
WITH
    kept AS
    (
        SELECT user_id, app_id, share, 1 / log2(greatest(2, user_degree)) AS weight
        FROM analysis_app_user
        WHERE run_id = {run_id:String} AND user_degree BETWEEN 2 AND {user_degree_max:UInt32}
    ),
    pairs AS (SELECT DISTINCT app_a, app_b FROM analysis_pair WHERE run_id = {run_id:String})
SELECT a.app_id AS app_a, b.app_id AS app_b, count() AS shared,
       sum(least(a.share, b.share)) AS overlap, sum(a.weight) AS weight
FROM kept AS a
INNER JOIN kept AS b ON a.user_id = b.user_id
WHERE a.app_id < b.app_id AND (a.app_id, b.app_id) IN pairs
GROUP BY app_a, app_b
ORDER BY app_a, app_b
