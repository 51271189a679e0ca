-- Question: which pairs send the same rare user agent in a good part of their traffic?
-- Serves:   one program behind many keys, each on a network of its own.
-- False positive: a self-hosted tool; it needs network, users or timing before it becomes a finding.
INSERT INTO analysis_pair (run_id, app_a, app_b, rule)
WITH groups AS
(
    SELECT user_agent, arraySort(groupArray(app_id)) AS members
    FROM analysis_app_user_agent
    WHERE run_id = {run_id:String} AND bits > 0 AND apps BETWEEN 2 AND {group_max:UInt32} AND share >= 0.2
    GROUP BY user_agent
    HAVING count() >= 2
)
SELECT DISTINCT {run_id:String}, members[i], members[j], 'user_agent'
FROM groups
ARRAY JOIN arrayEnumerate(members) AS i
ARRAY JOIN arrayEnumerate(members) AS j
WHERE i < j
ORDER BY members[i], members[j]
LIMIT {pairs_max:UInt32}
