#!/bin/sh
# Policy files, --check and --diff, live: what reaches the guest, what is told, exit codes. The cells are
# real, the engine in them obeys a script (tests/runner/engine.c).
#   tests/runner/policy.sh CARREL ENGINE
# The last line is `N passed, N failed`.
set -u
carrel=$(realpath "$1") engine=$(realpath "$2") house=$(realpath "$(dirname "$0")/../..")
. "$(dirname "$0")/expect.sh"

run() { "$carrel" run --engine "$engine" "$@"; }
audit() { "$carrel" audit --engine "$engine" "$@"; }
script() { { echo 'is command'; echo 'is component'; cat; } >"$1"; }

script plain </dev/null
script more <<'E'
reach get_stdout
reach descriptor_stat_at
import descriptor_unlink_file_at
reach output_stream_flush
reach output_stream_check_write
E
cat >carrel <<E
#!/bin/sh
command=\$1
shift
exec $carrel "\$command" --engine $engine "\$@"
E
chmod +x carrel

# --- What reaches the guest -----------------------------------------------------------------------------
script speaks <<'E'
reach get_stdout
reach get_environment
reach get_directories
env
E
mkdir -p policies/data
cat >policies/p.yaml <<'E'
version: 1
allow:
  env: [A=1, B=2]
  dir: {host: data, guest: /data}
limits: {memory: 1G}
components:
  speaks: {allow: {env: C=3}}
  other: {allow: {env: D=4}}
E
expect 'environment of the file, its section and a flag' 0 '^\[A=1\]\|\[B=5\]\|\[C=3\]\|$' '' \
    run --policy policies/p.yaml --env B=5 speaks
cp speaks other
expect 'the section of another name' 0 '^\[A=1\]\|\[B=2\]\|\[D=4\]\|$' '' run --policy policies/p.yaml other
expect 'a folder beside the policy' 0 'A=1' "$work/policies/data, cloned.*directory /data" run --policy policies/p.yaml --explain speaks
printf 'version: 1\n' >not.json
expect 'YAML that is called JSON' 125 '' 'not.json:1:1: not JSON: expected a value: correct that place, or call the file .yaml' run --policy not.json speaks
printf '{"version": 1,\n "allow": {"stdout": true,}}\n' >comma.json
expect 'JSON with a comma too many' 125 '' 'comma.json:2:27: not JSON: expected a text in double quotes' audit --check comma.json speaks
echo '{"version": 1, "deny": {"capability": "env"}}' >deny.json
expect 'what is denied stays denied' 0 '' '' run --policy deny.json --env A=1 speaks

script changes <<'E'
reach get_stdout
reach get_directories
reach descriptor_open_at
reach descriptor_create_directory_at
grants
E
for denied in dir.mutate=3 dir.write=5 none=7; do
    echo "{\"version\": 1, \"deny\": {\"capability\": [\"${denied%=*}\"]}}" | sed 's/\["none"\]/[]/' >half.json
    expect "a directory of which ${denied%=*} is denied" 0 "directory ${denied#*=} /\|\$" '' run --policy half.json --dir policies::/ changes
done

echo 'version: 1
components: {SHA256:0123456789012345678901234567890123456789012345678901234567890123: {deny: {capability: io}}}' >loud.yaml
expect 'a digest in other letters is no name of a file' 125 '' 'loud.yaml:2:14: no digest: write sha256: and 64 digits' run --policy loud.yaml speaks

