-- Question: what do pairs look like that nothing but chance and a like amount of traffic put together?
-- Serves:   the null of every signal: u in log2(m/u), and the ranks of the behaviour signals.
-- False positive: a few true pairs fall in by chance and make the null harder to beat, never easier.
INSERT INTO analysis_pair (run_id, app_a, app_b, rule)
WITH sampled AS
(
    SELECT app_id, requests FROM analysis_app WHERE run_id = {run_id:String}
    ORDER BY cityHash64(app_id, {seed:UInt64}) LIMIT {apps_max:UInt32}
),
binned AS
(
    SELECT app_id, intDiv(row_number() OVER (ORDER BY requests, app_id) - 1, {bin_apps:UInt32}) AS bin FROM sampled
)
SELECT {run_id:String}, a.app_id, b.app_id, 'control'
FROM binned AS a
INNER JOIN binned AS b ON a.bin = b.bin
WHERE a.app_id < b.app_id
ORDER BY cityHash64(a.app_id, b.app_id, {seed:UInt64}), a.app_id, b.app_id
LIMIT {pairs_max:UInt32}
