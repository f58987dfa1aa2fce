#!/bin/sh
# What `make run` shows: a real component in a cell, and its audit.
#   tests/show.sh CARREL
set -eu
carrel=$1
component=tests/data/greet.wasm

show() {
    echo
    echo "\$ $*"
    "$@"
}

echo "A component that greets (its text is tests/data/greet.wat), in a cell of its own:"
show "$carrel" run "$component" Ann Bob <Makefile
show "$carrel" audit "$component"
