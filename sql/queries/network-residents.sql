-- Question: for each network with several apps, which apps have a good part of their traffic there, and how much of its traffic is theirs?
-- Serves:   network classes: a dedicated host, a shared host, a hub, an operator's machine room.
-- False positive: none, it only describes.
SELECT toString(network) AS network, any(network_degree) AS degree, sum(requests) AS total_requests,
       sumIf(requests, share >= {resident_share_min:Float64}) AS resident_requests,
       arraySort(groupArrayIf(app_id, share >= {resident_share_min:Float64})) AS residents
FROM analysis_app_network
WHERE run_id = {run_id:String} AND network_degree >= 3
GROUP BY network
HAVING length(residents) >= 2
ORDER BY resident_requests DESC, network
LIMIT {networks_max:UInt32}
