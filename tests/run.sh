#!/bin/sh
# Runs test programs and sums up. Used by `make test` and `make unit`.
#
#   tests/run.sh PROGRAM...        runs each program, one test program a word
#   tests/run.sh --suites FILE [NAME...]   runs the rows of FILE, or those named: name, seconds allowed,
#                                  a file that it needs (or -), command
#
# A program says what happened by its last line `N passed, N failed[, N skipped]` (and perhaps more
# after that), or it is a cmocka program. One that says nothing, is killed by its time limit or ends
# with a code other than 0 counts as a failure. Output is shown of what failed only, unless VERBOSE is
# set. What failed is told once more before the totals: of a long log the end is what is read and kept.
# The last line is `N passed, N failed`, the exit code 0 if nothing failed.
set -u
export BUILD="${BUILD:-build}" SHARED="${SHARED:-../shared}"
# Real components, or those that the build makes.
export COMPONENTS="$SHARED/components"
[ -d "$COMPONENTS" ] || COMPONENTS="$BUILD/test/components"

passed=0 failed=0 skipped=0
log=$(mktemp) && again=$(mktemp) || exit 1
trap 'rm -f "$log" "$again"' EXIT INT TERM

# Reads $log: sets p, f and s, or fails if the program said nothing.
read_totals() {
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
    if [ -n "$line" ]; then
        p=$(echo "$line" | sed 's/ passed.*//')
        f=$(echo "$line" | sed 's/.*passed, //; s/ failed.*//')
        s=$(echo "$line" | sed -n 's/.*failed, \([0-9]*\) skipped.*/\1/p')
        return 0
    fi
    p=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test(s)\..*/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
    f=$(sed -n 's/^\[  FAILED  \] [^ ]*: \([0-9]*\) test(s), listed below.*/\1/p;
                s/^\[  FAILED  \] \([0-9]*\) test(s), listed below.*/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
    s=$(sed -n 's/^\[  SKIPPED \] [^ ]*: \([0-9]*\) test(s), listed below.*/\1/p;
                s/^\[  SKIPPED \] \([0-9]*\) test(s), listed below.*/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
    grep -q '^\[==========\]' "$log"
}

# Keeps of $log what says why NAME failed: the lines that name a failure and some after each, or else
# the last ones.
keep() {
    echo "failed: $1"
    { grep -A 4 -E 'FAIL|ERROR|: error:|runtime error' "$log" || tail -n 12 "$log"; } |
        grep -vE '^([ |]*--|.* 0 failed .* s)$' | head -n "${LINES_KEPT:-14}" | cut -c 1-300 | sed 's/^/    | /'
}

# run NAME SECONDS COMMAND...
run() {
    name=$1 limit=$2
    shift 2
    begin=$(date +%s)
    timeout --kill-after=5 "$limit" "$@" >"$log" 2>&1 </dev/null
    code=$?
    took=$(($(date +%s) - begin))
    p=0 f=0 s=0
    if ! read_totals; then
        f=1
        [ $code -eq 0 ] && echo "(no closing line 'N passed, N failed')" >>"$log"
    elif [ $code -ne 0 ] && [ "$f" -eq 0 ]; then
        f=1
        echo "(exit code $code)" >>"$log"
    fi
    [ $code -eq 124 ] && echo "(time limit of $limit s)" >>"$log"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + ${s:-0}))
    printf '%-34s %6d passed %4d failed %5d skipped %5d s\n' "$name" "$p" "$f" "${s:-0}" "$took"
    if [ "$f" -ne 0 ] || [ -n "${VERBOSE:-}" ]; then
        sed 's/^/    | /' "$log" | tail -n "${LINES_SHOWN:-60}"
    fi
    [ "$f" -eq 0 ] || keep "$name" >>"$again"
}

if [ "${1:-}" = --suites ]; then
    rows=$2
    shift 2
    wanted=" $* "
    while read -r name limit needs command; do
        case $name in '' | '#'*) continue ;; esac
        [ "$wanted" = '  ' ] || case $wanted in *" $name "*) ;; *) continue ;; esac
        needs=$(eval "echo $needs")
        if [ "$needs" != - ] && [ ! -e "$needs" ]; then
            echo "$name: left out: there is no $needs"
            skipped=$((skipped + 1))
            continue
        fi
        run "$name" "$limit" sh -c "$command"
    done <"$rows"
else
    for program in "$@"; do
        run "$(basename "$program")" "${LIMIT:-120}" "$program"
    done
fi

cat "$again"
[ "$skipped" -gt 0 ] && echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
