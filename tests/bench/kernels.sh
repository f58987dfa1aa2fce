#!/bin/sh
# Runs modules that judge their own result (_start traps if it is wrong) with the engine alone: as they are,
# and with code that can be interrupted and counts. For builds with sanitizers, under which the handlers
# of runs (fuse.def) run here as programs have them run.
#   tests/bench/kernels.sh ALONE MODULE...
set -u
alone=$1
shift
passed=0 failed=0
for file in "$@"; do
    for flags in '' '--polled --fuelled'; do
        # shellcheck disable=SC2086 # words
        if "$alone" $flags "$file"; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            echo "FAIL $file $flags"
        fi
    done
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
