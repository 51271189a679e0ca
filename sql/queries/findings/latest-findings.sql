-- Question: what is the latest revision of every finding?
-- Serves:   the findings list, explanations, and keeping a finding's identity over runs.
-- False positive: none, it only lists.
SELECT uid, revision, status, digest, app_ids, event
FROM
(
    SELECT * FROM findings FINAL
    ORDER BY uid, revision DESC
    LIMIT 1 BY uid
)
ORDER BY status = 'closed', ifNull(gain, 0) * probability DESC, probability DESC, uid
