-- Question: none; notes what has become of a run.
-- Serves:   knowing which of the finished runs began last.
-- False positive: none.
INSERT INTO analyzer_runs (run_id, state) SELECT {run_id:String}, {state:String}
