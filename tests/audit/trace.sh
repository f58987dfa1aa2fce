#!/bin/sh
# `carrel trace`: in every case of a folder of components each system call that is seen is in the audit, and a
# policy that is suggested is enough for the same run, and less than what was given.
#   tests/audit/trace.sh CARREL COMPONENTS
# The last line is `N passed, N failed, N skipped`. Where no programs may be loaded into the kernel (an
# ordinary user, a container) all of it is skipped.
set -u
carrel=$(realpath "$1") components=$(realpath "$2") house=$(realpath "$(dirname "$0")/../..")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
cd "$work" || exit 1
passed=0 failed=0

ok() { passed=$((passed + 1)); }
no() {
    failed=$((failed + 1))
    echo "FAILED $*"
}
"$carrel" trace "$components/dhello.wasm" >out 2>err
if grep -q 'cannot be loaded into the kernel' err; then
    echo "0 passed, 0 failed, 3 skipped"
    exit 0
fi
grep -q 'trace: write .* times' err && grep -q 'trace: stdout: used' err && ok || no "a run that writes: $(cat err)"

# Every case, traced instead of run.
cat >wrapper <<E
#!/bin/sh
[ "\$1" = run ] || exec $carrel "\$@"
shift
$carrel trace "\$@" 2>"$work/seen.\$\$"
code=\$?
grep -v '^carrel: trace: ' "$work/seen.\$\$" >&2
exit \$code
E
chmod +x wrapper
for program in carrel-engine carrel-tls; do ln -s "$(dirname "$carrel")/$program" .; done
node "$house/tests/cases.mjs" "$components" --carrel "$work/wrapper" >cases 2>&1
tail -n 1 cases | grep -q ' 0 failed' && ok || no "cases under trace: $(grep -i fail cases | head -3)"
runs=$(grep -l 'times:' seen.* | wc -l)
[ "$runs" -ge 40 ] && ok || no "only $runs runs were seen"
if grep -h 'NOT in the audit' seen.* >strange; then no "not in the audit: $(sort strange | uniq -c | head -5)"; else ok; fi
echo "$runs runs; calls of the filter that no run made, and in how many runs:"
sed -n 's/^carrel: trace: in the filter and not made: //p' seen.* | tr ' ' '\n' | sort | uniq -c | sort -rn | head -12

# A suggestion is enough, and no more than was used.
mkdir beside
fresh() { rm -rf in && mkdir in && echo inside >in/ok.txt; }
grants="--dir in::/ --dir beside::/out --env A=1 --net all"
fresh
"$carrel" trace --suggest less.yaml $grants "$components/cescape.wasm" >first 2>err
fresh
"$carrel" run --policy less.yaml "$components/cescape.wasm" >second 2>>err
cmp -s first second && ok || no "the suggested policy does the same: $(diff first second | head -5)"
grep -q 'guest: "/",' less.yaml && ! grep -q '/out' less.yaml && ! grep -q 'net:' less.yaml && ok || no "the smallest: $(cat less.yaml)"
"$carrel" trace --suggest net.yaml --net all --http all "$components/udppair.wasm" >first 2>err
"$carrel" run --policy net.yaml "$components/udppair.wasm" >second 2>>err
cmp -s first second && grep -q 'udp=127.0.0.1:0' net.yaml && grep -q -- '--http all: given and not used' err && ok || no "of the network: $(cat net.yaml err)"
"$carrel" trace --suggest less.yaml "$components/dhello.wasm" >out 2>err
[ $? -eq 125 ] && grep -q 'a file of that name' err && ok || no "writes over nothing: $(cat err)"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
