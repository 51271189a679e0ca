-- Question: what share of each app's traffic carries a user agent that names a program of its own (no SDK or browser default)?
-- Serves:   telling "different programs" from "both unnamed" in the user-agent signal.
-- False positive: none, it only describes.
SELECT app_id, sum(share) AS named_share
FROM analysis_app_user_agent
WHERE run_id = {run_id:String} AND bits > 0
GROUP BY app_id
ORDER BY app_id
