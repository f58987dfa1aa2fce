#!/bin/sh
# Runs a test as an ordinary user, from copies of the programs that such a user can reach.
#   tests/as-user.sh SCRIPT PROGRAM...
# Started by an ordinary user, it runs the script as it is.
set -u
script=$1
shift
[ "$(id -u)" -ne 0 ] && exec "$script" "$@"
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT INT TERM
chmod 755 "$place"
install -m 755 "$script" "$place/script"
install -m 644 "$(dirname "$script")"/*.sh "$place/" # which it may read
for program in "$@"; do
    install -m 755 "$program" "$place/"
    set -- "$@" "$place/$(basename "$program")"
    shift
done
cd / && setpriv --reuid 65534 --regid 65534 --clear-groups "$place/script" "$@"
