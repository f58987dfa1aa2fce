#!/bin/sh
# `carrel trace`: in every case of a folder of components each system call that is seen is in the audit, and a
# policy that is suggested is enough for the same run, and less than what was given.
#   tests/audit/trace.sh CARREL COMPONENTS [USER_ID]
# As root the cells are watched by BPF programs; as USER_ID, who may load none, by user notification.
# The last line is `N passed, N failed`.
set -u
built=$(dirname "$(realpath "$1")") components=$(realpath "$2") house=$(realpath "$(dirname "$0")/../..") user=${3:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
cd "$work" || exit 1
passed=0 failed=0

ok() { passed=$((passed + 1)); }
no() {
    failed=$((failed + 1))
    echo "FAILED $*"
}
# Where that user can reach it.
mkdir real
cp "$built/carrel" "$built/carrel-engine" "$built/carrel-tls" real/
cp "$built/carrel-engine" "$built/carrel-tls" .
for name in dhello cescape udppair hhello; do cp "$components/$name.wasm" .; done
chmod -R a+rX . && mkdir seen && chmod 777 . seen
# Into the background, as its own process: $server.
serve() {
    : >err # what the last one said is not to be read for what this one says
    ${user:+setpriv --reuid "$user" --regid "$user" --clear-groups} "$work/real/carrel" serve --addr 127.0.0.1:0 "$@" 2>err &
    server=$!
}
carrel() { ${user:+setpriv --reuid "$user" --regid "$user" --clear-groups} "$work/real/carrel" "$@"; }

carrel trace dhello.wasm >out 2>err
grep -q 'trace: write .* times, first after' err && grep -q 'trace: stdout: used' err && ok || no "a run that writes: $(cat err)"

# Every case, traced instead of run or served. What a server was seen to do is told when it is stopped.
cat >wrapper <<W
#!/bin/bash
trap '' PIPE # of whoever keeps the report of a server that was stopped
case "\$1" in
run)
    shift
    $work/real/carrel trace "\$@" 2>"$work/seen/\$\$"
    code=\$?
    grep -v '^carrel: trace: ' "$work/seen/\$\$" >&2
    exit \$code ;;
serve)
    shift
    exec $work/real/carrel serve --trace "\$@" 2> >(exec tee "$work/seen/\$\$.served" >&2) ;;
