#!/bin/sh
# What starts of several kinds go through, in the order in which it is reached: the functions of a program, which
# engine/start.order and runner/start.order hold. Of the command also its variables, of which every start writes some:
# the small ones, and the large ones of which it writes an end, so that those ends share pages.
#   tests/bench/reached.sh BUILD COMPONENTS PROGRAM
set -eu
build=$(cd "$1" && pwd) components=$(cd "$2" && pwd) program=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
nm -n "$build/$program" >"$work/symbols"
small() { # variables below 1 KiB that begin as zeroes
    nm -S --size-sort "$build/$program" | awk '$3 ~ /^[bB]$/ && $2 < "0000000000000400" { print $4 }' | sort -u
}
if [ "$program" = carrel ]; then
    echo clone_once.stack # its end
    small
    echo making # its front, as of those that follow a stack
    echo net_stack
    echo command_run.outcome
    echo mount_stack
    echo cell_receive.message
    echo demand_cache_get.read_in
fi
start() { # ARG...: of carrel
    "$build/test/host/reached" "$work/symbols" "$program" "$build/carrel" "$@" </dev/null 2>/dev/null || true
}
"$build/carrel" run "$components/dhello.wasm" >"$work/first" # the next one finds its demand in the cache
{
    start run "$components/dhello.wasm"
    start run --no-cache "$components/dhello.wasm"
    start run "$components/chello.wasm"
    start run "$components/hello_stdout.component.wasm"
    start run --dir "$work" "$components/dfs.wasm"
    start run "$components/dclock.wasm"
    start run "$components/cupper.wasm"
} | awk 'NF == 1 && !seen[$0]++'
