-- Question: how many end users are seen in how many apps, popular ones left out? The degree sequence of the null model.
-- Serves:   the degree-corrected expectation of shared users.
-- False positive: none, it only describes.
SELECT user_degree AS degree, uniqExact(user_id) AS keys
FROM analysis_app_user
WHERE run_id = {run_id:String} AND user_degree <= {user_degree_max:UInt32}
GROUP BY degree
ORDER BY degree
