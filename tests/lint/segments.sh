#!/bin/sh
# No page of a program is writable and executable, and no stack is executable.
#   tests/lint/segments.sh PROGRAM...
set -u
for program in "$@"; do
    [ -f "$program" ] || { echo "$program: not built"; continue; }
    readelf -lW "$program" | awk -v program="$program" '
        $1 == "LOAD" && $0 ~ / RWE / { print program ": a segment is writable and executable" }
        $1 == "GNU_STACK" { seen = 1; if ($0 ~ / RWE /) print program ": its stack is executable" }
        END { if (!seen) print program ": its stack is not marked" }'
done | { ! grep .; }
