-- Question: what span of time do the stored requests cover?
-- Serves:   the default window of `detect`: all that was ingested, on whole hours.
-- False positive: none, it only describes.
SELECT count() AS minutes, toUnixTimestamp(toStartOfHour(min(minute))) AS from_seconds, toUnixTimestamp(toStartOfHour(max(minute)) + INTERVAL 1 HOUR) AS to_seconds
FROM app_minute
