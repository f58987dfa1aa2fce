#!/bin/sh
# The command line, live: exit codes, messages, what reaches the guest. The cells are real, the engine
# in them obeys a script (tests/runner/engine.c).
#   tests/runner/run.sh CARREL ENGINE
# The last line is `N passed, N failed`.
set -u
carrel=$(realpath "$1") engine=$(realpath "$2")
. "$(dirname "$0")/expect.sh"

run() { "$carrel" run --engine "$engine" "$@"; }
audit() { "$carrel" audit --engine "$engine" "$@"; }
# script NAME: its lines from standard input, with what every command demands
script() { { echo 'is command'; echo 'is component'; cat; } >"$1"; }

# --- Exit codes ---------------------------------------------------------------------------------------
script ends </dev/null
expect 'exit 0' 0 '' '' run ends
for code in 1 42 124 125 126 134 255; do
    echo "exit $code" | script ends
    expect "the guest's $code" "$code" '' '' run ends
done
for code in 256 4294967295; do
    echo "exit $code" | script ends
    expect "the guest's $code" 255 '' "^carrel: ends: it ended with $code, .* 255.*\|$" run ends
done
echo 'exit 255' | script ends
script spins <<'E'
spin
E
expect 'time limit' 124 '' '^carrel: spins: time limit: .*\|$' run --timeout 200ms spins
script traps <<'E'
trap it went wrong
E
expect 'trap' 134 '' '^carrel: traps: trap: .*it went wrong: a fault in the component, for its author to mend\|carrel:     at inner.*x1b\[2J in app \(byte 77\)\|carrel:     at function 5 \(byte 99\)\|carrel:     at wasi:cli/exit\|$' run traps
script crashes <<'E'
crash
E
expect 'signal' 137 '' '^carrel: crashes: killed: .*\|$' run crashes
script fills <<'E'
memory-full
E
expect 'memory limit' 137 '' 'memory' run fills
script forbidden <<'E'
call 39
E
expect 'a system call that is not in the filter' 137 '' '^carrel: forbidden: killed: .*\|$' run forbidden
mkfifo fifo
expect 'a pipe that nobody writes to' 124 '' '^carrel: fifo: time limit: its bytes did not come' run --timeout 200ms fifo
expect 'no time for the bytes that are there' 124 '' '^carrel: ends: time limit: its bytes could not all be read within 1e-09 s: give it longer with --timeout\|$' run --timeout 1ns ends
later() { { sleep 0.1; cat ends; } >fifo & run --timeout 20s fifo; }
expect 'a pipe that is written to' 255 '' '' later
full() { (ulimit -f 0; run traps 2>&1) | cat >&2; }
expect 'no files may be written' 0 '' '^carrel: traps: cannot be copied: files may have 0 bytes.*ulimit -f' full
few() { (ulimit -n 4; run traps); }
expect 'too few descriptors' 125 '' '^carrel: no more than 4 files may be open .*ulimit -n' few
few_now() { (ulimit -Sn 8; run ends); }
expect 'a soft limit on descriptors is raised' 255 '' '' few_now
expect 'no such file' 127 '' '^carrel: nowhere.wasm: cannot be opened: No such file or directory: correct the name\|$' run nowhere.wasm
expect 'a directory' 127 '' '^carrel: \.: .*\|$' run .
echo 'malformed 35 bad magic' >bad
expect 'malformed' 126 '' '^carrel: bad: malformed: bad magic \(at byte 35\): build or fetch the file again\|$' run bad
echo 'lie' | script lies
expect 'a reader that lies' 125 '' 'other tables' run lies
expect 'no engine' 125 '' 'engine' "$carrel" run --engine /nowhere ends
expect 'an engine with libraries' 125 '' 'execveat: .*: an engine must be linked statically' "$carrel" run --engine /bin/true ends

