-- Question: how is each app's traffic spread over networks, how many apps does each network carry, and is it a user's line or a server?
-- Serves:   network signals, network classes, blocking.
-- False positive: none, it only describes. A line with at most `line_users_max` of an app's users is personal when the app has more
-- users and none of them makes most of its requests: that two apps meet there says that a person uses both, which the user
-- signals count already.
-- Users on a line: linear counting, -64 ln(1 - bits set / 64) (Whang et al. 1990).
INSERT INTO analysis_app_network (run_id, network, app_id, requests, share, network_degree, personal)
SELECT
    {run_id:String}, e.network, e.app_id, e.n,
    e.n / sum(e.n) OVER (PARTITION BY e.app_id),
    count() OVER (PARTITION BY e.network),
    e.line_users > 0 AND e.line_users <= {line_users_max:UInt32} AND 2 * e.line_users < a.users AND a.users > {line_users_max:UInt32} AND 2 * a.top_user_requests < a.user_requests
FROM
(
    SELECT app_id, network, n, if(set_bits = 64, 267, round(-64 * log(1 - set_bits / 64))) AS line_users
    FROM
    (
        SELECT toString(app_id) AS app_id, network, sum(requests) AS n, bitCount(groupBitOr(user_bits)) AS set_bits
        FROM app_network_route_hourly FINAL
        WHERE hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')}
        GROUP BY app_id, network
    )
) AS e
INNER JOIN (SELECT app_id, users, top_user_requests, user_requests FROM analysis_app WHERE run_id = {run_id:String}) AS a ON a.app_id = e.app_id
