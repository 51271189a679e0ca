-- Question: for each linked pair, does one app simply come after the other, in time or user by user?
-- Serves:   the innocent explanation "a move from an old app to its successor".
-- False positive: an operator that switches keys once in the window looks like a move; it is let go, precision first.
-- trend: Spearman's rank correlation of the hour with B's share of what both do in it; 0 for fewer than 8 hours.
-- precedence: P(a request of A is earlier than one of B), ties half, by hour. moved_ab: users whose last hour in A is not after
-- their first in B (and not all in one hour), moved_ba the reverse.
WITH
    arrayZip({apps_a:Array(String)}, {apps_b:Array(String)}) AS wanted,
    hours AS
    (
        SELECT toString(app_id) AS app, toStartOfHour(minute) AS hour, toFloat64(sum(requests)) AS n
        FROM app_minute FINAL
        WHERE minute >= {from:DateTime('UTC')} AND minute < {to:DateTime('UTC')}
          AND (app_id IN {apps_a:Array(String)} OR app_id IN {apps_b:Array(String)})
        GROUP BY app, hour
    ),
    totals AS (SELECT app, sum(n) AS total FROM hours GROUP BY app),
    user_hours AS
    (
        SELECT toString(app_id) AS app, user_id, min(hour) AS first_hour, max(hour) AS last_hour
        FROM app_user_hourly FINAL
        WHERE hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')}
          AND (app_id IN {apps_a:Array(String)} OR app_id IN {apps_b:Array(String)})
        GROUP BY app, user_id
    ),
    wanted_pairs AS (SELECT tupleElement(arrayJoin(wanted) AS pair, 1) AS app_a, tupleElement(pair, 2) AS app_b),
    precedence AS
    (
        SELECT p.app_a AS app_a, p.app_b AS app_b,
               sum(x.n * y.n * multiIf(x.hour < y.hour, 1., x.hour = y.hour, 0.5, 0.)) / (any(tx.total) * any(ty.total)) AS precedence
        FROM wanted_pairs AS p
        INNER JOIN hours AS x ON x.app = p.app_a
        INNER JOIN hours AS y ON y.app = p.app_b
        INNER JOIN totals AS tx ON tx.app = p.app_a
        INNER JOIN totals AS ty ON ty.app = p.app_b
        GROUP BY app_a, app_b
    ),
    shares AS
    (
        SELECT p.app_a AS app_a, p.app_b AS app_b, h.hour AS hour, sumIf(h.n, h.app = p.app_b) / sum(h.n) AS share_b
        FROM wanted_pairs AS p
        INNER JOIN hours AS h ON h.app = p.app_a OR h.app = p.app_b
        GROUP BY app_a, app_b, hour
    ),
    trends AS
    (
        SELECT app_a, app_b, if(count() < 8, 0., ifNotFinite(rankCorr(toUnixTimestamp(hour), share_b), 0.)) AS trend
        FROM shares
        GROUP BY app_a, app_b
    ),
    moves AS
    (
        SELECT p.app_a AS app_a, p.app_b AS app_b, count() AS common_users,
               countIf(x.last_hour <= y.first_hour AND NOT (y.last_hour <= x.first_hour)) AS moved_ab,
               countIf(y.last_hour <= x.first_hour AND NOT (x.last_hour <= y.first_hour)) AS moved_ba,
               countIf(y.last_hour <= x.first_hour AND x.last_hour <= y.first_hour) AS undecided
        FROM wanted_pairs AS p
        INNER JOIN user_hours AS x ON x.app = p.app_a
        INNER JOIN user_hours AS y ON y.app = p.app_b AND y.user_id = x.user_id
        GROUP BY app_a, app_b
    )
SELECT precedence.app_a AS app_a, precedence.app_b AS app_b, precedence.precedence AS precedence,
       trends.trend AS trend,
       moves.common_users AS common_users, moves.moved_ab AS moved_ab, moves.moved_ba AS moved_ba, moves.undecided AS undecided
FROM precedence
INNER JOIN trends ON trends.app_a = precedence.app_a AND trends.app_b = precedence.app_b
LEFT JOIN moves ON moves.app_a = precedence.app_a AND moves.app_b = precedence.app_b
ORDER BY app_a, app_b
