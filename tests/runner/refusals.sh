#!/bin/sh
# What the engine that ships refuses, and what it must not: files made here, run in cells.
#   tests/runner/refusals.sh CARREL
# The last line is `N passed, N failed`.
set -u
carrel=$(realpath "$1")
. "$(dirname "$0")/expect.sh"

# refuses NAME CODE PATTERN COMMAND...: expect, whatever goes to standard output
refuses() {
    name=$1 code=$2 err=$3
    shift 3
    expect "$name" "$code" '' "$err" silenced "$@"
}
silenced() { "$@" >/dev/null; }

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
refuses 'all imports of another type, before the run' 126 \
    '2 (imports|functions).*\|.*fd_write: expected \(func \(param i32 i32 i32\) \(result i32\)\), found .*\|.*wasi_unstable#proc_exit: expected \(func \(param i64\)\), found \(func \(param i32\)\)\|$' \
    "$carrel" run mistyped.wasm
refuses 'the audit knows' 0 '' "$carrel" audit mistyped.wasm
# as_json NAME FILTER FILE: the one file of an audit, judged by jq
as_json() {
    if "$carrel" audit --json "$3" 2>stderr | jq -e ".files[0] | $2" >/dev/null; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $1, as JSON"
    fi
}
as_json 'runs, mismatched' '(.runs | not) and (.mismatched | length == 2)' mistyped.wasm
as_json 'what is mistyped is not given' '.functions | map(select(.answer == "given") | .function) == ["wasi_snapshot_preview1#fd_read"]' mistyped.wasm
module worse.wasm <<'E'
(module
  (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32) (result i32)))
  (import "a" "a" (func)) (import "a" "b" (func)) (import "" "" (func))
  (func (export "_start")
    (drop (call 0 (i32.const 0) (i32.const 0) (i32.const 0))) (call 1) (call 2) (call 3)))
E
refuses 'both kinds are counted, and a name that is empty is one' 126 \
    'has 3 imports that .*, and 1 with a type .*of another type: wasi_snapshot_preview1#fd_write: .*not known: a#a\|.*not known: a#b\|.*not known: ""\|$' \
    "$carrel" run worse.wasm

# --- What is imported and never called ---------------------------------------------------------------
module uncalled.wasm <<'E'
(module
  (import "env" "a" (func)) (import "env" "b" (func (param i32)))
  (import "wasi_snapshot_preview1" "nosuch" (func))
  (import "wasi_snapshot_preview1" "random_get" (func (param i32 i32) (result i32)))
  (func (export "_start")))
E
refuses 'it runs' 0 '' "$carrel" run uncalled.wasm
for form in '' --verbose --format=html; do
    expect "the audit names it $form" 0 'Imported, not known to carrel, and never called.*env#a.*env#b.*preview1#nosuch' '' \
        "$carrel" audit $form uncalled.wasm
done
as_json 'the audit names it' '.runs and .uncalled == ["env#a", "env#b", "wasi_snapshot_preview1#nosuch"] and .unknown == []' uncalled.wasm
# (component (import "foo:bar/baz@1.0.0" (instance (export "f" (func)))) (import "plain" (func)))
node -e '
  const text = s => [s.length, ...Buffer.from(s)], part = (id, bytes) => [id, bytes.length, ...bytes];
  process.stdout.write(Buffer.from([0, 97, 115, 109, 13, 0, 1, 0,
    ...part(7, [2, 0x40, 0, 1, 0, 0x42, 2, 1, 0x40, 0, 1, 0, 4, 0, ...text("f"), 1, 0]),
    ...part(10, [2, 0, ...text("foo:bar/baz@1.0.0"), 5, 1, 0, ...text("plain"), 1, 0])]));' >uncalled.component
as_json "a component's" '.uncalled == ["foo:bar/baz@1.0.0#f", "plain"]' uncalled.component

# --- What starts it -----------------------------------------------------------------------------------
module parameter.wasm <<'E'
(module (func (export "_start") (param i32)))
E
module reactor.wasm <<'E'
(module (func (export "_initialize")) (func (export "f")))
E
for file in parameter.wasm reactor.wasm; do
    refuses "no program: $file" 126 'is no program, which exports a function "_start" .*--invoke' "$carrel" run $file
    expect "the audit knows that of $file" 0 'It has no program: .*--invoke' '' "$carrel" audit $file
    as_json "what starts $file" '(.runs | not) and .started_by == "carrel run --invoke" and (.refusal | test("is no program"))' $file