# --- Directories that are denied --------------------------------------------------------------------------
mkdir -p kept/inner open beside twin
ln -s open way
echo 'version: 1
deny: {dir: [kept, way/later]}' >guarded.yaml
expect 'the one that is denied' 125 '' "denies $work/kept, so $work/kept cannot be given" run --policy guarded.yaml --dir "$work/kept::/k" speaks
expect 'one in it' 125 '' 'denies .*/kept, so .*/kept/inner cannot' run --policy guarded.yaml --dir "$work/kept/inner::/k" speaks
expect 'one that it lies in' 125 '' 'which lies in' run --policy guarded.yaml --dir "$work::/k" speaks
expect 'one that it will lie in, by a link' 125 '' "denies $work/open/later, which lies in" run --policy guarded.yaml --dir "$work/open::/k" speaks
expect 'one beside it' 0 '' '' run --policy guarded.yaml --dir "$work/beside::/k" speaks
if [ "$(id -u)" = 0 ]; then
    echo 'mount --bind "$1/kept" "$1/twin" && shift && exec "$@"' >mounted
    expect 'the same by another name' 125 '' 'denies .*/kept, so .*/twin cannot' unshare --mount sh mounted "$work" \
        "$work/carrel" run --policy guarded.yaml --dir "$work/twin::/k" speaks
    expect 'one in it, by another name' 125 '' 'denies .*/kept, so .*/twin/inner cannot' unshare --mount sh mounted "$work" \
        "$work/carrel" run --policy guarded.yaml --dir "$work/twin/inner::/k" speaks
fi

# --- Files that are not there -----------------------------------------------------------------------------
echo 'version: 1
allow: {dir: nowhere}' >absent.yaml
expect 'a folder that is not there' 125 '' '^carrel: absent.yaml:2:14: dir \./nowhere: no such directory' run --policy absent.yaml speaks
expect 'no such policy' 127 '' '^carrel: --policy gone.yaml: No such file' run --policy gone.yaml speaks
printf 'version: 1\n"al\\u001b\\u202elow": {}\n' >evil.yaml
expect 'a key that would be seen as another' 125 '' '^carrel: evil.yaml:2:1: unknown key .al\\x1b\\u\{202e\}low.: ' run --policy evil.yaml speaks
echo 'version: 1
components: {never.wasm: {limits: {fuel: x}}}' >later.yaml
expect 'a mistake about a component that does not come' 125 '' '^carrel: later.yaml:2:42: fuel: ' run --policy later.yaml speaks

# --- Check ----------------------------------------------------------------------------------------------
script wants <<'E'
reach get_stdout
reach descriptor_open_at
reach descriptor_unlink_file_at
name unknown acme:door/lock@1.0.0#\e[31mopen
E
echo 'version: 1
allow: {capability: dir.read, dir: /not/there:ro}' >check.yaml
# To open a file is to create or empty one, too, if it is asked for: who allows reading has not allowed that.
expect 'demands more' 3 '^wants: dir.write: not allowed by the policy: wants to change .*open-at\|wants: dir.mutate: not allowed by the policy: wants to create, .*unlink-file-at\|wants: imports what carrel does not know: acme.*x1b\[31mopen\|$' '' audit --check check.yaml wants
script reads <<'E'
reach get_stdout
reach descriptor_stat_at
import descriptor_unlink_file_at
E
expect 'within the policy' 0 '' '' audit --check check.yaml reads
expect 'several, one demands more' 3 '^wants: [^|]*\|wants: [^|]*\|wants: [^|]*\|$' '' audit --check check.yaml reads wants reads
expect 'denied' 3 '^speaks: env: denied by the policy' '' audit --check deny.json speaks
# Preview 1 opens and creates files with path_open; what is open is written with what writes to streams.
p1() { { echo 'is command'; cat; } >"$1"; }
p1 p1-hello <<'E'
reach p1_fd_write
reach p1_proc_exit
E
p1 p1-files <<'E'
reach p1_fd_write
reach p1_path_open
E
expect 'preview 1 that writes to streams' 0 '' '' audit --check check.yaml p1-hello
expect 'preview 1 that can create files' 3 '^p1-files: dir.write: not allowed by the policy: .*path_open\|$' '' audit --check check.yaml p1-files
echo '{"version": 1, "allow": {"dir": "/tmp"}, "deny": {"capability": "dir.write"}}' >unwritten.json
expect 'preview 1 where writing is denied' 3 '^p1-files: dir.write: denied by the policy' '' audit --check unwritten.json p1-files
echo 'version: 1
deny: {capability: stdin}' >unread.yaml
expect 'preview 1 that does not read' 0 '' '' audit --check unread.yaml p1-hello
echo 'memory 5000000000' | script large
expect 'memory' 3 '^large: limits.memory: starts with 5000000000 bytes' '' audit --check check.yaml large
expect 'check and policy' 125 '' 'has a policy already' audit --check check.yaml --policy check.yaml wants
expect 'one cannot be read' 127 'wants: ' 'nowhere.wasm' audit --check check.yaml nowhere.wasm wants
expect 'the shell example' 3 'wants: dir' 'more is demanded than check.yaml allows' \
    env CARREL="$work/carrel" "$house/packaging/ci/check.sh" check.yaml wants

