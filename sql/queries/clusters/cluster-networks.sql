-- Question: on which networks do the apps of a cluster run, and what kind of networks are they?
-- Serves:   explanation of a finding; the test for apps that live on networks of their own.
-- False positive: none, it only describes.
SELECT n.cluster AS cluster, toString(n.network) AS network, any(n.network_degree) AS degree, uniqExact(n.app_id) AS cluster_apps,
       if(any(c.class) != '', toString(any(c.class)), if(degree <= {low_degree_max:UInt32}, 'dedicated', 'hub')) AS class,
       sum(n.requests) AS requests
FROM
(
    SELECT *, transform(app_id, {apps:Array(String)}, {clusters:Array(UInt32)}, toUInt32(0)) AS cluster
    FROM analysis_app_network
    WHERE run_id = {run_id:String} AND app_id IN {apps:Array(String)}
) AS n
LEFT JOIN (SELECT network, class FROM analysis_network WHERE run_id = {run_id:String}) AS c ON c.network = n.network
GROUP BY n.cluster, n.network
HAVING cluster_apps >= 2
ORDER BY cluster, cluster_apps DESC, requests DESC, network
LIMIT 10 BY cluster
