;; Values of any size: a string and a list for the host, and a list that goes from one component to
;; another. tests/runner/values.sh
(component
  (component $takes
    (core module $m
      (memory (export "memory") 1600)
      (func (export "take") (param i32 i32) (result i32) (local.get 1))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
    (core instance $i (instantiate $m))
    (func (export "take") (param "l" (list bool)) (result u32)
      (canon lift (core func $i "take") (memory $i "memory") (realloc (func $i "realloc")))))
  (component $gives
    (import "take" (func $take (param "l" (list bool)) (result u32)))
    (core module $memory (memory (export "memory") 1600))
    (core instance $memory (instantiate $memory))
    (core func $take (canon lower (func $take) (memory $memory "memory")))
    (core module $m
      (import "" "take" (func $take (param i32 i32) (result i32)))
      (import "memory" "memory" (memory 0))
      (func (export "pass") (param i32) (result i32) (call $take (i32.const 1024) (local.get 0)))
      (func (export "get") (param i32) (result i32)
        (i32.store (i32.const 0) (i32.const 1024))
        (i32.store (i32.const 4) (local.get 0))
        (i32.const 0)))
    (core instance $i (instantiate $m
      (with "" (instance (export "take" (func $take))))
      (with "memory" (instance $memory))))
    (func (export "pass") (param "n" u32) (result u32) (canon lift (core func $i "pass")))
    (func (export "text") (param "n" u32) (result string)
      (canon lift (core func $i "get") (memory $memory "memory")))
    (func (export "bytes") (param "n" u32) (result (list u8))
      (canon lift (core func $i "get") (memory $memory "memory"))))
  (instance $takes (instantiate $takes))
  (instance $gives (instantiate $gives (with "take" (func $takes "take"))))
  (export "pass" (func $gives "pass"))
  (export "text" (func $gives "text"))
  (export "bytes" (func $gives "bytes")))
