#!/bin/sh
# Looking at code: --trace-wasm, and the register code that `inspect` shows, from the engine that ships.
#   tests/runner/trace.sh CARREL
# The last line is `N passed, N failed`.
set -u
carrel=$(realpath "$1")
data=$(realpath "$(dirname "$0")/../data")
. "$(dirname "$0")/expect.sh"

wat2wasm --debug-names -o add.wasm - <<'W' || exit 1
(module (memory 1)
  (func $add (export "add") (param i32 i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (unreachable)))
    (i32.store offset=8 (i32.const 16) (i32.const 7))
    (i32.add (local.get 0) (local.get 1))))
W
expect 'every instruction, as far as it comes' 0 '^42\|$' \
    '^carrel: trace: add\[0\] 0x28: local.get 0\|carrel: trace: add\[0\] 0x2a: i32.eqz\|carrel: trace: add\[0\] 0x2b: if\|carrel: trace: add\[0\] 0x2f: i32.const 16\|carrel: trace: add\[0\] 0x31: i32.const 7\|carrel: trace: add\[0\] 0x33: i32.store offset=8\|carrel: trace: add\[0\] 0x36: local.get 0\|carrel: trace: add\[0\] 0x38: local.get 1\|carrel: trace: add\[0\] 0x3a: i32.add\|carrel: trace: add\[0\] 0x3b: end\|$' \
    "$carrel" run --trace-wasm --invoke 'add(40, 2)' add.wasm
expect 'up to the trap' 134 '' '0x2b: if\|carrel: trace: add\[0\] 0x2d: unreachable\|carrel: add.wasm: trap: ' \
    "$carrel" run --trace-wasm --invoke 'add(0, 2)' add.wasm
expect 'nothing unless it is asked for' 0 '^42\|$' '' "$carrel" run --invoke 'add(40, 2)' add.wasm

# What is traced is what is listed, at the same places: of the modules in a component, too.
listed() {
    "$carrel" inspect --wat "$1" | sed -n 's/^(;@0*\([0-9a-f]*\);) *\(.*\)$/0x\1: \2/p' | sed 's/ ;; label.*//' | sort -u >listed
    "$carrel" run --trace-wasm --invoke "$2" "$1" 2>&1 >/dev/null | sed 's/^carrel: .*\[[0-9]*\] //' | grep -v ': end$' | sort -u >traced
    [ -s traced ] && [ -z "$(comm -23 traced listed | grep -v 'call [0-9]')" ] && wc -l <traced
}
expect 'a component' 0 '^[1-9][0-9]+\|$' '' listed "$data/echo.wasm" 'string("carrel")'

# Whoever reads it may be slow, and then nothing is lost; or may not read, and then it ends all the same.
wat2wasm -o loop.wasm - <<'W' || exit 1
(module (func (export "down") (param i32)
    (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))
W
slowly() { { "$carrel" run --trace-wasm --invoke 'down(1000)' loop.wasm 2>&1 >/dev/null; echo "$?"; } | { sleep 0.5; sed 's/.*: //' | sort | uniq -c; }; }
expect 'to a slow reader' 0 ' 1 0\| *1000 br_if 0\| *2 end\| *1000 i32.const 1\| *1000 i32.sub\| *1000 local.get 0\| *1000 local.tee 0\| *1 loop\|$' '' slowly
mkfifo unread
unread() {
    sleep 10 <unread &
    timeout -s KILL 5 "$carrel" run --timeout 500ms --trace-wasm --invoke 'down(0)' loop.wasm 2>unread
    code=$?
    kill $!
    return $code
}
expect 'to nobody' 124 '' '' unread

expect 'register code' 0 '\(;@000028;\)   local.get 0\|.*\|    ;;     0 ENTER0 [0-9a-f]{16}( \([2-4] in a row\))?\|.*\|    ;;.* I32_STORE_IS [0-9a-f]{16}( \([2-4] in a row\))?\|.*;; .*RET_A\|' '' \
    "$carrel" inspect --registers add.wasm

finish