# --- Refusals that name what is missing ----------------------------------------------------------------
script lacks <<'E'
reach http_outgoing_handle
reach get_stdout
name unknown acme:door/lock@1.0.0#\e[31mopen
E
expect 'all that is missing' 126 '' 'has 1 import .*not provide.*\|.*not known: acme:door/lock@1.0.0#.*x1b\[31mopen' run lacks
script dead <<'E'
import http_outgoing_handle
E
expect 'what is never called is not missing' 0 '' '' run dead
echo 'memory 5000000000' | script large
expect 'more memory than allowed' 126 '' 'memory.*--memory' run large
expect 'with more allowed' 0 '' '' run --memory 6G large
echo 'is component' >library
expect 'not a program' 126 '' '--invoke' run library
expect 'an export is called' 0 '' '' run --invoke 'f()' library
echo 'is proxy' >proxy
expect 'a proxy' 126 '' 'HTTP' run proxy

# --- What reaches the guest ----------------------------------------------------------------------------
script speaks <<'E'
reach get_stdout
reach get_stderr
reach get_arguments
reach get_environment
print out
error err
args
env
E
expect 'streams, arguments, no environment' 0 '^out\|\[speaks\]\|\[a b\]\|\[--dir\]\|\[\]\|$' '^err\|$' run ./speaks 'a b' --dir ''
expect 'environment by name and value' 0 '\[A=1=2\]\|\[HOME=/h\]\|$' 'err' env HOME=/h "$carrel" run --engine "$engine" --env A=1=2 --env HOME --env NOT_THERE speaks
expect 'the later value counts' 0 '\[A=2\]\|$' 'err' run --env A=1 --env A=2 speaks
script silent <<'E'
print out
args
E
expect 'what is not imported is not there' 0 '' '' run --env A=1 --dir . silent x
mkdir -p d/sub
script looks <<'E'
reach get_stdout
reach descriptor_open_at
reach descriptor_write
reach get_directories
grants
E
expect 'no directory' 0 '^stdout 2 \|$' '' run looks
expect 'directories' 0 '^nothing 0 \|stdout 2 \|nothing 0 \|directory 7 /\|directory 1 /ro\|$' '' run --dir d::/ --dir d/sub::/ro:ro looks
expect 'a directory by its own name' 0 'directory 1 d\|$' '' run --dir d:ro looks

# --- What a cell that inspects prints -----------------------------------------------------------------
inspect() { "$carrel" inspect --engine "$engine" "$@"; }
printf 'print plain \303\251 text\nprint \033[31mred \342\200\256rev\007 \302\233m\nargs\ngrants\n' >shown
expect 'plain text alone gets out' 0 '^plain .+ text\|\?\[31mred rev\? m\|\[wat\]\|\[json\]\|stdout 2 \|$' '' inspect --wat --json shown
echo 'exit 3' >odd
expect 'a cell that inspects and says no' 3 '' '' inspect odd
expect 'no file to inspect' 125 '' 'no FILE' inspect
expect 'two files to inspect' 125 '' 'more than one FILE' inspect odd odd
expect 'nothing there to inspect' 127 '' '^carrel: nowhere.wasm: .*\|$' inspect nowhere.wasm
expect 'flags of run are not those of inspect' 125 '' 'has no flag --dir' inspect --dir . odd
expect 'explained' 3 '' 'grant 0: a pipe; the shim passes plain text on to standard output.*read write exit_group' inspect --explain odd

# --- A bad command line --------------------------------------------------------------------------------
expect 'no command' 125 '' '^carrel: no command' "$carrel"
expect 'unknown command' 125 '' "did you mean 'run'" "$carrel" rnu
expect 'no FILE' 125 '' 'no FILE' "$carrel" run
expect 'unknown flag' 125 '' 'did you mean --dir' run --dri . ends
expect 'no such directory' 125 '' '^carrel: --dir nowhere: no such directory' run --dir nowhere ends
expect 'a file for a directory' 125 '' 'not a directory' run --dir ends ends
expect 'half a directory' 125 '' 'HOST::GUEST' run --dir ::/ ends
expect 'two of one name' 125 '' 'two directories' run --dir d::/ --dir d/sub::/ ends
for slip in d::/x:RO d::/x:rw d::/x:ro:ro d::/x: d::/a:b d:RO d::/x:ro,; do
    expect "a suffix that is none: $slip" 125 '' "^carrel: --dir $slip: .* is not known: .* :ro or nothing" run --dir "$slip" ends
