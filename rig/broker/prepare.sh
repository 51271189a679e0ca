#!/bin/sh
# Makes sure that a Kafka broker can be started from its published jars, and prints the folder of the jars as the last line.
# Idempotent, and quick when there is nothing to do. Java 17 and Maven are installed with apt-get where they are missing;
# kcat, with which the tests produce as librdkafka does, too.
# The jars are kept in $SIDESTEP_CACHE, by default ~/.cache/sidestep.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n 's|.*<kafka.version>\(.*\)</kafka.version>.*|\1|p' "$here/pom.xml")
jars="${SIDESTEP_CACHE:-$HOME/.cache/sidestep}/kafka-$version"

missing=''
java_major=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' || true)
[ "${java_major:-0}" -ge 17 ] || missing="$missing openjdk-17-jre-headless"
command -v mvn >/dev/null || [ -e "$jars/.complete" ] || missing="$missing maven"
command -v kcat >/dev/null || missing="$missing kcat"
command -v openssl >/dev/null || missing="$missing openssl"
if [ -n "$missing" ]; then
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing; } >&2
  elif [ "$missing" != ' kcat' ]; then
    echo "a Kafka broker for the tests needs$missing: install them, or set KAFKA_BROKERS, or start a Docker engine" >&2
    exit 1
  fi
fi

if [ ! -e "$jars/.complete" ]; then
  mkdir -p "$(dirname "$jars")"
  fresh=$(mktemp -d "$jars.XXXXXX")
  mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$fresh" -DincludeScope=runtime >&2
  touch "$fresh/.complete"
  # Two runs at once: the first to finish wins, the other's copy goes.
  mv -T "$fresh" "$jars" 2>/dev/null || { [ -e "$jars/.complete" ] && rm -rf "$fresh" || { rm -rf "$jars" && mv -T "$fresh" "$jars"; }; }
fi
echo "$jars"
