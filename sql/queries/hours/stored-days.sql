-- Question: on which days are there raw rows, or rollups of which the raw rows cannot have expired?
-- Serves:   comparing rollups with raw rows day by day, so that memory is bounded by a day.
-- False positive: none, it only lists.
SELECT DISTINCT day_seconds
FROM
(
    SELECT toUnixTimestamp(toStartOfDay(timestamp)) AS day_seconds FROM requests GROUP BY day_seconds
    UNION ALL
    SELECT toUnixTimestamp(toStartOfDay(minute)) AS day_seconds FROM app_minute WHERE minute >= {kept_from:DateTime('UTC')} GROUP BY day_seconds
    UNION ALL
    SELECT toUnixTimestamp(toStartOfDay(hour)) AS day_seconds FROM app_network_route_hourly WHERE hour >= {kept_from:DateTime('UTC')} GROUP BY day_seconds
)
ORDER BY day_seconds
