-- Question: over how many hours of the day is each app's traffic spread? exp(entropy) of its requests by hour of day, 1..24.
-- Serves:   telling keys that one machine drives around the clock from people who work in sessions and sleep.
-- False positive: none, it only describes. A machine that works office hours looks like a person; it is let go, precision first.
SELECT app_id, exp(-sum(n / total * log(n / total))) AS effective_hours
FROM
(
    SELECT toString(app_id) AS app_id, toHour(minute) AS hour, sum(requests) AS n, sum(n) OVER (PARTITION BY app_id) AS total
    FROM app_minute FINAL
    WHERE minute >= {from:DateTime('UTC')} AND minute < {to:DateTime('UTC')} AND app_id IN {apps:Array(String)}
    GROUP BY app_id, hour
)
GROUP BY app_id
ORDER BY app_id