done
expect 'the audit is one of a program' 0 'It would run\.' '' "$carrel" audit uncalled.wasm
as_json 'a program is run' '.runs and .started_by == "carrel run" and .refusal == null' uncalled.wasm
printf '\000asm\001\000\000\000\377' >bad.wasm
as_json 'a file that cannot be audited' '.file == "bad.wasm" and .runs == false and .error.kind == "malformed" and .error.offset == 9' bad.wasm

# --- Sizes ------------------------------------------------------------------------------------------
: >empty.wasm
refuses 'an empty file' 126 '^carrel: empty.wasm: malformed: .*\|$' "$carrel" run empty.wasm
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
        refuses "a file of 43691 * $times - $less bytes" 0 '' "$carrel" run padded.wasm
    done
done

# --- Images -----------------------------------------------------------------------------------------
module other.wasm <<'E'
(module (func (export "_start")) (func (export "other")))
E
refuses 'processes for requests that would outlive their server' 125 '^carrel: .*would outlive their server: use .*\|$' \
    "$carrel" serve --isolation process --degrade pid-namespace small.wasm
gzip -c small.wasm | head -c 40 >layer.gz
image() { tar --format=ustar -cf image.tar "$@"; }
for command in run 'serve --addr 127.0.0.1:0' audit; do
    image layer.gz
    refuses "$command: an image with a layer that is cut off" 126 \
        '^carrel: image.tar: malformed: a layer that ends within its gzip data \(at byte [0-9]+\): .*\|$' "$carrel" $command image.tar
    image empty.wasm
    refuses "$command: an image without a component" 126 \
        '^carrel: image.tar: an archive without a component.*\|$' "$carrel" $command image.tar
    image small.wasm other.wasm
    refuses "$command: an image with two components" 126 \
        '^carrel: image.tar: an image with more than one component.*\|$' "$carrel" $command image.tar
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
refuses 'a function that nests too deep to be read' 126 '^carrel: deep.wasm: limit: .*\|$' \
    "$carrel" run deep.wasm
module table.wasm <<'E'
(module (table 4294967295 funcref) (func (export "_start")))
E
refuses 'a table beyond the limits' 126 '^carrel: table.wasm: limit: .*4294967295 elements.*\|$' \
    "$carrel" run table.wasm
module memory.wasm <<'E'
(module (memory 100) (func (export "_start")))
E
refuses 'more memory than is allowed' 126 '^carrel: memory.wasm: .*--memory\|$' \
    "$carrel" run --memory 1M memory.wasm

# --- Paths that are refused --------------------------------------------------------------------------
# Opens 300 names that lead out of its directory, the same one as often, and makes one in it.
module outside.wasm <<'E'
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_create_directory"
    (func $make (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "../x000")
  (data (i32.const 16) "../same")
  (data (i32.const 32) "made")
  (func $name (param $i i32)
    (i32.store8 (i32.const 4) (i32.add (i32.const 48) (i32.div_u (local.get $i) (i32.const 100))))
    (i32.store8 (i32.const 5)
      (i32.add (i32.const 48) (i32.rem_u (i32.div_u (local.get $i) (i32.const 10)) (i32.const 10))))
    (i32.store8 (i32.const 6) (i32.add (i32.const 48) (i32.rem_u (local.get $i) (i32.const 10)))))
  (func $refused (param $at i32)
    (if (i32.ne (i32.const 63)
          (call $open (i32.const 3) (i32.const 0) (local.get $at) (i32.const 7) (i32.const 0)
            (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 64)))
      (then (call $exit (i32.const 1)))))
  (func (export "_start") (local $i i32)
    (drop (call $make (i32.const 3) (i32.const 32) (i32.const 4)))
    (loop $again
      (call $refused (i32.const 16))
      (call $name (local.get $i))
      (call $refused (i32.const 0))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 300))))))
E
mkdir given
refuses 'paths that are refused' 0 \
    'path_create_directory made was refused: dir.mutate is not granted below /, which is given to be read only; --dir [^ ]*/given::/ in place of --dir [^ ]*/given::/:ro or, in a policy, allow: .dir: "[^ ]*/given::/". allows it\|.*path_open ../same was refused: it leads out of /, as no path may; --dir ([^ ]*)::\1:ro or, in a policy, [^|]* gives what it leads to a name of its own\|.*path_open ../x000 was refused.*more was refused, which is not shown\|$' \
    "$carrel" run --dir given::/:ro --audit-log paths.log outside.wasm
expect 'each is told once, of some' 0 '^1\|1\|63\|1\|$' '' \
    jq -rs '[.[] | select(.event == "denied") | .subject] | (map(select(. == "made")) | length), (map(select(. == "../same")) | length), (map(select(. != null)) | length) - 1, (map(select(. == null)) | length)' paths.log
finish
