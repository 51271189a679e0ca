-- Question: none; notes what has become of a run.
-- Serves:   knowing which runs may be under way, and which of them began last.
-- False positive: none.
INSERT INTO analyzer_runs (run_id, state) SELECT {run_id:String}, {state:String}
