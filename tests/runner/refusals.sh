#!/bin/sh
# What the engine that ships refuses, and what it must not: files made here, run in cells.
#   tests/runner/refusals.sh CARREL
# The last line is `N passed, N failed`.
set -u
carrel=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
cd "$work" || exit 1
passed=0 failed=0

# expect NAME CODE PATTERN COMMAND...: the exit code, and a grep -E pattern in what it says on standard
# error (lines joined with `|`; empty: nothing is said).
expect() {
    name=$1 code=$2 pattern=$3
    shift 3
    "$@" >/dev/null 2>stderr </dev/null
    got=$?
    seen=$(tr '\n' '|' <stderr)
    if [ $got -eq "$code" ] && said; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s: exit %s (expected %s), said %s (expected %s)\n' \
            "$name" "$got" "$code" "$seen" "$pattern"
    fi
}
said() {
    if [ -z "$pattern" ]; then [ -z "$seen" ]; else printf '%s' "$seen" | grep -Eq -- "$pattern"; fi
}
# module NAME: from the text format on standard input
module() { wat2wasm --enable-all -o "$1" - || exit 1; }

# --- Types ------------------------------------------------------------------------------------------
module mistyped.wasm <<'E'
(module
  (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func (param i32 i32 i32 i32) (result i32)))
  (import "wasi_unstable" "proc_exit" (func (param i64)))
  (import "wasi_snapshot_preview1" "random_get" (func)) ;; never called: of any type
  (func (export "_start")
    (drop (call 0 (i32.const 0) (i32.const 0) (i32.const 0)))
    (drop (call 1 (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
    (call 2 (i64.const 0))))
E
expect 'all imports of another type, before the run' 126 \
    '2 (imports|functions).*\|.*fd_write: expected \(func \(param i32 i32 i32\) \(result i32\)\), found .*\|.*wasi_unstable#proc_exit: expected \(func \(param i64\)\), found \(func \(param i32\)\)\|$' \
    "$carrel" run mistyped.wasm
expect 'the audit knows' 0 '' "$carrel" audit mistyped.wasm
if "$carrel" audit --json mistyped.wasm |
    jq -e '.files[0] | (.runs | not) and (.mismatched | length == 2)' >/dev/null; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
    echo 'FAILED the audit as JSON: runs, mismatched'
fi

# --- Sizes ------------------------------------------------------------------------------------------
: >empty.wasm
expect 'an empty file' 126 '^carrel: empty.wasm: malformed: .*\|$' "$carrel" run empty.wasm
module small.wasm <<'E'
(module (func (export "_start")))
E
# small.wasm in so many bytes: a custom section "x" behind it, whose size takes five bytes.
padded() {
    size=$(($1 - $(wc -c <small.wasm) - 6))
    cat small.wasm
    printf '\000'
    for shift in 0 7 14 21; do
        printf "\\$(printf %o $((size >> shift & 127 | 128)))"
    done
    printf "\\$(printf %o $((size >> 28 & 127)))\\001x"
    head -c $((size - 2)) /dev/zero
}
# The memory of a cell is counted in MiB, of which each byte of the file takes some.
for times in 1 2 3 10; do
    for less in 0 1 80 169 170 171; do
        padded $((43691 * times - less)) >padded.wasm
        expect "a file of 43691 * $times - $less bytes" 0 '' "$carrel" run padded.wasm
    done
done

# --- What takes more than there is --------------------------------------------------------------------
# 200,000 blocks within each other, as bytes: readers of the text format do not nest so deep.
node -e '
  const u = (n) => { const b = []; do { b.push(n > 127 ? n & 127 | 128 : n); n >>>= 7; } while (n); return b; };
  const count = 200000;
  const body = [0, ...Array(count).fill([2, 0x40]).flat(), ...Array(count + 1).fill(11)];
  const part = (id, bytes) => [id, ...u(bytes.length), ...bytes];
  process.stdout.write(Buffer.from([0, 97, 115, 109, 1, 0, 0, 0, ...part(1, [1, 0x60, 0, 0]),
    ...part(3, [1, 0]), ...part(7, [1, 6, ...Buffer.from("_start"), 0, 0]),
    ...part(10, [1, ...u(body.length), ...body])].flat()));' >deep.wasm
expect 'a function that nests too deep to be read' 126 '^carrel: deep.wasm: limit: .*\|$' \
    "$carrel" run deep.wasm
module table.wasm <<'E'
(module (table 4294967295 funcref) (func (export "_start")))
E
expect 'a table beyond the limits' 126 '^carrel: table.wasm: limit: .*4294967295 elements.*\|$' \
    "$carrel" run table.wasm
module memory.wasm <<'E'
(module (memory 100) (func (export "_start")))
E
expect 'more memory than is allowed' 126 '^carrel: memory.wasm: .*--memory\|$' \
    "$carrel" run --memory 1M memory.wasm

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
