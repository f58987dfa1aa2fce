#!/bin/sh
# Limits, live: fuel, time, memory, stack and tables in real cells; exit codes and what is said.
#   tests/runner/limits.sh CARREL
# The last line is `N passed, N failed`. wat2wasm (wabt) assembles the guests.
set -u
carrel=$(realpath "$1")
. "$(dirname "$0")/expect.sh"

# runs NAME CODE STDOUT STDERR FLAGS...: expect, of `carrel run`
runs() {
    name=$1 code=$2 out=$3 err=$4
    shift 4
    expect "$name" "$code" "$out" "$err" "$carrel" run "$@"
}

module loops.wasm <<'W'
(module $loops (memory (export "memory") 1)
  (func $spin (export "spin") (loop (br 0)))
  (func (export "_start") (call $spin))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
W
runs 'time' 124 '' '^carrel: loops.wasm: time limit: ' --timeout 200ms loops.wasm
hurried() { (ulimit "$@"; "$carrel" run loops.wasm); }
expect 'the processor time of the caller' 137 '' 'SIGKILL: it used all its processor time .ulimit -t' hurried -t 1
expect 'its soft limit' 137 '' 'SIGKILL: it used all its processor time .ulimit -t' hurried -S -t 1
expect 'a limit on memory' 125 '' 'mmap: Out of memory: .*ulimit -d unlimited' hurried -d 8000
expect 'a limit on addresses' 125 '' 'mmap: Out of memory: .*ulimit -v unlimited' hurried -v 400000
runs 'fuel' 134 '' '^carrel: loops.wasm: exhausted: all fuel consumed.*spin.*byte [0-9]+' --fuel 100000 loops.wasm
runs 'hardly any fuel' 134 '' 'all fuel consumed' --fuel 1 loops.wasm
runs 'enough fuel' 0 '^42\|$' '' --fuel 1000 --invoke 'add(40, 2)' loops.wasm
runs 'a comment' 0 '^42\|$' '' --invoke 'add(40, 2) // as WAVE has them' loops.wasm
runs 'more than a call' 125 '' "in the arguments of add .*: expected the end at 'x'" --invoke 'add(40, 2) x' loops.wasm
runs 'no number' 125 '' "argument 2: expected s32 at 'x\)'" --invoke 'add(40, x)' loops.wasm
runs 'an argument too few' 125 '' 'argument 2 is missing' --invoke 'add(40)' loops.wasm
runs 'an argument too many' 125 '' "expected no more arguments at '3\)'" --invoke 'add(40, 2, 3)' loops.wasm
runs 'enough time' 0 '^42\|$' '' --timeout 30s --invoke 'add(40, 2)' loops.wasm
runs 'fuel and time' 134 '' 'all fuel consumed' --timeout 30s --fuel 5000 loops.wasm

# --- Processors ------------------------------------------------------------------------------------------
for wrong in 0 -1 0.001 1e9 nan 1.5.2 9999999; do
    runs "--cpus $wrong" 125 '' "^carrel: --cpus: '$wrong' is .*: write " --cpus "$wrong" loops.wasm
done
printf 'version: 1\nlimits:\n  cpus: 0.001\n' >cpus.yaml
runs 'too few in a policy file' 125 '' '^carrel: cpus.yaml:3:9: cpus: .*write 0.01 or more' --policy cpus.yaml loops.wasm
bounds() { "$carrel" audit --cpus 0.2 --degrade=cgroup --json loops.wasm | jq -e ".files[0] | .limits.cpus == 0.2 and $1" >/dev/null; }
# Without a place for such a group nothing runs, unless that is accepted; and the audit says which.
refused='^carrel: loops.wasm: the wall "cgroup" cannot be built, which --cpus needs: .*limit processors: .carrel doctor. .*--degrade=cgroup runs'
nowhere() { unshare -m sh -c 'mount -t tmpfs nothing /sys/fs/cgroup && exec "$@"' sh "$@"; }
if [ "$(id -u)" = 0 ] && [ -e /sys/fs/cgroup ]; then
    expect 'no group to be had' 125 '' "$refused" nowhere "$carrel" run --cpus 0.2 loops.wasm
    expect 'an audit of that' 125 '' "$refused" nowhere "$carrel" audit --cpus 0.2 loops.wasm
    expect 'and accepted' 0 '^42\|$' '' nowhere "$carrel" run --cpus 0.2 --degrade=cgroup --invoke 'add(40, 2)' loops.wasm
    expect 'which is told' 0 'missing +cgroup .*limit processors' '' nowhere "$carrel" audit --cpus 0.2 --degrade=cgroup loops.wasm
fi
# A component that spins is kept to its share by the kernel's own count: the group says how often it made its
# member wait, and for how many periods it gave a fifth of a processor, or 20 ms each. The time is read
# first, in ticks of the clock; 3 periods are for what the group gives ahead and for the rounding. What ends it
# is the death of its cell, so that carrel tidies up.
spins() {
    "$carrel" run --cpus 0.2 --timeout 60s loops.wasm 2>/dev/null &
    shim=$! waited=0 kept=no cell=
    while kill -0 $shim 2>/dev/null && [ "${waited:-0}" -lt 5 ]; do
        sleep 0.1
        groups=$(find /sys/fs/cgroup -path "*/carrel/$shim-*" -name cpu.stat -exec grep -l nr_throttled {} + 2>/dev/null)
        for group in $groups; do # that of a reader may go meanwhile
            { read -r cell <"${group%/*}/cgroup.procs" && ticks=$(awk '{print $14 + $15}' "/proc/$cell/stat") &&
                periods=$(awk '$1 == "nr_periods" {print $2}' "$group") &&
                waited=$(awk '$1 == "nr_throttled" {print $2}' "$group"); } 2>/dev/null || continue
            [ $((ticks * 1000 / $(getconf CLK_TCK))) -le $(((periods + 3) * 20)) ] && kept=yes || kept=no
        done
    done
    kill -TERM $shim
    wait $shim
    echo "$waited" | awk '{print ($1 >= 5 ? "waited" : "ran"), kept}' kept=$kept
}
expect 'as a unit of systemd' 0 'CPUQuota=20\.00%' '' "$carrel" audit --cpus 0.2 --degrade=cgroup --format systemd loops.wasm
module ends.wasm <<'W'
(module (func (export "_start")))
W
runs_suggested() {
    "$carrel" trace --cpus 0.25 --degrade=cgroup --suggest least.yaml ends.wasm 2>/dev/null && grep cpus least.yaml
    "$carrel" run --policy least.yaml --degrade=cgroup ends.wasm
}
expect 'a policy that a trace suggests' 0 '^  cpus: 0.25\|$' '' runs_suggested
if bounds '(.walls[] | select(.wall == "cgroup") | .state == "stands")'; then
    bounds '([.operations[] | select(.text | test("set cpu.(max to 20000 100000|cfs_quota_us to 20000) "))] | length) == 1'
    expect 'the audit says which limit applies' 0 '' '' test $? = 0
    expect 'a component that spins is kept to its share' 0 '^waited yes\|$' '' spins
    runs 'with a hundredth of a processor' 0 '^42\|$' '' --cpus 0.01 --invoke 'add(40, 2)' loops.wasm
    left() { find /sys/fs/cgroup -path "*/carrel/$shim-*"; }
    expect 'and no group is left' 0 '' '' left
fi

module fills.wasm <<'W'
(module (memory (export "memory") 16000)
  (func (export "_start") (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 1048576000)) (br 0)))
  (func (export "once") (memory.fill (i32.const 0) (i32.const 1) (i32.const 1000000))))
