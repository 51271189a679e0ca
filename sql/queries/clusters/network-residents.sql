-- Question: for each network with several apps, which apps live there, and how much of its traffic is theirs? On a busy network an
-- app lives with a good part of its traffic, on one of few apps with any that is not a single user's line.
-- Serves:   network classes: a dedicated host, a shared host, a hub, an operator's machine room.
-- False positive: none, it only describes.
SELECT toString(network) AS network, any(network_degree) AS degree, sum(requests) AS total_requests,
       sumIf(requests, lives) AS resident_requests,
       arraySort(groupArrayIf(app_id, lives)) AS residents
FROM
(
    SELECT *, NOT personal AND (network_degree <= {low_degree_max:UInt32} OR share >= {resident_share_min:Float64}) AS lives
    FROM analysis_app_network
    WHERE run_id = {run_id:String} AND network_degree >= 3
)
GROUP BY network
HAVING length(residents) >= 2
ORDER BY resident_requests DESC, network
LIMIT {networks_max:UInt32}
