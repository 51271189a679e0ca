#!/bin/sh
# Builds a Kafka image as rig/broker/container-broker.ts wants one (java on the path, the jars in /opt/kafka/libs), from the
# published jars on a Debian base, and prints its name. The files are laid out as in apache/kafka, which it stands in for.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
jars=$("$here/../broker/prepare.sh" | tail -n 1)
base=sidestep/java-base:17
image="sidestep/kafka:${jars##*-}"
"$here/base-image.sh" "$base" openjdk-17-jre-headless >&2
docker build -q -t "$image" -f - "$jars" >&2 <<DOCKERFILE
FROM $base
RUN useradd --uid 1000 --create-home appuser
COPY *.jar /opt/kafka/libs/
USER appuser
DOCKERFILE
echo "$image"
