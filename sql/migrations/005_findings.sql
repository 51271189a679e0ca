-- One row for each revision of a finding. The event is kept whole, and what analysts filter by as columns beside it.
CREATE TABLE IF NOT EXISTS findings
(
    uid         String                 COMMENT 'Stable while the cluster lives',
    revision    UInt32                 COMMENT 'From 1; grows when the finding changes',
    status      LowCardinality(String) COMMENT 'opened, updated or closed',
    policies    Array(LowCardinality(String)) COMMENT 'Policy codes, strongest first',
    app_ids     Array(String)          COMMENT 'Members, sorted',
    owner_ids   Array(String)          COMMENT 'Their accounts, sorted. Personal data',
    probability Float64                COMMENT 'That the members are one use case, 0..1',
    gain        Nullable(Float64)      COMMENT 'Peak use of the cluster / what one app may use',
    window_from DateTime('UTC')        COMMENT 'Start of the window analysed',
    window_to   DateTime('UTC')        COMMENT 'End of the window analysed, exclusive',
    digest      String                 COMMENT 'SHA-256 over what makes a revision: same digest, same revision',
    event       String                 COMMENT 'The CloudEvent as JSON' CODEC(ZSTD(3)),
    created_at  DateTime64(3, 'UTC')   COMMENT 'When the revision was made'
)
ENGINE = ReplacingMergeTree(created_at)
ORDER BY (uid, revision)
COMMENT 'Findings by revision; read with FINAL';

-- The evidence of each revision, one row a signal, so that SQL can ask which signals carry findings.
CREATE TABLE IF NOT EXISTS finding_evidence
(
    uid       String                 COMMENT 'Finding',
    revision  UInt32                 COMMENT 'Revision of the finding',
    family    LowCardinality(String) COMMENT 'network, users, behaviour, timing or registry',
    signal    LowCardinality(String) COMMENT 'Signal: services/analyzer/signals',
    observed  Float64                COMMENT 'Measured effect, in `unit`',
    expected  Nullable(Float64)      COMMENT 'What the null gives, in `unit`',
    unit      LowCardinality(String) COMMENT 'Unit of observed and expected',
    p         Nullable(Float64)      COMMENT 'Probability of at least this effect under the null',
    bits      Float64                COMMENT 'log2(m/u)',
    statement String                 COMMENT 'In words'
)
ENGINE = ReplacingMergeTree
ORDER BY (uid, revision, signal)
COMMENT 'Evidence of findings, one row a signal; read with FINAL';

CREATE TABLE IF NOT EXISTS finding_apps
(
    uid         String  COMMENT 'Finding',
    revision    UInt32  COMMENT 'Revision of the finding',
    app_id      String  COMMENT 'Member',
    owner_id    String  COMMENT 'Its account. Personal data',
    probability Float64 COMMENT 'That this app belongs, 0..1',
    requests    UInt64  COMMENT 'Requests in the window',
    throttled   UInt64  COMMENT 'Requests answered 429 in the window'
)
ENGINE = ReplacingMergeTree
ORDER BY (uid, revision, app_id)
COMMENT 'Members of findings; read with FINAL';
