#!/bin/sh
# No file of more than 1,000 lines; tables (.def) may be longer.
set -u
git ls-files -co --exclude-standard '*.c' '*.h' '*.sh' '*.mjs' Makefile | while read -r file; do
    lines=$(wc -l <"$file")
    [ "$lines" -gt 1000 ] && echo "$file: $lines lines: split it"
done | { ! grep .; }
