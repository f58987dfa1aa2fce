# What scripts share that count checks; they read it with `.` once `work` is set, a folder.
# shellcheck shell=sh
passed=0 failed=0

# check NAME COMMAND...: what it says is shown if it fails
check() {
    name=$1
    shift
    if "$@" >"$work/check" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s\n' "$name"
        cat "$work/check"
    fi
}
