# What the scripts here share; they read it with `.` once `carrel` is set. It makes a folder to work in
# and goes there; `finish` is the last command of a script.
# shellcheck shell=sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
cd "$work" || exit 1
passed=0 failed=0

# expect NAME CODE STDOUT STDERR COMMAND...: both outputs as grep -E patterns over all lines joined
# with `|`; empty: nothing at all.
expect() {
    name=$1 code=$2 out=$3 err=$4
    shift 4
    "$@" >stdout 2>stderr </dev/null
    got=$?
    seen_out=$(tr '\n' '|' <stdout) seen_err=$(tr '\n' '|' <stderr)
    if [ $got -eq "$code" ] && match "$out" "$seen_out" && match "$err" "$seen_err"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s: exit %s (expected %s)\n  stdout %s (expected %s)\n  stderr %s (expected %s)\n' \
            "$name" "$got" "$code" "$seen_out" "$out" "$seen_err" "$err"
    fi
}
match() {
    if [ -z "$1" ]; then [ -z "$2" ]; else printf '%s' "$2" | grep -Eq -- "$1"; fi
}
# module NAME: from the text format on standard input
module() { wat2wasm --enable-all -o "$1" - || exit 1; }
finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}