done
expect 'bad size' 125 '' "'1X' is no size" run --memory 1X ends
expect 'bad duration' 125 '' 'is no duration' run --timeout soon ends
expect 'bad fuel' 125 '' 'is no number' run --fuel x ends
expect 'bad wall' 125 '' 'did you mean seccomp' run --degrade secomp ends
expect 'bad descriptor' 125 '' 'is no descriptor open for writing' run --status-json 77 ends
expect 'nameless variable' 125 '' 'the name is missing' run --env =x ends
expect 'a name that is no text' 127 '' '^carrel: .*x1b\[2J.*\|$' run "$(printf 'a\033[2J')"

# --- The status, the explanation, the help -------------------------------------------------------------
status() { "$carrel" run --engine "$engine" --status-json 3 "$@" 3>status; code=$?; jq -c . status; return $code; }
closed() { "$carrel" run --engine "$engine" "$@" >&-; }
lost() { "$carrel" "$@" >/dev/full; }
echo 'exit 7' | script ends
expect 'status of a guest' 7 '^\{"exit":7,"by":"guest"\}\|$' '' status ends
echo 'exit 512' | script beyond
expect 'status of a guest beyond a byte' 255 '^\{"exit":255,"by":"guest"\}\|$' 'with 512' status beyond
expect 'status of a refusal' 126 '^\{"exit":126,"by":"carrel","kind":"malformed","text":"bad magic","offset":35\}\|$' 'bad magic' status bad
expect 'status of a time limit' 124 '"exit":124,"by":"carrel","kind":"time limit"' 'time limit' status --timeout 100ms spins
expect 'status of a bad flag' 125 '^\{"exit":125,"by":"carrel","kind":"usage"' 'is no size' status --memory x ends
expect 'status of a flag that is not known' 125 '^\{"exit":125,"by":"carrel","kind":"usage"' 'unknown flag' status --bogus
before() { "$carrel" run --engine "$engine" "$@" 3>status; code=$?; jq -c . status; return $code; }
expect 'status of what stands before' 125 '^\{"exit":125' 'unknown flag' before --bogus --status-json 3 ends
expect 'status behind the value of a flag that is not known' 125 '^\{"exit":125' 'did you mean --memory' before --memroy 1G --status-json=3 ends
expect 'status of a bad value before' 125 '^\{"exit":125' 'is no size' before --memory x --status-json 3 ends
expect 'status given twice' 125 '^\{"exit":125' 'given twice' status --status-json 3 ends
expect 'status without a file' 125 '^\{"exit":125' 'no FILE' status
expect 'status of a file that is not there' 127 '^\{"exit":127' 'nowhere' status nowhere
# signalled SIGNAL ARG...: the run gets it when it heeds signals, which it does from before it reads FILE; the code as
# a shell sees it. (env: what runs in the background of a shell ignores some signals, and carrel leaves that so.)
heeds() { grep '^SigBlk:' "/proc/$1/status" | grep -q '[1-9a-f]'; }
signalled() {
    signal=$1 tries=400
    shift
    env --default-signal "$carrel" run --engine "$engine" --status-json 3 "$@" 3>status &
    pid=$!
    until heeds "$pid" || [ $((tries -= 1)) -eq 0 ]; do sleep 0.05; done
    bash -c 'kill -s "$0" "$1"' "$signal" "$pid"
    wait "$pid"
    code=$?
    jq -c . status
    return $code
}
for signal in TERM HUP QUIT USR1 ABRT PWR; do
    expect "SIG$signal" 137 "^\{\"exit\":137,\"by\":\"carrel\",\"kind\":\"killed\",.*\"signal\":\"SIG$signal\"\}\|$" "^carrel: spins: killed: ended by SIG$signal" signalled $signal spins
