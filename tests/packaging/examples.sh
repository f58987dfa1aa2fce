#!/bin/sh
# Every example of the help and the manual, run as it stands there: it ends well. Only ports are others, which the
# kernel chooses, as those of the examples may be taken.
#   tests/packaging/examples.sh CARREL
# The last line is `N passed, N failed`.
set -u
carrel=$(realpath "$1")
data=$(dirname "$(realpath "$0")")/../data
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT INT TERM
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
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key.pem -out cert.pem 2>/dev/null

examples() { carrel help "$1" | sed -n '/^Examples:/,$s/^  \(carrel .*\)$/\1/p'; }

# serves LINE: the server says that it serves, and ends well when it is told to
serves() {
    sh -c "exec $1" 2>said &
    server=$!
    tries=0
    until grep -q 'serves on' said; do
        tries=$((tries + 1))
        if [ $tries -ge 600 ] || ! kill -0 $server 2>/dev/null; then
            cat said
            return 1
        fi
        sleep 0.1
    done
    kill $server
    wait $server
    code=$?
    server=
    return $code
}

for command in $(carrel help | sed -n 's/^  carrel \([a-z]*\) .*/\1/p'); do
    # An OCI runtime is started by others: the manual of containerd's shim has its examples.
    [ "$command" = oci ] || check "carrel help $command has examples" test -n "$(examples "$command")"
    examples "$command" >lines
    while read -r line; do
        case $command in
        serve) check "$line" serves "$(printf '%s' "$line" | sed 's/:\(8080\|8443\|9090\)/:0/g')" ;;
        *) check "$line" sh -c "$line" ;;
        esac
    done <lines
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
