-- Question: which apps were active in the window, how much, through how many networks and users, and what does the registry say?
-- Serves:   every signal; the registry signals read the stem and the domains made here.
-- False positive: none, it only describes.
INSERT INTO analysis_app
    (run_id, app_id, requests, throttled, networks, users, top_user, top_user_requests, user_requests, owner_id, name, description, stem,
     domains, created_at)
WITH
    traffic AS
    (
        SELECT toString(app_id) AS app_id, sum(requests) AS requests, sum(throttled) AS throttled, uniqExact(network) AS networks
        FROM app_network_route_hourly FINAL
        WHERE hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')}
        GROUP BY app_id
    ),
    people AS
    (
        SELECT app_id, count() AS users, argMax(user_id, n) AS top_user, max(n) AS top_user_requests, sum(n) AS user_requests
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
    {run_id:String},
    traffic.app_id,
    traffic.requests,
    traffic.throttled,
    traffic.networks,
    people.users,
    people.top_user,
    people.top_user_requests,
    people.user_requests,
    registry.owner_id,
    registry.name,
    registry.description,
    -- Words of environments and empty words ("app", "test"), digits and punctuation say nothing of whose app it is.
    trimBoth(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(lowerUTF8(registry.name), '[^\\pL]+', ' '), {empty_words:String}, ' '), ' +', ' ')) AS stem,
    -- The registrable domain; customers' hosts on a hosting platform stay apart; placeholders are dropped.
    arraySort(arrayDistinct(arrayMap(
        host -> if(match(host, {hosting_suffixes:String}), host, cutToFirstSignificantSubdomain(concat('http://', host))),
        arrayFilter(
            host -> host != '' AND NOT match(host, {empty_domains:String}),
            arrayMap(url -> lower(domainWithoutWWW(url)), arrayConcat(registry.callback_urls, [registry.website])))))),
    registry.created_at
FROM traffic
LEFT JOIN people ON people.app_id = traffic.app_id
LEFT JOIN (SELECT * FROM apps FINAL) AS registry ON registry.app_id = traffic.app_id
