#!/bin/sh
# Creates the topics that sidestep reads; those that exist are left as they are. Runs in the Kafka image.
# KAFKA_BOOTSTRAP is a host:port; REQUEST_PARTITIONS the number of partitions, which bounds how many ingest processes share the work.
set -eu
create() {
  /opt/kafka/bin/kafka-topics.sh --bootstrap-server "$KAFKA_BOOTSTRAP" --create --if-not-exists --replication-factor 1 "$@"
}
# A week: as long as ClickHouse may be away before records are lost.
create --topic api.requests.v1 --partitions "${REQUEST_PARTITIONS:-6}" --config retention.ms=604800000
# Keyed by app_id; the newest record of each app is kept for ever, a tombstone removes it.
create --topic api.apps.v1 --partitions 1 --config cleanup.policy=compact
