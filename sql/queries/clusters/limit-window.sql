-- Question: how long is the limit window, as the reset times in each cluster's logs show?
-- Serves:   materiality. The largest "seconds until reset" seen is the window, to within its last second.
-- False positive: none, it only describes. No row for a cluster without such logs.
SELECT cluster, quantile(0.999)(assumeNotNull(left_seconds)) AS seconds
FROM
(
    SELECT
        transform(app_id, {apps:Array(String)}, {clusters:Array(UInt32)}, toUInt32(0)) AS cluster,
        if(ratelimit_reset > 1000000000, ratelimit_reset - toUnixTimestamp(timestamp), ratelimit_reset) AS left_seconds
    FROM requests
    WHERE app_id IN {apps:Array(String)} AND timestamp >= {from:DateTime('UTC')} AND timestamp < {to:DateTime('UTC')} AND ratelimit_reset IS NOT NULL
)
WHERE left_seconds BETWEEN 1 AND 86400
GROUP BY cluster
ORDER BY cluster
