#!/bin/sh
# The units of packaging/systemd: what systemd says of them, how locked down they are, and that carrel
# serves on a socket that it is handed.
#   tests/packaging/systemd.sh CARREL SHARE [COMPONENT]
# The last line is `N passed, N failed, N skipped`.
set -u
carrel=$(realpath "$1") share=$(realpath "$2") component=${3:-}
units=$(dirname "$(realpath "$0")")/../../packaging/systemd
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT INT TERM
command -v systemd-analyze >/dev/null || { echo '0 passed, 0 failed, 1 skipped'; exit 0; }
skipped=0
. "$(dirname "$0")/../check.sh"

silent() { [ -z "$("$@" 2>&1)" ] || { "$@"; false; }; }

# --- What systemd says -------------------------------------------------------------------------------------
# As installed: the program is where it would be, and the pages are looked for here.
for unit in "$units"/*; do
    sed "s|^ExecStart=/usr/bin/carrel|ExecStart=$carrel|; /^Documentation=/d" "$unit" >"$work/$(basename "$unit")"
done
for page in $(sed -n 's/^Documentation=//p' "$units"/* | tr ' ' '\n' | sed -n 's/^man:\(.*\)(\([1-8]\))$/man\2\/\1.\2/p'); do
    check "there is a page $page" test -s "$share/man/$page"
done
check 'the service is in order' silent systemd-analyze verify "$work/carrel-serve@.service"
check 'the socket is in order' silent systemd-analyze verify "$work/carrel-serve@.socket"
# In tenths; systemd's own words: below 5.0 is OK, and PrivateNetwork= alone, which a server cannot have, is 0.5.
check 'its exposure is 3.0 at most' systemd-analyze security --offline=true --threshold=30 "$work/carrel-serve@.service"

# --- A socket that is handed over ------------------------------------------------------------------------
# The command is the unit's own, with the places that the instance `greeter` would have moved to here.
if [ -n "$component" ] && [ -e "$component" ] && command -v systemd-socket-activate >/dev/null; then
    cp "$component" "$work/greeter.wasm"
    printf 'version: 1\nlimits: {memory: 64M, timeout: 10s}\n' >"$work/greeter.yaml"
    command=$(sed -n 's/^ExecStart=//p' "$work/carrel-serve@.service" | sed "s|/etc/carrel/%i|$work/greeter|; s|/var/lib/carrel/%i|$work/greeter|")
    check 'the command is all replaced' sh -c 'case "$1" in *%*) false ;; esac' sh "$command"
    port=$((20000 + $$ % 10000))
    # shellcheck disable=SC2086
    systemd-socket-activate -l "127.0.0.1:$port" $command >"$work/log" 2>&1 &
    server=$!
    check 'the first client starts it, and is answered' curl -sSf --retry 20 --retry-connrefused --retry-delay 1 -o "$work/answer" "http://127.0.0.1:$port/"
    check 'so is the next' curl -sSf -o "$work/answer" "http://127.0.0.1:$port/"
    check 'what it said' grep -q 'serves on' "$work/log"
else
    skipped=$((skipped + 4))
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
