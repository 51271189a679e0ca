#!/bin/sh
# Writes .env from .env.example with a random password for each ClickHouse user. Never overwrites one.
set -eu
cd "$(dirname "$0")/.."
if [ -e .env ]; then
  echo '.env exists and is kept; remove it first to make new passwords' >&2
  exit 1
fi
umask 077
while IFS= read -r line; do
  case "$line" in
    # Hexadecimal: the password becomes part of a URL.
    *_PASSWORD=) echo "$line$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')" ;;
    *) echo "$line" ;;
  esac
done <.env.example >.env
echo 'wrote .env; next: docker compose up -d --wait'
