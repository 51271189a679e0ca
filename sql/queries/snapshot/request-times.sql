-- Question: when did these apps send each request (from some networks, or from all when none is named), and which were refused?
-- Serves:   timing: hand-overs, rotation, polls of one scheduler. Raw rows are read, of the apps in question only: the key order makes it a
-- read of their ranges.
-- False positive: none, it only lists. Milliseconds from the start of the window, in their order; 1 where the answer was 429.
SELECT toString(app_id) AS app_id, groupArray(ms) AS times, groupArray(refused) AS refusals
FROM
(
    SELECT app_id, toUnixTimestamp64Milli(timestamp) - toUnixTimestamp({from:DateTime('UTC')}) * 1000 AS ms, status_code = 429 AS refused
    FROM requests
    WHERE app_id IN {apps:Array(String)} AND timestamp >= {from:DateTime('UTC')} AND timestamp < {to:DateTime('UTC')}
      AND (empty({networks:Array(IPv6)})
           OR if(startsWith(IPv6NumToString(client_ip), '::ffff:'), client_ip, tupleElement(IPv6CIDRToRange(client_ip, 64), 1)) IN {networks:Array(IPv6)})
    ORDER BY app_id, ms, refused
)
GROUP BY app_id
ORDER BY app_id
