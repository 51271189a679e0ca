-- Question: which pairs serve the same end users with a visible part of their traffic, counting users of few apps only?
-- Serves:   rotation on behalf of users, from whatever networks.
-- False positive: competitors with common customers; scoring has to tell them apart.
INSERT INTO analysis_pair (run_id, app_a, app_b, rule)
SELECT {run_id:String}, a.app_id, b.app_id, 'shared_users'
FROM (SELECT user_id, app_id, share FROM analysis_app_user WHERE run_id = {run_id:String} AND user_degree BETWEEN 2 AND {user_degree_max:UInt32}) AS a
INNER JOIN (SELECT user_id, app_id, share FROM analysis_app_user WHERE run_id = {run_id:String} AND user_degree BETWEEN 2 AND {user_degree_max:UInt32}) AS b
    ON a.user_id = b.user_id
WHERE a.app_id < b.app_id
GROUP BY a.app_id, b.app_id
HAVING sum(least(a.share, b.share)) >= {overlap_min:Float64}
ORDER BY sum(least(a.share, b.share)) DESC, a.app_id, b.app_id
LIMIT {pairs_max:UInt32}
