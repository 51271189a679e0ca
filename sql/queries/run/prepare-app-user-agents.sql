-- Question: which user agents does each app send, and how rare is each?
-- Serves:   the user-agent signal, blocking by rare user agent. Bits: -log2(apps with it / apps), 0 for SDK and browser defaults and for
-- programs of many apps.
-- False positive: an SDK that is unknown here and rare on this platform looks like a name of one's own.
INSERT INTO analysis_app_user_agent (run_id, app_id, user_agent, share, apps, bits)
SELECT
    {run_id:String}, app_id, user_agent, share, apps,
    if(user_agent = '' OR apps > {apps_max:UInt32} OR match(user_agent, {default_user_agents:String}), 0,
       -log2(apps / (SELECT count() FROM analysis_app WHERE run_id = {run_id:String})))
FROM
(
    SELECT app_id, user_agent, n / sum(n) OVER (PARTITION BY app_id) AS share, count() OVER (PARTITION BY user_agent) AS apps
    FROM
    (
        SELECT toString(app_id) AS app_id, toString(user_agent) AS user_agent, sum(requests) AS n
        FROM app_network_user_agent_hourly FINAL
        WHERE hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')}
          AND app_id IN (SELECT app_id FROM analysis_app WHERE run_id = {run_id:String})
        GROUP BY app_id, user_agent
    )
)
