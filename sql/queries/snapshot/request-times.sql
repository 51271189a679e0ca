-- Question: when, on what and from where did these apps send each request?
-- Serves:   timing: hand-overs, rotation, polls of one scheduler. Raw rows are read, of the apps in question only: the key order makes it a
-- read of their ranges.
-- False positive: none, it only lists. Milliseconds from the start of the window.
SELECT toString(app_id) AS app_id,
       groupArray(ms) AS times,
       groupArray(network) AS networks,
       groupArray(route) AS routes,
       groupArray(refused) AS refusals
FROM
(
    SELECT app_id, toUnixTimestamp64Milli(timestamp) - toUnixTimestamp({from:DateTime('UTC')}) * 1000 AS ms,
           toString(if(startsWith(IPv6NumToString(client_ip), '::ffff:'), client_ip, tupleElement(IPv6CIDRToRange(client_ip, 64), 1))) AS network,
           toString(route) AS route, status_code = 429 AS refused
    FROM requests
    WHERE app_id IN {apps:Array(String)} AND timestamp >= {from:DateTime('UTC')} AND timestamp < {to:DateTime('UTC')}
    ORDER BY app_id, ms, route
)
GROUP BY app_id
ORDER BY app_id
