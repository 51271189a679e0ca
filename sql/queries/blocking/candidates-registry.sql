-- Question: which pairs does the registry itself put together: same owner, same domain, same rare name stem?
-- Serves:   duplicates of one owner, numbered copies ("acme-1", "acme-2").
-- False positive: an agency's different products; behaviour has to agree before anything is said.
INSERT INTO analysis_pair (run_id, app_a, app_b, rule)
WITH keyed AS
(
    SELECT app_id, arrayJoin(arrayConcat(
        if(owner_id = '', [], [concat('owner ', owner_id)]),
        if(length(stem) < 4, [], [concat('stem ', stem)]),
        arrayMap(d -> concat('domain ', d), domains))) AS key
    FROM analysis_app
    WHERE run_id = {run_id:String}
),
groups AS (SELECT key, arraySort(groupArray(app_id)) AS members FROM keyed GROUP BY key HAVING count() BETWEEN 2 AND {group_max:UInt32})
SELECT DISTINCT {run_id:String}, members[i], members[j], 'registry'
FROM groups
ARRAY JOIN arrayEnumerate(members) AS i
ARRAY JOIN arrayEnumerate(members) AS j
WHERE i < j
ORDER BY members[i], members[j]
LIMIT {pairs_max:UInt32}
