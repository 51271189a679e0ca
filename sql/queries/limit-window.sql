-- Question: how long is this platform's limit window, as the reset times in its logs show?
-- Serves:   materiality. The largest "seconds until reset" seen is the window, to within its last second.
-- False positive: none, it only describes. NULL without such logs.
SELECT quantile(0.999)(left_seconds) AS seconds, count() AS seen
FROM
(
    SELECT if(ratelimit_reset > 1000000000, ratelimit_reset - toUnixTimestamp(timestamp), ratelimit_reset) AS left_seconds
    FROM requests
    WHERE app_id IN {apps:Array(String)} AND timestamp >= {from:DateTime('UTC')} AND timestamp < {to:DateTime('UTC')} AND ratelimit_reset IS NOT NULL
)
WHERE left_seconds BETWEEN 1 AND 86400
