#!/bin/sh
# Every folder with sources has a README.md.
set -u
git ls-files -co --exclude-standard '*.c' '*.h' '*.def' '*.sh' '*.mjs' | while read -r file; do
    dirname "$file"
done | sort -u | while read -r folder; do
    [ -e "$folder/README.md" ] || echo "$folder: no README.md"
done | { ! grep .; }
