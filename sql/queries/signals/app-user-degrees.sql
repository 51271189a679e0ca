-- Question: how many end users does each app have, popular ones left out?
-- Serves:   the degree-corrected expectation of shared users.
-- False positive: none, it only describes.
SELECT app_id, count() AS keys
FROM analysis_app_user
WHERE run_id = {run_id:String} AND user_degree <= {user_degree_max:UInt32}
GROUP BY app_id
ORDER BY app_id
