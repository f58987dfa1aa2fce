#!/bin/sh
# The functions of the engine that starts of several kinds go through, in the order in which they are reached: what
# engine/start.order holds.
#   tests/bench/reached.sh BUILD COMPONENTS
set -eu
build=$(cd "$1" && pwd) components=$(cd "$2" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
nm -n "$build/carrel-engine" >"$work/symbols"
start() { # ARG...: of carrel
    "$build/test/host/reached" "$work/symbols" carrel-engine "$build/carrel" "$@" </dev/null 2>/dev/null || true
}
{
    start run "$components/dhello.wasm"
    start run --no-cache "$components/dhello.wasm"
    start run "$components/chello.wasm"
    start run "$components/hello_stdout.component.wasm"
    start run --dir "$work" "$components/dfs.wasm"
    start run "$components/dclock.wasm"
    start run "$components/cupper.wasm"
} | awk '!seen[$0]++'
