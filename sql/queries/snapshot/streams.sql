-- Question: on each network that several apps use, what does each of them do there, and for about how many users?
-- Serves:   streams (app, network): the unit of evidence of groups and pairs.
-- False positive: none, it only describes. Users by linear counting, -64 ln(1 - bits set / 64) (Whang et al. 1990), at most 267.
WITH
    cells AS
    (
        SELECT app_id, network, route, sum(requests) AS n, groupBitOr(user_bits) AS bits
        FROM app_network_route_hourly FINAL
        WHERE hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')}
          AND network IN
          (
              SELECT network
              FROM app_network_route_hourly
              WHERE hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')}
              GROUP BY network
              HAVING uniqExact(app_id) >= 2
          )
        GROUP BY app_id, network, route
    )
SELECT toString(network) AS network, toString(app_id) AS app_id, groupArray(toString(route)) AS routes, groupArray(n) AS counts,
       if(bitCount(groupBitOr(bits)) = 64, 267., round(-64 * log(1 - bitCount(groupBitOr(bits)) / 64))) AS users
FROM (SELECT * FROM cells ORDER BY network, app_id, route)
GROUP BY network, app_id
ORDER BY network, app_id
