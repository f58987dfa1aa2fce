#!/bin/sh
# Compares the verdict tables with those that were agreed on.
#   tests/policy/verdicts.sh PROGRAM
golden=$(dirname "$0")/verdicts.txt
if "$1" | diff -u "$golden" -; then
    echo "$(grep -c . "$golden") passed, 0 failed"
else
    echo "0 passed, 1 failed"
    exit 1
fi
