#!/bin/sh
# Every example of the help and the manual, run as it stands there: it ends well. Of servers the command line is read.
#   tests/packaging/examples.sh CARREL
# The last line is `N passed, N failed`.
set -u
carrel=$(realpath "$1")
data=$(dirname "$(realpath "$0")")/../data
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
. "$(dirname "$0")/../check.sh"

# --- What the examples name -------------------------------------------------------------------------------
mkdir "$work/bin" "$work/here"
ln -s "$carrel" "$work/bin/carrel"
PATH=$work/bin:$PATH
cd "$work/here" || exit 1
mkdir inbox
echo 'a line' >letter.txt
cp "$data/greet.wasm" app.wasm
cp "$data/greet.wasm" new.wasm
cp "$data/echo.wasm" lib.wasm
cp "$data/secrets.wasm" web.wasm
printf 'version: 1\nallow: {dir: "inbox::/:ro"}\nlimits: {memory: 64M}\n' >policy.yaml

examples() { carrel help "$1" | sed -n '/^Examples:/,$s/^  \(carrel .*\)$/\1/p'; }

for command in $(carrel help | sed -n 's/^  carrel \([a-z]*\) .*/\1/p'); do
    # An OCI runtime is started by others: the manual of containerd's shim has its examples.
    [ "$command" = oci ] || check "carrel help $command has examples" test -n "$(examples "$command")"
    examples "$command" >lines
    while read -r line; do
        # A server ends when it is told to, which tests of their own try: here its flags are read.
        case $command in
        serve) check "$line" sh -c "$line --help" ;;
        *) check "$line" sh -c "$line" ;;
        esac
    done <lines
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
