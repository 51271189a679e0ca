#!/bin/sh
# Builds a base image that stands in for node:24-bookworm-slim, from Debian's packages, the Node in node_modules and this machine's npm, and
# prints its name. The certificates of this machine go in too: npm needs them where the registry is reached through a proxy.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
node=$(readlink -f "$here/../../node_modules/.bin/node")
npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
base=sidestep/debian-base:12
image="sidestep/node-base:$("$node" --version | tr -d v)"
if ! docker image inspect "$image" >/dev/null 2>&1; then
  "$here/base-image.sh" "$base" ca-certificates >&2
  context=$(mktemp -d)
  trap 'rm -rf "$context"' EXIT
  cp "$node" "$context/node"
  cp -r "$npm" "$context/npm"
  cp /etc/ssl/certs/ca-certificates.crt "$context/"
  docker build -q -t "$image" -f - "$context" >&2 <<DOCKERFILE
FROM $base
COPY ca-certificates.crt /etc/ssl/certs/
COPY node /usr/local/bin/
COPY npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && useradd --uid 1000 --create-home node
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
DOCKERFILE
fi
echo "$image"
