-- Question: which runs, but for one, may be dropped from the working tables?
-- Serves:   keeping the working tables of the latest finished run, and of every run that may be under way, and no others.
-- False positive: a run that is under way for longer than `run_seconds_max`; it learns of it before it says anything (run-standing.sql).
WITH runs AS
(
    SELECT
        run_id, minIf(created, state = 'begun') AS begun_at, countIf(state = 'finished') > 0 AS finished, countIf(state = 'dropped') > 0 AS dropped
    FROM analyzer_runs
    GROUP BY run_id
)
SELECT run_id, toUInt8(finished) AS is_finished
FROM runs
WHERE run_id != {run_id:String} AND NOT dropped
  AND if(finished, run_id != (SELECT argMax(run_id, begun_at) FROM runs WHERE finished), begun_at < now() - toIntervalSecond({run_seconds_max:UInt32}))
ORDER BY begun_at, run_id
