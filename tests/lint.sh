#!/bin/sh
# The rules of the house; `make lint` runs it. BUILD comes from the Makefile. The last line
# is `N passed, N failed`.
set -u
here=$(dirname "$0")
passed=0 failed=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# check NAME COMMAND...
check() {
    name=$1
    shift
    if "$@" >"$out" 2>&1; then
        passed=$((passed + 1))
        printf '  ok    %s\n' "$name"
    else
        failed=$((failed + 1))
        printf '  FAIL  %s\n' "$name"
        sed 's/^/        /' "$out" | head -n "${LINES_SHOWN:-60}"
    fi
}

format() {
    git ls-files -co --exclude-standard '*.c' '*.h' | xargs -r clang-format-19 --dry-run -Werror
}

# What all sources have to say, not only the first (-k), and nothing else.
tidy() { "${MAKE:-make}" --no-print-directory -k B="$BUILD" say= tidy; }

check 'format (clang-format-19)' format
check 'dependency rule' "$here/lint/includes.sh"
check 'words' "$here/lint/words.sh"
check 'sizes' "$here/lint/sizes.sh"
check 'readmes' "$here/lint/readmes.sh"
check 'what readmes name' node "$here/lint/readmes.mjs"
check 'segments' "$here/lint/segments.sh" "$BUILD/carrel" "$BUILD/carrel-engine" "$BUILD/carrel-tls" "$BUILD/carrel-keyvalue"
check 'what is asked of musl' "$here/lint/libc.sh" "$BUILD/carrel.map" runner/libc/asked.txt
check 'handlers jump' "$here/lint/jumps.sh" "$BUILD/carrel-engine"
[ -n "${QUICK:-}" ] || check 'clang-tidy-19' tidy

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
