#!/bin/sh
# The fault suite with ClickHouse in a container, by testcontainers, on an engine and an image made here: the HTTP front over the embedded engine
# stands in for clickhouse/clickhouse-server, which cannot be pulled everywhere. Against the real one, where an engine answers:
#   CLICKHOUSE_TEST_SERVER=container npx vitest run --project faults
# Arguments go to vitest. Needs root on Debian, and about 2 GB in /var/lib/docker.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
docker info >/dev/null 2>&1 || trap '"$here/engine.sh" stop' EXIT
"$here/engine.sh" start
node_base=$("$here/node-image.sh" | tail -n 1)
# The classic builder: it needs no plugin, and no frontend from a registry.
export DOCKER_BUILDKIT=0
docker build -q --network host --build-arg BASE_IMAGE="$node_base" -t sidestep:local . 2>/dev/null
docker build -q -f "$here/clickhouse-stand-in/Dockerfile" -t sidestep/clickhouse-stand-in rig 2>/dev/null
docker image inspect --format '{{index .RepoTags 0}} {{.Id}}' sidestep/clickhouse-stand-in
# See run-kafka-tests.sh.
export TESTCONTAINERS_RYUK_DISABLED=true TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1
export CLICKHOUSE_TEST_SERVER=container CLICKHOUSE_IMAGE=sidestep/clickhouse-stand-in
export KAFKA_TEST_BROKER="${KAFKA_TEST_BROKER:-jars}" CI=true
npx --no-install vitest run "${@:---project=faults}"
