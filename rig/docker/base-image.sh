#!/bin/sh
# Builds a Debian base image from the package archive, for machines that reach no image registry:
#   base-image.sh NAME:TAG [PACKAGE...]
# Does nothing when the image is there. Takes the archive that apt uses.
set -eu
name=${1:?usage: base-image.sh NAME:TAG [PACKAGE...]}
shift
if docker image inspect "$name" >/dev/null 2>&1; then exit 0; fi

if ! command -v debootstrap >/dev/null; then
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends debootstrap
fi
. /etc/os-release
mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' | sed -n "s/ $VERSION_CODENAME\$//p" | head -n 1)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
include=$(echo "$*" | tr ' ' ',')
debootstrap --variant=minbase ${include:+--include="$include"} "$VERSION_CODENAME" "$root" "$mirror"
rm -rf "$root/var/cache/apt/archives" "$root/var/lib/apt/lists"
tar -C "$root" -c . | docker import - "$name"
