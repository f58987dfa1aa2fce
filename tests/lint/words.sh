#!/bin/sh
# Words that may not be where they are. Prints each; exit code 1 if there is one.
set -u
found=$(mktemp)
trap 'rm -f "$found"' EXIT

# here FILES... : those of them that are sources of the project
sources() { git ls-files -co --exclude-standard -- "$@"; }
# stray WHY PATTERN FILES...
stray() {
    why=$1 pattern=$2
    shift 2
    [ $# -eq 0 ] && return
    grep -nE "$pattern" "$@" /dev/null | sed "s|\$|    <-- $why|" >>"$found"
}

# Left out by name: the filter that refuses PROT_EXEC, the few blocks that libnghttp2 takes from libc, and what runs while
# carrel is built.
# shellcheck disable=SC2046
{
    stray 'unfinished work' '\b(TODO|FIXME|XXX|HACK)\b' \
        $(sources '*.c' '*.h' '*.def' '*.sh' '*.mjs' Makefile | grep -v '^tests/lint/')
    stray 'nothing becomes executable' '\bPROT_EXEC\b' \
        $(sources 'engine/*.[ch]' 'shim/*.[ch]' 'runner/*.[ch]' 'policies/*.[ch]' | grep -vx shim/keeper/walls.c)
    stray 'the engine allocates from its arena' '\b(malloc|calloc|realloc|strdup|free)\(' \
        $(sources 'engine/*.[ch]' | grep -Ev '^engine/tls/|^engine/cell/glibc.c$')
    stray 'the engine makes no such call' '\b(fopen|fprintf|printf|puts|open|socket|fork|execve|system|getenv)\(' \
        $(sources 'engine/base/*.[ch]' 'engine/wasm/*.[ch]' 'engine/exec/*.[ch]' 'engine/component/*.[ch]' \
            'engine/http/*.[ch]' | grep -v '^engine/wasm/places/')
    stray "names of WASI are in the tables only" '^[^/*]*"wasi:[a-z]' \
        $(sources 'engine/*.[ch]' 'shim/*.[ch]' 'runner/*.[ch]' 'policies/*.[ch]')
}
cat "$found"
! [ -s "$found" ]
