-- What one analysis run works on, kept until the next run, a week at most, so that the evidence of the latest findings can be
-- reproduced by SQL. A run is a partition.
CREATE TABLE IF NOT EXISTS analysis_app
(
    run_id        String           COMMENT 'Analysis run',
    app_id        String           COMMENT 'Registered application',
    requests      UInt64           COMMENT 'Requests in the window',
    throttled     UInt64           COMMENT 'Requests answered 429 in the window',
    networks      UInt32           COMMENT 'Distinct network keys',
    users         UInt32           COMMENT 'Distinct end users',
    top_user      String           COMMENT 'End user with most requests; empty = app-only. Personal data',
    top_user_requests UInt64       COMMENT 'Requests of that user',
    user_requests UInt64           COMMENT 'Requests with an end user',
    owner_id      String           COMMENT 'Empty = not in the registry. Personal data',
    name          String           COMMENT 'Name as registered',
    description   String           COMMENT 'Description as registered',
    stem          String           COMMENT 'Name in lower case without words that name nobody, digits and punctuation',
    domains       Array(String)    COMMENT 'Registrable domains of callbacks and website, placeholders dropped',
    created_at    DateTime64(3, 'UTC') COMMENT 'When it was registered',
    created       DateTime('UTC')  DEFAULT now() COMMENT 'When the run wrote this'
)
ENGINE = MergeTree
PARTITION BY run_id
ORDER BY app_id
TTL created + INTERVAL 7 DAY
COMMENT 'One row an app that was active in the window';

CREATE TABLE IF NOT EXISTS analysis_app_network
(
    run_id         String          COMMENT 'Analysis run',
    network        IPv6            COMMENT 'Network key. Personal data',
    app_id         String          COMMENT 'Registered application',
    requests       UInt64          COMMENT 'Requests of the app from here',
    share          Float32         COMMENT 'Of the app''s requests, 0..1',
    network_degree UInt32          COMMENT 'Apps seen on this network',
    personal       UInt8           COMMENT '1 = the line of one or a few of the app''s many users, not a place the app runs',
    created        DateTime('UTC') DEFAULT now() COMMENT 'When the run wrote this'
)
ENGINE = MergeTree
PARTITION BY run_id
ORDER BY (network_degree, network, app_id)
TTL created + INTERVAL 7 DAY
COMMENT 'App x network over the window, with degrees';

CREATE TABLE IF NOT EXISTS analysis_network
(
    run_id   String                 COMMENT 'Analysis run',
    network  IPv6                   COMMENT 'Network key. Personal data',
    degree   UInt32                 COMMENT 'Apps seen on this network',
    class    LowCardinality(String) COMMENT 'dedicated, shared, hub or operator: services/analyzer/evidence/network-classes.ts',
    weight   Float32                COMMENT 'Evidence weight of sharing it, 0 for a hub',
    created  DateTime('UTC')        DEFAULT now() COMMENT 'When the run wrote this'
)
ENGINE = MergeTree
PARTITION BY run_id
ORDER BY network
TTL created + INTERVAL 7 DAY
COMMENT 'Networks whose class is not the default of their degree';

CREATE TABLE IF NOT EXISTS analysis_app_user
(
    run_id      String          COMMENT 'Analysis run',
    user_id     String          COMMENT 'End user. Personal data',
    app_id      String          COMMENT 'Registered application',
    requests    UInt64          COMMENT 'Requests of the app for this user',
    share       Float32         COMMENT 'Of the app''s requests with a user, 0..1',
    user_degree UInt32          COMMENT 'Apps that this user is seen in',
    created     DateTime('UTC') DEFAULT now() COMMENT 'When the run wrote this'
)
ENGINE = MergeTree
PARTITION BY run_id
ORDER BY (user_degree, user_id, app_id)
TTL created + INTERVAL 7 DAY
COMMENT 'App x end user over the window, with degrees';

CREATE TABLE IF NOT EXISTS analysis_app_route
(
    run_id  String                 COMMENT 'Analysis run',
    app_id  String                 COMMENT 'Registered application',
    route   LowCardinality(String) COMMENT 'Route template',
    mass    Float64                COMMENT 'Share of the app''s requests, weighted by inverse document frequency, sums to 1 an app',
    created DateTime('UTC')        DEFAULT now() COMMENT 'When the run wrote this'
)
ENGINE = MergeTree
PARTITION BY run_id
ORDER BY (app_id, route)
TTL created + INTERVAL 7 DAY
COMMENT 'Route mix of each app';

CREATE TABLE IF NOT EXISTS analysis_app_user_agent
(
    run_id     String                 COMMENT 'Analysis run',
    app_id     String                 COMMENT 'Registered application',
    user_agent LowCardinality(String) COMMENT 'User-Agent',
    share      Float64                COMMENT 'Of the app''s requests, 0..1',
    apps       UInt32                 COMMENT 'Apps seen with this user agent',
    bits       Float64                COMMENT '-log2 of the share of apps that use it; 0 for defaults of SDKs and browsers',
    created    DateTime('UTC')        DEFAULT now() COMMENT 'When the run wrote this'
)
ENGINE = MergeTree
PARTITION BY run_id
ORDER BY (app_id, user_agent)
TTL created + INTERVAL 7 DAY
COMMENT 'User agents of each app';

CREATE TABLE IF NOT EXISTS analysis_pair
(
    run_id  String                 COMMENT 'Analysis run',
    app_a   String                 COMMENT 'The lesser app id of the pair',
    app_b   String                 COMMENT 'The greater app id of the pair',
    rule    LowCardinality(String) COMMENT 'Blocking rule that proposed it, or control for a random activity-matched pair',
    created DateTime('UTC')        DEFAULT now() COMMENT 'When the run wrote this'
)
ENGINE = MergeTree
PARTITION BY run_id
ORDER BY (app_a, app_b, rule)
TTL created + INTERVAL 7 DAY
COMMENT 'Pairs that are scored, by rule';