*) exec $work/real/carrel "\$@" ;;
esac
W
chmod 755 wrapper
node "$house/tests/cases.mjs" "$components" --carrel "$work/wrapper" ${user:+--as "$user"} >cases 2>&1
tail -n 1 cases | grep -q ' 0 failed' && ok || no "cases under trace: $(grep -i -A5 fail cases | head -8)"
served=$(ls seen/*.served 2>/dev/null | wc -l) tries=600
until [ "$(grep -l 'trace: denied: ' seen/*.served 2>/dev/null | wc -l)" -eq "$served" ] || [ $((tries -= 1)) -eq 0 ]; do sleep 0.1; done
[ "$served" -ge 4 ] && [ $tries -gt 0 ] && ok || no "$served servers, of which some said nothing"
runs=$(grep -l 'times, first' seen/* | wc -l)
[ "$runs" -ge 40 ] && ok || no "only $runs runs were seen"
if cat seen/* | grep 'NOT in the audit' >strange; then no "not in the audit: $(sort strange | uniq -c | head -5)"; else ok; fi
echo "$runs runs, $served of them servers; calls of the filter that no run made, and in how many runs:"
cat seen/* | sed -n 's/^carrel: trace: in the filter and not made: //p' | tr ' ' '\n' | sort | uniq -c | sort -rn | head -12

# A suggestion is enough, and no more than was used.
mkdir beside
fresh() { rm -rf in && mkdir in && echo inside >in/ok.txt && chmod -R a+rwX in; }
fresh
carrel trace --suggest less.yaml --dir in::/ --dir beside::/out --env A=1 --net all cescape.wasm >first 2>err
fresh
carrel run --policy less.yaml cescape.wasm >second 2>>err
cmp -s first second && ok || no "the suggested policy does the same: $(diff first second | head -5)"
grep -q 'guest: "/",' less.yaml && ! grep -q '/out' less.yaml && ! grep -q 'net:' less.yaml && ok || no "the smallest: $(cat less.yaml)"
carrel trace --suggest net.yaml --net all --http all udppair.wasm >first 2>err
carrel run --policy net.yaml udppair.wasm >second 2>>err
cmp -s first second && [ "$(grep -c udp= net.yaml)" -eq 1 ] && grep -q 'udp=127.0.0.1:\*' net.yaml && grep -q -- '--http all: given and not used' err && ok || no "of the network: $(cat net.yaml err)"
carrel trace --suggest less.yaml dhello.wasm >out 2>err
[ $? -eq 125 ] && grep -q 'a file of that name' err && ok || no "writes over nothing: $(cat err)"

# Names that YAML does not take as they are: escaped, or said before a file is written that nobody could read.
odd=$(printf 'd\177\342\200\256"\\q') bytes=$(printf 'e\377')
mkdir "$odd" "$bytes" && chmod 777 "$odd" "$bytes" && cp dhello.wasm "$bytes.wasm"
echo inside >"$odd/ok.txt"
carrel trace --suggest odd.yaml --dir "$odd::/" cescape.wasm >first 2>err
carrel run --policy odd.yaml cescape.wasm >second 2>>err
grep -q 'U0000007f' odd.yaml && [ "$(tr -d '\12\40-\176' <odd.yaml | wc -c)" -eq 0 ] && grep -q '^open ok.txt: OPENED inside' second && ok || no "an odd name: $(cat -v odd.yaml err)"
carrel trace --suggest named.yaml "$bytes.wasm" >first 2>err
carrel run --policy named.yaml "$bytes.wasm" >second 2>>err
grep -q . first && cmp -s first second && ok || no "a component whose name is no UTF-8: $(cat -v named.yaml err)"
carrel trace --suggest none.yaml --dir "$bytes::/" cescape.wasm >first 2>err
[ $? -eq 125 ] && grep -q 'is no UTF-8' err && [ ! -e none.yaml ] && ok || no "a folder whose name is no UTF-8: $(cat -v err)"

# Settings of every kind: what cannot be seen to be used stays, if it can be asked for at all.
carrel trace --suggest zone.yaml --timezone Europe/Berlin --config a=b --env A=1 dhello.wasm >out 2>err
! grep -q 'timezone\|config\|env' zone.yaml && grep -q 'the time zone: given, and it has nothing' err && ok || no "settings that it cannot ask for: $(cat zone.yaml err)"

# A server: what it did is told when it ends, and the policy that is written is enough for the next one.
serve --trace --suggest serves.yaml --net all --env A=1 hhello.wasm
port_of() { # the address that it tells
    tries=300
    until grep -q 'serves on' "$1" || [ $((tries -= 1)) -eq 0 ]; do sleep 0.1; done
    sed -n 's/.*serves on //p' "$1"
}
curl -s "$(port_of err)/x" >out
kill -TERM $server
wait $server
grep -q 'GET /x' out && grep -q 'trace: accept4 .* times' err && grep -q -- '--net all: given and not used' err && ok || no "a server: $(cat err)"
serve --policy serves.yaml hhello.wasm
curl -s "$(port_of err)/x" >again
kill -TERM $server
wait $server
cmp -s out again && ! grep -q 'net:\|env:' serves.yaml && ok || no "under its own policy: $(cat serves.yaml err again)"
serve --trace --isolation process hhello.wasm
curl -s "$(port_of err)/x" >copied
kill -TERM $server
wait $server
cmp -s out copied && grep -q 'trace: clone .* times' err && ! grep -q 'NOT in the audit' err && ok || no "a process for each request: $(cat err)"
carrel trace hhello.wasm 2>err
grep -q 'use `carrel serve --trace`' err && ok || no "what answers requests: $(cat err)"
carrel serve --suggest x.yaml hhello.wasm 2>err
[ $? -eq 125 ] && grep -q 'give --trace, too' err && ok || no "without --trace: $(cat err)"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
