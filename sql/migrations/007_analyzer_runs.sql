-- What every analyzer on this store says of its runs. Several may be at work, as in a rolling deploy: this table tells whose word on the findings
-- holds (services/analyzer/run/runs.ts).
CREATE TABLE IF NOT EXISTS analyzer_runs
(
    run_id  String                 COMMENT 'Analysis run, unlike any other of any process',
    state   LowCardinality(String) COMMENT 'begun or finished',
    created DateTime64(6, 'UTC')   DEFAULT now64(6) COMMENT 'When it came to that, by the clock of the database, which all analyzers share'
)
ENGINE = MergeTree
ORDER BY (run_id, created)
TTL toDateTime(created) + INTERVAL 30 DAY
COMMENT 'States of analysis runs, one row each';

-- An analysis reads what it needs from the rollups and keeps it in memory: nothing is left in working tables.
DROP TABLE IF EXISTS analysis_app;
DROP TABLE IF EXISTS analysis_app_network;
DROP TABLE IF EXISTS analysis_network;
DROP TABLE IF EXISTS analysis_app_user;
DROP TABLE IF EXISTS analysis_app_route;
DROP TABLE IF EXISTS analysis_app_user_agent;
DROP TABLE IF EXISTS analysis_pair;
