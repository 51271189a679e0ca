#!/bin/sh
# Runs docker-compose.yml for real on a Debian machine that reaches no image registry: engine, Compose, and images from Debian's, npm's, Maven's and
# Go's packages; then `up`, the demo, and a look at what it printed. Takes its containers and volumes down again, and the engine if it started it.
#
# What stays unproven here are the two images that cannot be pulled, and with them deploy/clickhouse/*.d and the limits on open files: a broker
# from the published jars stands in for apache/kafka, and the HTTP front over the embedded engine for clickhouse/clickhouse-server.
# Needs root, Go 1.22 or later for the first build of Compose (ten minutes), and about 3 GB in /var/lib/docker.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
compose_version=v2.32.4
project=sidestep-check
plugin="${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins/docker-compose"

say() { printf '\n== %s\n' "$*"; }
fail() {
  echo "compose-up: $*" >&2
  exit 1
}

install_compose() {
  if docker compose version >/dev/null 2>&1; then return; fi
  command -v go >/dev/null || fail "Compose v2 is missing and there is no Go to build it: install Go 1.22 or later, or put docker-compose into $(dirname "$plugin")"
  say "building Compose $compose_version"
  mkdir -p "$(dirname "$plugin")"
  bin=$(mktemp -d)
  CGO_ENABLED=0 GOBIN="$bin" nice go install -ldflags "-s -w -X github.com/docker/compose/v2/internal.Version=$compose_version" \
    "github.com/docker/compose/v2/cmd@$compose_version"
  mv "$bin/cmd" "$plugin"
  rmdir "$bin"
}

started_engine=''
environment=$(mktemp)
output=$(mktemp)
clean_up() {
  status=$?
  if [ "$status" != 0 ]; then
    docker compose ps --all || true
    docker compose logs --tail 30 || true
  fi
  docker compose --profile demo --profile tools down --volumes --remove-orphans >/dev/null 2>&1 || true
  rm -f "$environment" "$output"
  [ -z "$started_engine" ] || "$here/engine.sh" stop
  exit "$status"
}

docker info >/dev/null 2>&1 || started_engine=yes
trap clean_up EXIT
trap 'exit 130' INT TERM
"$here/engine.sh" start
install_compose

say 'images'
node_base=$("$here/node-image.sh" | tail -n 1)
kafka=$("$here/kafka-image.sh" | tail -n 1)
# The classic builder: it needs no plugin, and no frontend from a registry.
export DOCKER_BUILDKIT=0
docker build -q --build-arg KAFKA_IMAGE="$kafka" -t sidestep/kafka-stand-in "$here/kafka-stand-in" 2>/dev/null
docker build -q --network host --build-arg BASE_IMAGE="$node_base" -t sidestep:local . 2>/dev/null

say 'docker compose config'
sed 's/^\(.*_PASSWORD\)=$/\1=check/; s/^KAFKA_PORT=.*/KAFKA_PORT=29092/; s/^\([A-Z]*_PORT\)=\(8[0-9]*\)$/\1=1\2/' .env.example |
  sed 's/^ANALYZE_EVERY_SECONDS=.*/ANALYZE_EVERY_SECONDS=15/' >"$environment"
export COMPOSE_PROJECT_NAME="$project" COMPOSE_ENV_FILES="$environment" COMPOSE_FILE=docker-compose.yml
# First as it is shipped, then with the stand-ins.
docker compose --profile demo --profile tools config --quiet
echo 'docker-compose.yml is valid; its services and images:'
docker compose --profile demo --profile tools config --format json |
  node_modules/.bin/node --eval 'const { services } = JSON.parse(require("fs").readFileSync(0)); for (const [name, { image, read_only, cap_drop, mem_limit }] of Object.entries(services)) console.log(name.padEnd(12), image, read_only ? "read-only" : "", `cap_drop ${cap_drop}`, `memory ${mem_limit / 2 ** 20} MB`)'
# A service without a password must not come up.
if COMPOSE_ENV_FILES=.env.example docker compose config --quiet 2>/dev/null; then fail 'docker compose config accepts empty passwords'; fi
export COMPOSE_FILE="docker-compose.yml:rig/docker/compose-override.yml"
docker compose config --quiet

say 'docker compose up --detach --wait'
docker compose up --detach --wait
docker compose ps --all

say 'docker compose run --rm demo'
docker compose run --rm demo | tee "$output"
grep -Eq '^[1-9][0-9]* findings' "$output" || fail 'the demo printed no findings'

say 'a restart of everything keeps what is stored'
docker compose restart kafka clickhouse ingest analyzer
docker compose up --detach --wait
docker compose run --rm sidestep findings | tail -n 1
say 'done'
