;; A small program of the command world: greets each of its arguments, or the world, then says how many
;; bytes came on standard input. Assembled by `jco parse greet.wat -o greet.wasm`.
(component
  (import "wasi:io/error@0.2.0" (instance $error
    (export "error" (type (sub resource)))))
  (alias export $error "error" (type $error-type))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (alias outer 1 $error-type (type $outer))
    (export $error "error" (type (eq $outer)))
    (export $input "input-stream" (type (sub resource)))
    (export $output "output-stream" (type (sub resource)))
    (type $stream-error (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export $failure "stream-error" (type (eq $stream-error)))
    (export "[method]input-stream.blocking-read" (func
      (param "self" (borrow $input)) (param "len" u64)
      (result (result (list u8) (error $failure)))))
    (export "[method]output-stream.blocking-write-and-flush" (func
      (param "self" (borrow $output)) (param "contents" (list u8))
      (result (result (error $failure)))))))
  (alias export $streams "input-stream" (type $input))
  (alias export $streams "output-stream" (type $output))
  (import "wasi:cli/stdin@0.2.0" (instance $stdin
    (alias outer 1 $input (type $outer))
    (export $in "input-stream" (type (eq $outer)))
    (export "get-stdin" (func (result (own $in))))))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $output (type $outer))
    (export $out "output-stream" (type (eq $outer)))
    (export "get-stdout" (func (result (own $out))))))
  (import "wasi:cli/environment@0.2.0" (instance $environment
    (export "get-arguments" (func (result (list string))))))

  ;; Memory and realloc come first: the imports are lowered into them.
  (core module $memory
    (memory (export "memory") 2)
    (global $top (mut i32) (i32.const 4096))
    (func (export "realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32)
      (result i32)
      (local $at i32)
      (local.set $at (i32.and
        (i32.add (global.get $top) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
      (global.set $top (i32.add (local.get $at) (local.get $new)))
      (if (i32.gt_u (global.get $top) (i32.const 131072)) (then unreachable))
      (local.get $at))
    (func (export "reset") (global.set $top (i32.const 4096))))
  (core instance $m (instantiate $memory))
  (alias core export $m "memory" (core memory $mem))
  (alias core export $m "realloc" (core func $realloc))
  (alias export $stdin "get-stdin" (func $get-stdin))
  (alias export $stdout "get-stdout" (func $get-stdout))
  (alias export $environment "get-arguments" (func $get-arguments))
  (alias export $streams "[method]input-stream.blocking-read" (func $read))
  (alias export $streams "[method]output-stream.blocking-write-and-flush" (func $write))
  (core func $get-stdin' (canon lower (func $get-stdin)))
  (core func $get-stdout' (canon lower (func $get-stdout)))
  (core func $get-arguments' (canon lower (func $get-arguments) (memory $mem) (realloc $realloc)))
  (core func $read' (canon lower (func $read) (memory $mem) (realloc $realloc)))
  (core func $write' (canon lower (func $write) (memory $mem)))
  (core func $drop-output (canon resource.drop $output))
  (core func $drop-input (canon resource.drop $input))

  (core module $program
    (import "host" "memory" (memory 2))
    (import "host" "reset" (func $reset))
    (import "host" "get-stdin" (func $get-stdin (result i32)))
    (import "host" "get-stdout" (func $get-stdout (result i32)))
    (import "host" "get-arguments" (func $get-arguments (param i32)))
    (import "host" "read" (func $read (param i32 i64 i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (import "host" "drop-output" (func $drop-output (param i32)))
    (import "host" "drop-input" (func $drop-input (param i32)))
    (data (i32.const 1024) "Hello, ")
    (data (i32.const 1040) "world")
    (data (i32.const 1056) "!\n")
    (data (i32.const 1064) " bytes came in.\n")
    (global $out (mut i32) (i32.const 0))

    ;; Prints `len` bytes at `at`, at most 4096 of them.
    (func $print (param $at i32) (param $len i32)
      (call $write (global.get $out) (local.get $at) (local.get $len) (i32.const 16)))

    (func $greet (param $at i32) (param $len i32)
      (call $print (i32.const 1024) (i32.const 7))
      (call $print (local.get $at) (local.get $len))
      (call $print (i32.const 1056) (i32.const 2)))

    ;; Prints a number in digits, made from the right.
    (func $print-number (param $value i64)
      (local $at i32)
      (local.set $at (i32.const 2048))
      (loop $more
        (local.set $at (i32.sub (local.get $at) (i32.const 1)))
        (i32.store8 (local.get $at)
          (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $value) (i64.const 10)))))
        (local.set $value (i64.div_u (local.get $value) (i64.const 10)))
        (br_if $more (i64.ne (local.get $value) (i64.const 0))))
      (call $print (local.get $at) (i32.sub (i32.const 2048) (local.get $at))))

    ;; How many bytes come on standard input until it ends.
    (func $count (result i64)
      (local $in i32) (local $sum i64)
      (local.set $in (call $get-stdin))
      (block $end
        (loop $more
          (call $reset)
          (call $read (local.get $in) (i64.const 4096) (i32.const 32))
          (br_if $end (i32.load8_u (i32.const 32)))
          (local.set $sum (i64.add (local.get $sum) (i64.load32_u (i32.const 40))))
          (br $more)))
      (call $drop-input (local.get $in))
      (local.get $sum))

    (func (export "run") (result i32)
      (local $at i32) (local $left i32)
      (global.set $out (call $get-stdout))
      (call $get-arguments (i32.const 0))
      (local.set $at (i32.load (i32.const 0)))
      (local.set $left (i32.load (i32.const 4)))
      (if (i32.le_u (local.get $left) (i32.const 1)) (then
        (call $greet (i32.const 1040) (i32.const 5))))
      (block $end
        (loop $more
          (br_if $end (i32.le_u (local.get $left) (i32.const 1)))
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))
          (call $greet (i32.load (local.get $at)) (i32.load offset=4 (local.get $at)))
          (br $more)))
      (call $print-number (call $count))
      (call $print (i32.const 1064) (i32.const 16))
      (call $drop-output (global.get $out))
      (i32.const 0)))
  (core instance $p (instantiate $program (with "host" (instance
    (export "memory" (memory $m "memory"))
    (export "reset" (func $m "reset"))
    (export "get-stdin" (func $get-stdin'))
    (export "get-stdout" (func $get-stdout'))
    (export "get-arguments" (func $get-arguments'))
    (export "read" (func $read'))
    (export "write" (func $write'))
    (export "drop-output" (func $drop-output))
    (export "drop-input" (func $drop-input))))))
  (func $run (result (result)) (canon lift (core func $p "run")))
  (instance $exported (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $exported)))