done
expect 'SIGINT' 130 '^\{"exit":130,.*"signal":"SIGINT"\}\|$' 'ended by SIGINT' signalled INT spins
expect 'a signal of real time' 137 '^\{"exit":137,' '^carrel: spins: killed: ended by signal 3[0-9]' signalled RTMIN+1 spins
# shellcheck disable=SC2016
orphaned() { timeout -k 1 5 setsid -w sh -c '"$@" & run=$!; sleep 0.4; kill -TSTP $run; sleep 0.2; kill -TERM $run; wait $run' sh "$carrel" run --engine "$engine" spins; }
expect 'SIGTSTP where nobody could let it go on' 137 '' 'ended by SIGTERM' orphaned
expect 'SIGTERM while FILE is waited for' 137 '^\{"exit":137,.*"signal":"SIGTERM"\}\|$' '^carrel: fifo: killed: ended by SIGTERM' signalled TERM fifo
expect 'SIGINT while FILE is waited for' 130 '^\{"exit":130,' 'SIGINT' signalled INT fifo
expect 'the signal of a cell' 137 '^\{"exit":137,.*"signal":"SIG(ILL|TRAP)"\}\|$' 'died of SIG(ILL|TRAP)' status crashes
ignores() { (trap '' HUP; run --timeout 1s spins & run=$!; sleep 0.3; kill -HUP $run; wait $run); }
expect 'a signal that the caller ignores' 124 '' 'time limit' ignores
expect 'nobody can see the result of a call' 125 '' 'standard output is closed' closed --invoke 'f()' library
expect 'an inspection of nothing' 125 '' '^carrel: shown: it ended, but its result is lost: .*\|$' lost inspect --engine "$engine" shown
no_output() { inspect shown >&-; }
expect 'an inspection without an output' 125 '' 'standard output is closed' no_output
expect 'an audit of nothing' 125 '' '^carrel: [^|]* is lost: send it elsewhere\|$' lost audit --engine "$engine" ends
unexplained() { run --explain ends 2>/dev/full; }
expect 'an explanation that nobody gets' 125 '' '' unexplained
status_to_read() { run --status-json 3 ends 3</dev/null; }
expect 'a status that cannot be written' 125 '' '^carrel: --status-json: .3. is no descriptor open for writing.*\|$' status_to_read
cp speaks "$(printf 'spe\377aks')"
expect 'a name that is not UTF-8' 0 '\[spe.xffaks\]' 'err' run "$(printf 'spe\377aks')"
expect 'a printer of nothing' 125 '' 'what was to be printed is lost' lost help
expect 'explain' 7 '' 'seccomp +allow only the system calls read write exit_group' run --explain ends
expect 'help' 0 'carrel run .*carrel audit' '' "$carrel" help
expect 'help of a command' 0 '--dir HOST::GUEST' '' "$carrel" help run
expect 'help by a flag' 0 '--dir HOST::GUEST' '' "$carrel" run --help
expect 'help of nothing' 125 '' 'unknown command' "$carrel" help frobnicate
expect 'version' 0 '^carrel [0-9.]+\|$' '' "$carrel" --version

# --- Audits --------------------------------------------------------------------------------------------
expect 'audit' 0 'It would run\..*descriptor.open-at.*stands +user-namespace' '' audit --verbose looks
expect 'audit of what is refused' 0 'It would be refused.*handle.*carrel does not know.*acme:door' '' audit --verbose lacks
expect 'audit with a grant' 0 'given +dir\.read.*openat' '' audit --dir d::/ looks
expect 'audit of several' 0 'looks .*ends ' '' audit --verbose looks ends
expect 'audit of one that is bad' 126 'ends ' 'bad magic' audit bad ends
json() { audit --json "$@" | jq -c '[.schema, (.files | length), .files[0].runs, ([.files[0].system_calls[].system_call] | unique | length)]'; }
expect 'audit as JSON' 0 '^\["carrel-audit-1",2,true,3\]\|$' '' json ends looks
raw() { audit --verbose lacks | LC_ALL=C tr -d '\n -~' | tr -d '\200-\377' | wc -c; }
expect 'no raw control character' 0 '^0\|$' '' raw

# Walls that are wanted and cannot be had are missing; where they can be had, they stand.
cgroup() { audit "$@" --json ends | jq -r '.files[0].walls[] | select(.wall == "cgroup") | .state, (.why | type)' | tr '\n' ' '; }
expect 'a group that nobody wants' 0 '^not needed null $' '' cgroup
expect 'a group that is wanted' 0 '^(stands null|missing string) $' '' cgroup --memory 64M

