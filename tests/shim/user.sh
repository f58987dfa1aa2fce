#!/bin/sh
# Runs the live tests as an ordinary user, from copies that such a user can reach.
#   tests/shim/user.sh BUILD
set -u
place=$(mktemp -d /tmp/tests-XXXXXX) || exit 1
trap 'rm -rf "$place"' EXIT INT TERM
chmod 755 "$place"
mkdir "$place/host" "$place/cell"
install -m 755 "$1"/test/host/live_* "$1/test/host/escape" "$place/host"
install -m 755 "$1/test/cell/engine" "$1/test/cell/ended" "$1/test/cell/attacker" "$place/cell"
install -m 755 "$(dirname "$0")/../run.sh" "$place"
cd /
if [ "$(id -u)" -eq 0 ]; then
    setpriv --reuid 65534 --regid 65534 --clear-groups "$place/run.sh" "$place"/host/*
else
    "$place/run.sh" "$place"/host/*
fi
