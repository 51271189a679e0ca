-- Question: has a run finished that began later than this one?
-- Serves:   deciding whether what the run found may still be said.
-- False positive: none.
SELECT countIf(finished AND begun_at > (SELECT min(created) FROM analyzer_runs WHERE run_id = {run_id:String} AND state = 'begun')) AS later_runs
FROM
(
    SELECT run_id, minIf(created, state = 'begun') AS begun_at, countIf(state = 'finished') > 0 AS finished
    FROM analyzer_runs
    GROUP BY run_id
)