# --- Diff -----------------------------------------------------------------------------------------------
expect 'rights grew' 3 '\+ capability dir.mutate: .*unlink-file-at\|.*system call unlinkat.*\+ import that carrel does not know: acme' '' audit --diff reads wants
expect 'rights shrank' 0 '- capability dir.mutate' '' audit --diff wants reads
expect 'the same' 0 '' '' audit --diff wants wants
expect 'a function more, no right' 0 '^\+ within what both can do: wasi:io/streams' '' audit --diff reads more
script mistyped <<'E'
reach get_stdout
reach descriptor_stat_at
name mismatch wasi:io/poll@0.2.0#poll
E
expect 'an import of another type' 3 '^\+ import with a type other than WASI.s: wasi:io/poll@0.2.0#poll\|' '' audit --diff reads mistyped
{ echo 'reach get_stdout'; echo 'name unknown a:b/c#d'; echo 'count unknown 40'; } | script many
{ echo 'reach get_stdout'; echo 'name unknown a:b/c#d'; echo 'count unknown 40'; echo 'import get_stderr'; } | script other
expect 'names that did not fit' 3 '^\+ import that carrel does not know: 39 more\|- import' '' audit --diff many other
expect 'the same file' 0 '' '' audit --diff many many
expect 'check as JSON' 3 '"policy": "check.yaml".*"excess": ?\[ *\|? *\].*"kind": "capability".*"why": "not allowed by the policy".*"exceeds": true' '' audit --check check.yaml --json reads wants
expect 'check as JSON, within' 0 '"exceeds": false' '' audit --check check.yaml --json reads
expect 'diff as JSON' 3 '"change": "more".*"name": "acme:door' '' audit --diff --json reads wants
expect 'another form of both' 125 '' 'text or JSON' audit --diff --format=sarif reads wants
expect 'and of the other' 125 '' 'text or JSON' audit --check check.yaml --format=html wants
expect 'no such policy to check' 127 '' '^carrel: --check gone.yaml: No such file or directory: name a policy file' audit --check gone.yaml wants
expect 'one file only' 125 '' '--diff OLD NEW' audit --diff wants