# The engine of a program that was installed and moved as a whole; in no folder where others may write.
mkdir -p moved/bin moved/libexec/carrel
cp "$carrel" moved/bin/carrel
cp "$engine" moved/libexec/carrel/carrel-engine
chmod 755 moved moved/bin moved/libexec moved/libexec/carrel moved/libexec/carrel/carrel-engine
expect 'an engine below the same prefix' 7 '' '' moved/bin/carrel run ends
for folder in moved moved/libexec moved/libexec/carrel; do
    chmod 777 $folder
    expect "an engine where others may write: $folder" 125 '' 'there is no carrel-engine beside carrel' moved/bin/carrel run ends
    chmod 755 $folder
done
mv moved/libexec moved/real
ln -s real moved/libexec
expect 'an engine behind a link' 125 '' 'there is no carrel-engine beside carrel' moved/bin/carrel run ends

# What a file demands is read once: the second time from the cache, unless that is not wanted. An engine
# that has changed reads anew.
export XDG_CACHE_HOME="$work/cache"
if [ "$(id -u)" != 0 ]; then
    entries() { ls "$XDG_CACHE_HOME/carrel" 2>/dev/null | wc -l; }
    rm -rf "$XDG_CACHE_HOME"
    script twice </dev/null
    expect 'nothing is remembered' 0 '' '' run --no-cache twice
    expect 'no entry' 0 '^0\|$' '' entries
    expect 'first time' 0 '' '' run twice
    expect 'one entry' 0 '^1\|$' '' entries
    # Whoever reads the demand writes an entry, which is a new file.
    entry() { stat -c %i:%s "$XDG_CACHE_HOME"/carrel/*; }
    written=$(entry)
    expect 'second time' 0 '' '' run twice
    expect 'nothing was read then' 0 "^$written\|\$" '' entry
    : >"$XDG_CACHE_HOME/carrel/$(ls "$XDG_CACHE_HOME/carrel")"
    expect 'a spoilt entry' 0 '' '' run twice
    expect 'it was read again' 1 '' '' [ "$(entry)" = "$written" ]
    expect 'and is whole' 0 "^[0-9]*:${written#*:}\|\$" '' entry
    written=$(entry)
    cp -p "$engine" engine-again
    expect 'another engine' 0 '' '' "$carrel" run --engine ./engine-again twice
    expect 'reads anew' 1 '' '' [ "$(entry)" = "$written" ]
fi

# A standard stream is closed, and there is nothing to put in its place: in a mount namespace of its own.
without_null() { unshare -rm sh -c 'mount -t tmpfs none /dev && exec "$@" <&-' - "$carrel" --version; }
if unshare -rm true 2>/dev/null; then
    expect 'no /dev/null' 125 '' '^carrel: a standard stream is closed, and /dev/null .*\|$' without_null
fi

# Where carrel lies, and the engine beside it, only /proc tells.
without_proc() { unshare -rm sh -c 'mount -t tmpfs none /proc && exec "$@"' - "$carrel" run "$@"; }
if unshare -rm true 2>/dev/null; then
    expect 'no /proc' 125 '' '^carrel: there is no carrel-engine in [^|]*, .* without /proc: mount it .*\|$' without_proc ends
fi

# The audit is the policy: what it lists is what the run's own explanation lists.
calls_of_run() { run --explain --dir d::/ looks 2>&1 >/dev/null | sed -n 's/.*allow only the system calls \(.*\) (.*/\1/p' | tail -n 1 | tr ' ' '\n' | sort; }
calls_of_audit() { audit --json --dir d::/ looks | jq -r '.files[0].system_calls[].system_call' | sort -u; }
same() { [ -n "$(calls_of_run)" ] && [ "$(calls_of_run)" = "$(calls_of_audit)" ]; }
expect 'audit and run agree' 0 '' '' same
unread() { { sleep 0.1; audit looks; echo $? >unread; } | true; return "$(cat unread)"; }
expect 'nobody reads on' 0 '' '' unread
full_disk() { audit looks >/dev/full; }
expect 'what was printed is lost' 125 '' '^carrel: cannot write to standard output' full_disk

finish