W
runs 'time in a bulk operation' 124 '' 'time limit' --timeout 200ms fills.wasm
runs 'fuel in a bulk operation' 134 '' 'all fuel consumed' --fuel 10000 fills.wasm
runs 'a bulk operation costs by its bytes' 134 '' 'all fuel consumed' --fuel 15625 --invoke 'once()' fills.wasm
runs 'and no more' 0 '' '' --fuel 15640 --invoke 'once()' fills.wasm

# --- Waiting in shared memory ----------------------------------------------------------------------------
# Nobody else can notify: without a timeout that is a trap, with one it lasts as long as that, where there is a clock.
module waits.wasm <<'W'
(module (memory 1 1 shared)
  (func (export "wait") (param i64) (result i32)
    (memory.atomic.wait32 (i32.const 0) (i32.const 0) (local.get 0))))
W
module waits_long.wasm <<'W'
(module (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
  (memory (export "memory") 1) (memory $shared 1 1 shared)
  (func $now (result i64) (drop (call $time (i32.const 1) (i64.const 1) (i32.const 0))) (i64.load (i32.const 0)))
  (func (export "wait") (param i64) (result i32) (local $begin i64)
    (local.set $begin (call $now))
    (if (i32.ne (memory.atomic.wait32 1 (i32.const 0) (i32.const 0) (local.get 0)) (i32.const 2))
      (then (unreachable)))
    (i32.and (i64.ge_u (i64.sub (call $now) (local.get $begin)) (local.get 0))
             (i64.lt_u (i64.sub (call $now) (local.get $begin)) (i64.const 5000000000)))))
W
runs 'a wait for ever' 134 '' '^carrel: waits.wasm: trap: waits for ever: memory.atomic.wait .*timeout.*wait.*byte [0-9]+' --invoke 'wait(-1)' waits.wasm
runs 'a wait where time stands still' 0 '^2\|$' '' --timeout 60s --invoke 'wait(9000000000000000)' waits.wasm
runs 'a wait with a clock, without polling' 0 '^1\|$' '' --invoke 'wait(200000000)' waits_long.wasm
runs 'a time limit ends that' 124 '' 'time limit' --timeout 200ms --invoke 'wait(60000000000)' waits_long.wasm

module grows.wasm <<'W'
(module (memory (export "memory") 1)
  (table $t 1 funcref)
  (func (export "pages") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "elements") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0)))
  (func (export "most") (result i32) (local i32)
    (loop (if (i32.ne (memory.grow (i32.const 16)) (i32.const -1)) (then (br 1))))
    (memory.size)))
W
runs 'within the memory limit' 0 '^1\|$' '' --memory 16M --invoke 'pages(255)' grows.wasm
runs 'one page more' 0 '^-1\|$' '' --memory 16M --invoke 'pages(256)' grows.wasm
runs 'as much as there is' 0 '^241\|$' '' --memory 16M --invoke 'most()' grows.wasm
runs 'within the table limit' 0 '^1\|$' '' --invoke 'elements(9999999)' grows.wasm
runs 'one element more' 0 '^-1\|$' '' --invoke 'elements(10000000)' grows.wasm
module large.wasm <<'W'
(module (memory 300) (func (export "_start")))
W
runs 'more memory than is given' 126 '' 'memory' --memory 16M large.wasm
runs 'as much as is given' 0 '' '' --memory 20M large.wasm

module deep.wasm <<'W'
(module (func $f (export "f") (param i32) (result i32)
  (if (result i32) (local.get 0)
    (then (i32.add (i32.const 1) (call $f (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0)))))
W
runs 'a deep stack' 0 '^10000\|$' '' --invoke 'f(10000)' deep.wasm
runs 'no bottom' 134 '' 'exhausted: call stack exhausted' --invoke 'f(-1)' deep.wasm

finish
