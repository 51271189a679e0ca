-- Question: which pairs are scored in this run, and which rules proposed each?
-- Serves:   every signal.
-- False positive: none, it only lists.
SELECT app_a, app_b, arraySort(groupUniqArray(toString(rule))) AS rules
FROM analysis_pair
WHERE run_id = {run_id:String}
GROUP BY app_a, app_b
ORDER BY app_a, app_b
