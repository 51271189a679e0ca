-- Question: what is known of each app of this run?
-- Serves:   registry signals, classification, findings.
-- False positive: none, it only lists.
SELECT app_id, requests, throttled, networks, users, top_user, top_user_requests, user_requests, owner_id, name, description, stem, domains,
       toUnixTimestamp64Milli(created_at) AS created_at_ms
FROM analysis_app
WHERE run_id = {run_id:String}
ORDER BY app_id
