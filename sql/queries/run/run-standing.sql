-- Question: has a run been given up by another analyzer, and has one finished that began later?
-- Serves:   deciding whether what the run found may still be said.
-- False positive: none.
SELECT
    countIf(run_id = {run_id:String} AND given_up) AS given_up_runs,
    countIf(finished AND begun_at > (SELECT min(created) FROM analyzer_runs WHERE run_id = {run_id:String} AND state = 'begun')) AS later_runs
FROM
(
    SELECT run_id, minIf(created, state = 'begun') AS begun_at, countIf(state = 'finished') > 0 AS finished, countIf(state = 'given_up') > 0 AS given_up
    FROM analyzer_runs
    GROUP BY run_id
)
