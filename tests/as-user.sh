#!/bin/sh
# Runs a test as an ordinary user, from copies of the programs that such a user can reach.
#   tests/as-user.sh SCRIPT PROGRAM...      what is no file is passed on as it is
# Started by an ordinary user, it runs the script as it is.
set -u
script=$1
shift
[ "$(id -u)" -ne 0 ] && exec "$script" "$@"
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT INT TERM
chmod 755 "$place"
install -m 755 "$script" "$place/script"
for beside in "$(dirname "$script")"/*.sh; do # which it may read
    [ ! -f "$beside" ] || install -m 644 "$beside" "$place/"
done
for program in "$@"; do # or any other argument
    if [ -f "$program" ]; then
        install -m 755 "$program" "$place/"
        program="$place/$(basename "$program")"
    fi
    set -- "$@" "$program"
    shift
done
cd / && setpriv --reuid 65534 --regid 65534 --clear-groups "$place/script" "$@"
