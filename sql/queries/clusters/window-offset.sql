-- Question: when do each app's limit windows begin, as the reset times in its logs show? Seconds after a multiple of the window's length.
-- Serves:   materiality: use is counted by the app's own windows, or one window's end and the next one's start would look like twice the limit.
-- False positive: none, it only describes. The commonest offset, to 5 seconds; no row for an app without reset times.
SELECT app_id, arrayElement(topK(1)(intDiv(ends + 2, 5) * 5 % {seconds:UInt32}), 1) AS offset_seconds
FROM
(
    SELECT toString(app_id) AS app_id,
           toUInt64(if(ratelimit_reset > 1000000000, ratelimit_reset, toUnixTimestamp(timestamp) + ratelimit_reset)) AS ends
    FROM requests
    WHERE app_id IN {apps:Array(String)} AND timestamp >= {from:DateTime('UTC')} AND timestamp < {to:DateTime('UTC')} AND ratelimit_reset IS NOT NULL
)
GROUP BY app_id
ORDER BY app_id
