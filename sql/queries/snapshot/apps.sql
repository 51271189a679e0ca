-- Question: which apps were active in the window, how much, for how many users, and what does the registry say of them?
-- Serves:   every question of the analysis.
-- False positive: none, it only describes.
WITH
    traffic AS
    (
        SELECT toString(app_id) AS app_id, sum(requests) AS requests, sum(throttled) AS throttled, uniqExact(network) AS networks,
               min(hour) AS first_hour, max(hour) AS last_hour
        FROM app_network_route_hourly FINAL
        WHERE hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')}
        GROUP BY app_id
    ),
    people AS
    (
        SELECT app_id, count() AS users, argMax(user_id, (n, user_id)) AS top_user, max(n) AS top_user_requests, sum(n) AS user_requests
        FROM
        (
            SELECT toString(app_id) AS app_id, user_id, sum(requests) AS n
            FROM app_user_hourly FINAL
            WHERE hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')}
            GROUP BY app_id, user_id
        )
        GROUP BY app_id
    )
SELECT
    traffic.app_id AS app_id,
    traffic.requests AS requests,
    traffic.throttled AS throttled,
    traffic.networks AS networks,
    people.users AS users,
    people.top_user AS top_user,
    people.top_user_requests AS top_user_requests,
    people.user_requests AS user_requests,
    registry.owner_id AS owner_id,
    registry.name AS name,
    registry.description AS description,
    -- Words of environments and empty words ("app", "test"), digits and punctuation say nothing of whose app it is.
    trimBoth(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(lowerUTF8(registry.name), '[^\\pL]+', ' '), {empty_words:String}, ' '), ' +', ' ')) AS stem,
    -- The registrable domain; customers' hosts on a hosting platform stay apart; placeholders are dropped.
    arraySort(arrayDistinct(arrayMap(
        host -> if(match(host, {hosting_suffixes:String}), host, cutToFirstSignificantSubdomain(concat('http://', host))),
        arrayFilter(
            host -> host != '' AND NOT match(host, {empty_domains:String}),
            arrayMap(url -> domainWithoutWWW(lower(if(position(url, '://') > 0, url, concat('http://', url)))), arrayPushBack(registry.callback_urls, registry.website))
        )
    ))) AS domains,
    toUnixTimestamp64Milli(registry.created_at) AS created_at_ms,
    mapKeys(registry.limits) AS limit_routes,
    mapValues(registry.limits) AS limit_values
FROM traffic
LEFT JOIN people ON people.app_id = traffic.app_id
LEFT JOIN (SELECT * FROM apps FINAL) AS registry ON registry.app_id = traffic.app_id
ORDER BY app_id
