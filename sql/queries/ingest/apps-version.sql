-- Question: which version has the newest row of the app registry? 0 when there is none.
-- Serves:   the registry topic, whose next rows must win over all that were stored before, whichever clock gave them their version.
-- False positive: none. Text, because a version may be beyond what a double holds.
SELECT toString(max(version)) AS version FROM apps
