#!/bin/sh
# `carrel doctor`: what it says is what launching a cell shows, also where namespaces cannot be had.
#   tests/runner/doctor.sh CARREL
# The last line is `N passed, N failed`.
set -u
carrel=$(realpath "$1")
work=$(mktemp -d)
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT INT TERM
echo '(module (func (export "_start")))' >"$work/nothing.wat"
wat2wasm "$work/nothing.wat" -o "$work/nothing.wasm"
. "$(dirname "$0")/../check.sh"

# doctor COMMAND...: runs it, keeps what it says as JSON and its exit code
doctor() {
    "$@" "$carrel" doctor --json >"$work/json" 2>"$work/err" </dev/null
    echo $? >"$work/code"
}
code() { [ "$(cat "$work/code")" -eq "$1" ]; }
says() { jq -e "$1" "$work/json"; }
lacks() { case $2 in *"$1"*) false ;; esac }
here() { "$@"; }

# --- A machine on which everything that is required stands ----------------------------------------------
doctor here
check 'its exit code' code 0
check 'all that is required stands' says '.complete and all(.walls[]; .required and .state == "missing" | not)'
check 'a row for every wall' says '(.walls | length) == ([.walls[].wall] | unique | length) and (.walls | length) > 20'
check 'a reason and a mend for what is missing' says 'all(.walls[] | select(.state == "missing"); .why and .mend)'
check 'nothing is said on standard error' test ! -s "$work/err"
"$carrel" doctor >"$work/text"
check 'the text has every wall' sh -c "jq -r '.walls[].wall' '$work/json' | while read -r wall; do grep -q \"^  \$wall \" '$work/text' || exit 1; done"

# --- No user namespace may be made: in one of the test's own, where that is said ---------------------------
no_namespaces() { unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"' sh "$@"; }
doctor no_namespaces
check 'its exit code without namespaces' code 125
check 'what is missing is named' says '.complete == false and (.walls[] | select(.wall == "user-namespace") | .state == "missing")'
check 'and the line that mends it' says '.walls[] | select(.wall == "user-namespace") | .mend | test("sysctl -w user.max_user_namespaces=")'
check 'what follows from it is not blamed on the kernel' says '.walls[] | select(.wall == "detached-mounts") | .mend | test("user-namespace")'
flags=$(no_namespaces "$carrel" doctor 2>/dev/null | sed -n 's/^What runs here without mending: carrel run \(.*\) FILE$/\1/p')
check 'it says how to run all the same' test -n "$flags"
# shellcheck disable=SC2086
check 'and that is so' no_namespaces "$carrel" run $flags "$work/nothing.wasm"
check 'and less is not enough' sh -c "! unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; exec \"\$@\"' sh '$carrel' run '$work/nothing.wasm' 2>/dev/null"

# --- One kind of namespace cannot be had: in a user and a mount namespace of the test's own ----------------
# without KIND COMMAND...: LIMIT of them may exist (or none); afterwards the namespace must be as it was, whatever the command did in it.
without() {
    # shellcheck disable=SC2016
    LIMIT=${LIMIT-0} unshare -Urm sh -c 'echo "$LIMIT" >"/proc/sys/user/max_$1_namespaces" || exit 99
        shift
        before=$(cat /proc/self/mountinfo)
        "$@"
        code=$?
        [ -d /usr/bin ] && [ "$(cat /proc/self/mountinfo)" = "$before" ] || exit 98
        exit $code' sh "$@"
}
runs_as_told() { # KIND
    flags=$(without "$1" "$carrel" doctor 2>/dev/null | sed -n 's/^What runs here without mending: carrel run \(.*\) FILE$/\1/p')
    # shellcheck disable=SC2086
    test -n "$flags" && without "$1" "$carrel" run $flags "$work/nothing.wasm"
}
for kind in ipc net pid; do
    doctor without $kind
    check "without $kind: exit code, and nothing is taken away from the caller" code 125
    check "without $kind: only that is missing, of the namespaces" says \
        "[.walls[] | select(.state == \"missing\") | .wall | select(test(\"-namespace|empty-root|capabilities\"))] == [\"$kind-namespace\"]"
    check "without $kind: the flag names it alone" lacks namespaces "$(without $kind "$carrel" doctor | grep without)"
    check "without $kind: what it says runs" runs_as_told $kind
done
doctor without mnt
check 'without mnt: exit code, and the root directory of the caller is not taken away' code 125
check 'without mnt: no empty root either' says '[.walls[] | select(.state == "missing") | .wall] | contains(["mount-namespace", "empty-root"])'
check 'without mnt: what it says runs, and nothing is taken away' runs_as_told mnt
# The test's own and the shim's, so that the cell's is one too many.
LIMIT=2
doctor without mnt
check 'one mnt too few: exit code' code 125
check 'one mnt too few: no empty root, or it would be made in the namespace of the shim' says \
    '[.walls[] | select(.state == "missing" and .required) | .wall] | (contains(["mount-namespace", "empty-root"]) and (contains(["user-namespace"]) | not))'
check 'one mnt too few: what it says runs' runs_as_told mnt
without mnt "$carrel" run --degrade=mount-namespace "$work/nothing.wasm" 2>"$work/err"
check 'one mnt too few: an empty root is not tried without it' test $? -eq 125
check 'and that is said' grep -q 'the wall "empty-root" cannot be built' "$work/err"
unset LIMIT

# --- Root that lacks root's power, as in a container --------------------------------------------------------
if [ "$(id -u)" = 0 ]; then
    powerless() { setpriv --bounding-set -all --inh-caps -all "$@"; }
    doctor powerless
    check 'root without capabilities: exit code' code 125
    check 'no kernel is blamed for what root may not do' says \
        'all(.walls[] | select(.state == "missing" and .required); .mend | test("ordinary user.*CAP_SYS_ADMIN"))'
    powerless "$carrel" run "$work/nothing.wasm" 2>"$work/err"
    check 'a run is refused' test $? -eq 125
    check 'and names who knows more' grep -q 'Operation not permitted: .carrel doctor. says' "$work/err"
fi

# --- A fault of its own ----------------------------------------------------------------------------------
"$carrel" doctor >/dev/full 2>"$work/err"
check 'a full disk is told' test $? -eq 125
check 'in words' grep -q 'cannot write to standard output' "$work/err"

# --- Misuse ----------------------------------------------------------------------------------------------
"$carrel" doctor "$work/nothing.wasm" >"$work/out" 2>"$work/err"
check 'it takes no file' grep -q 'carrel audit FILE' "$work/err"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
