-- Question: on which days lie the touched hours?
-- Serves:   computing day by day, so that memory is bounded by a day however much is new.
-- False positive: none, it only lists.
SELECT toUnixTimestamp(toStartOfDay(hour)) AS day_seconds, count() AS hours
FROM touched_hour
WHERE run_id = {run_id:String}
GROUP BY day_seconds
ORDER BY day_seconds
