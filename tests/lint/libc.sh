#!/bin/sh
# What is compiled for glibc and linked with musl asks musl for nothing but what asked.txt has, where
# somebody has looked at each name: the linker's map (--cref) says what it asks for.
#   tests/lint/libc.sh MAP ASKED
set -u
map=$1 asked=$2
seen=$(mktemp)
trap 'rm -f "$seen"' EXIT
# A line has a name and the file that defines it; those below have the files that use it.
awk '
    /^Cross Reference Table/ { on = 1; next }
    !on || !NF { next }
    /^[^ ]/ { name = $1; if (NF == 1) { wrapped = 1; next } }
    /^[^ ]/ || wrapped { ours = $NF ~ /-linux-musl\/libc\.a\(/; wrapped = 0; next }
    ours && $1 !~ /-linux-musl\/|\/obj\/cell\// { print name }' "$map" | sort -u >"$seen"
[ "$(wc -l <"$seen")" -ge 100 ] || { echo "$map: hardly a name: is it of another linker?"; exit 1; }
sed 's/#.*//' "$asked" | tr -s ' \t' '\n' | grep -vxFf - "$seen" |
    sed "s|\$| is asked of musl by what was compiled for glibc: compare both, and write it into $asked|" |
    { ! grep .; }
