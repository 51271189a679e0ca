-- Question: on which route, and in which slot of `slot_seconds`, did each app act, and how often?
-- Serves:   the SynchroTrap-like method that `evaluate` compares with (evaluate/peers): actions are (object, slot).
-- False positive: none, it only describes.
SELECT app_id, arrayMap(cell -> cell.1, cells) AS objects, arrayMap(cell -> cell.2, cells) AS requests
FROM
(
    SELECT app_id, arraySort(groupArray((action, n))) AS cells
    FROM
    (
        SELECT toString(app_id) AS app_id, concat(toString(route), '@', toString(intDiv(toUnixTimestamp(timestamp), {slot_seconds:UInt32}))) AS action, count() AS n
        FROM requests
        WHERE timestamp >= {from:DateTime('UTC')} AND timestamp < {to:DateTime('UTC')}
        GROUP BY app_id, action
    )
    GROUP BY app_id
)
ORDER BY app_id