# --- The examples ----------------------------------------------------------------------------------------
# Not where they lie: one denies /root, and names folders beside itself.
cp -r "$house/packaging/policies" examples
for example in examples/*.yaml examples/*.json; do
    expect "example $(basename "$example")" 0 '' '' audit --check "$example" plain
done
expect 'example ci.json refuses' 3 'wants: dir.mutate: not allowed' '' audit --check examples/ci.json wants
expect 'example tool.yaml runs' 0 '' '' run --policy examples/tool.yaml plain
expect 'the reference names every key' 0 'dir HOST::GUEST.*net RULE.*env NAME.*deny:.*limits:.*memory SIZE.*sha256:DIGEST.*net\.tcp\.listen' '' "$carrel" help policy

# --- Denials and the audit log ------------------------------------------------------------------------------
expect 'a form of denials that is none' 125 '' 'write text or json' run --denials xml plain
expect 'a run is on record' 0 '' '' run --audit-log log plain
expect 'and another' 0 '' '' run --audit-log log ./plain
lines() { jq -r '"\(.event) \(.number) \(.file)"' log; }
expect 'begin and end of both' 0 '^begin 0 plain\|end 1 plain\|begin 0 ./plain\|end 1 ./plain\|$' '' lines
expect 'two ids' 0 '^2\|$' '' sh -c 'jq -r .session log | sort -u | wc -l'
expect 'for its owner alone' 0 '^600\|$' '' stat -c %a log
nasty=$(printf 'a\033[31m\n{"event":"end"}')
cp plain "$nasty"
expect 'a name with a newline and colours' 0 '' '' run --audit-log nasty.log "./$nasty"
expect 'is two lines of JSON, without controls' 0 '^2\|$' '' sh -c 'jq -c . nasty.log | grep -c . ; ! tr -d "\n" <nasty.log | grep -q "[[:cntrl:]]"'
script refused <<'R'
reach resolve_addresses
refuse resolve_addresses a.test
refuse resolve_addresses a.test
refuse resolve_addresses $(reboot)\e[31m"
refuse get_environment A
R
expect 'a denial and what allows it' 0 '' '^carrel: refused: wasi:sockets/ip-name-lookup#resolve-addresses a.test was refused: net.dns is not granted; --net dns=a.test or, in a policy, allow: .net: "dns=a.test". allows it\|carrel: [^|]*was refused: net.dns is not granted\|$' \
    run --audit-log denied.log refused
expect 'what is routine is on record only' 0 '^begin\|denied\|denied\|denied\|end\|$' '' jq -r .event denied.log
expect 'no advice for what a cell made up' 0 '^1\|$' '' sh -c 'jq -c "select(.flag) | .subject" denied.log | grep -c "a.test"'
expect 'denials for machines' 0 '' '^\{[^|]*"number":1,"event":"denied"[^|]*\|\{[^|]*"number":2[^|]*\|\{[^|]*"number":3[^|]*get-environment[^|]*\|$' run --denials json --audit-log json.log refused
cp stderr json.stderr
expect 'the same lines as in the file' 0 '' '' sh -c 'jq -c "select(.event == \"denied\") | del(.time)" json.log >a; jq -c "del(.time)" json.stderr >b; cmp a b'
echo '{"version": 1, "deny": {"capability": ["net.dns", "env"]}}' >dns.json
expect 'a flag does not help against a policy' 0 '' '^carrel: [^|]*a.test was refused: the policy denies net.dns\|[^|;]*\|$' run --policy dns.json --net dns=a.test refused
{ echo 'is component'; echo 'is proxy'; echo 'reach resolve_addresses'; echo 'refuse resolve_addresses a.test'; } >server
expect 'of a server, too' 0 '' 'serves on http.*\|\{[^|]*"number":1,"event":"denied","file":"server"[^|]*\|' \
    "$carrel" serve --engine "$engine" --addr 127.0.0.1:0 --denials json --audit-log served.log server
expect 'on record' 0 '^begin 0\|denied 1\|end 2\|$' '' jq -r '"\(.event) \(.number)"' served.log
cat >serves.yaml <<'P'
version: 1
limits: {timeout: 7s}
components: {server: {limits: {timeout: 3s}}}
P
explained() { "$carrel" serve --engine "$engine" --addr 127.0.0.1:0 --explain --policy serves.yaml "$@" server 2>&1 | grep -o 'kills the cell after [37].*\|requests at once.*each has [^,]*'; }
expect 'a policy of a server: its time is that of a request' 0 '^requests at once; isolation: instance; each has 3 s\|$' '' explained
expect 'the shorter one holds' 0 'each has 2 s\|$' '' explained --request-timeout 2s
echo '{"version": 1, "deny": {"capability": "http.in"}}' >unserved.json
echo '{"version": 1, "deny": {"capability": "io"}}' >waitless.json
expect 'nothing that could be read or waited for' 126 '' '^carrel: speaks: reads, writes or waits, and the policy denies io: leave that out of its deny; .*\|$' run --policy waitless.json speaks
expect 'nothing that reads' 0 '' '' run --policy waitless.json plain
expect 'the audit says so' 0 'It would be refused: .*denies io' '' audit --policy waitless.json speaks
expect 'a server that may not answer' 126 '' '^carrel: server: answers HTTP requests, and the policy denies http.in: leave that out of its deny\|$' "$carrel" serve --engine "$engine" --addr 127.0.0.1:0 --policy unserved.json server
ln -s log link
expect 'a log that is a link' 125 '' 'symbolic link' run --audit-log link plain

finish
