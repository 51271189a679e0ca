-- Question: which apps send requests but are not in the registry?
-- Serves:   a warning when the registry is incomplete or of another platform: without owner and name an app has no registry evidence.
-- False positive: apps deleted from the registry while their last requests are still being logged.
SELECT
    count() AS apps,
    sum(requests) AS requests,
    arraySlice(groupArray(app_id), 1, 5) AS examples
FROM
(
    SELECT app_id, count() AS requests
    FROM requests
    WHERE app_id NOT IN (SELECT app_id FROM apps FINAL)
    GROUP BY app_id
    ORDER BY requests DESC, app_id
)
