#!/bin/sh
# The broker tests by testcontainers on an engine and an image made here, from nothing but Debian's and Maven's packages.
# Arguments go to vitest. Ends the engine if it was started here. Needs root on Debian, and about 1 GB in /var/lib/docker.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
"$here/engine.sh" start
trap '"$here/engine.sh" stop' EXIT
image=$("$here/kafka-image.sh" | tail -n 1)
docker version --format 'engine {{.Server.Version}}, client {{.Client.Version}}'
docker image inspect --format '{{index .RepoTags 0}} {{.Id}}' "$image"
# Ryuk cleans up after a run that was killed; its image comes from a registry.
export TESTCONTAINERS_RYUK_DISABLED=true
# Where the machine itself looks like a container, testcontainers would take the bridge's address, on which nothing is published.
export TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1
# No other kind of broker may take the container's place unnoticed.
export KAFKA_TEST_BROKER=container KAFKA_IMAGE="$image" CI=true
npx --no-install vitest run --project kafka "$@"
