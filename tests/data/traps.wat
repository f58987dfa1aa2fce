;; Traps where values are passed, and in what carrel does for components: for tests/runner/values.sh, which
;; looks at what their backtraces name.
(component
  (import "wasi:cli/exit@0.2.0" (instance $exit (export "exit" (func (param "status" (result))))))
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
  ;; Is given a value and gives one; with an allocation that fails on demand.
  (component $Inner
    (core module $m
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (if (i32.eq (local.get 3) (i32.const 13)) (then (unreachable)))
        (if (i32.eq (local.get 3) (i32.const 14)) (then (return (i32.const 65530))))
        (i32.const 1024))
      (func (export "take") (param i32 i32))
      (func (export "give") (param i32) (result i32)
        (i32.store (i32.const 0) (i32.const 16))
        (i32.store (i32.const 4) (i32.const 2))
        (i32.store (i32.const 16) (i32.const 65))
        (i32.store8 (i32.const 20) (i32.const 1))
        (i32.store (i32.const 24) (local.get 0))
        (i32.const 0))
      (func $tidy (export "tidy") (param i32)
        (if (i32.eq (i32.load (i32.const 24)) (i32.const 66)) (then (unreachable)))))
    (core instance $inner (instantiate $m))
    (type $item' (record (field "letter" char) (field "some" (option u8))))
    (export $item "item" (type $item'))
    (func (export "take") (param "text" string)
      (canon lift (core func $inner "take") (memory $inner "memory") (realloc (func $inner "realloc"))))
    (func (export "give") (param "letter" u32) (result (list $item))
      (canon lift (core func $inner "give") (memory $inner "memory") (post-return (func $inner "tidy")))))
  ;; Calls it.
  (component $Outer
    (import "parts:inner/api" (instance $api
      (type $item' (record (field "letter" char) (field "some" (option u8))))
      (export $item "item" (type (eq $item')))
      (export "take" (func (param "text" string)))
      (export "give" (func (param "letter" u32) (result (list $item))))))
    (core module $Memory
      (memory (export "memory") 1)
      (data (i32.const 64) "thirteen bytes and more\ff")
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
    (core instance $memory (instantiate $Memory))
    (core func $take (canon lower (func $api "take") (memory $memory "memory")))
    (core func $give (canon lower (func $api "give") (memory $memory "memory") (realloc (func $memory "realloc"))))
    (core module $m
      (import "" "take" (func $take (param i32 i32)))
      (import "" "give" (func $give (param i32 i32)))
      (func $begin-take (export "take") (param i32) (call $take (i32.const 64) (local.get 0)))
      (func $begin-give (export "give") (param i32) (call $give (local.get 0) (i32.const 8))))
    (core instance $outer (instantiate $m (with "" (instance
      (export "take" (func $take)) (export "give" (func $give))))))
    (func (export "take") (param "length" u32) (canon lift (core func $outer "take")))
    (func (export "give") (param "letter" u32) (canon lift (core func $outer "give"))))
  ;; Functions of the host.
  (core module $Memory
    (memory (export "memory") 1)
    (func $realloc (export "realloc") (param i32 i32 i32 i32) (result i32) (unreachable)))
  (core instance $memory (instantiate $Memory))
  (core func $exit (canon lower (func $exit "exit")))
  (core func $bytes (canon lower (func $random "get-random-bytes") (memory $memory "memory")
    (realloc (func $memory "realloc"))))
  (core module $Host
    (import "" "exit" (func $exit (param i32)))
    (import "" "bytes" (func $bytes (param i64 i32)))
    (func $begin-leave (export "leave") (call $exit (i32.const 2)))
    (func $draw (export "draw") (call $bytes (i64.const 8) (i32.const 8))))
  (core instance $host (instantiate $Host (with "" (instance
    (export "exit" (func $exit)) (export "bytes" (func $bytes))))))
  (func (export "leave") (canon lift (core func $host "leave")))
  (func (export "draw") (canon lift (core func $host "draw")))
  (instance $inner (instantiate $Inner))
  (instance $outer (instantiate $Outer (with "parts:inner/api" (instance $inner))))
  (export "parts:outer/api" (instance $outer)))
