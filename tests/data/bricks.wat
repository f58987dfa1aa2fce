;; Components linked in a component, each with its own memory: for tests/runner/values.sh. `add` keeps
;; a sum in each of two counters made from one component; `fall` traps in the second of them.
(component $bricks
  (component $Counter
    (core module $cell
      (memory (export "m") 1)
      (func $sum (export "sum") (param i32) (result i32)
        (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (local.get 0)))
        (i32.load (i32.const 0)))
      (func $deep (unreachable))
      (func $fall (export "fall") (call $deep)))
    (core instance $state (instantiate $cell))
    (func $sum (param "n" u32) (result u32) (canon lift (core func $state "sum")))
    (func $fall (canon lift (core func $state "fall")))
    (export "sum" (func $sum))
    (export "fall" (func $fall)))
  (component $User
    (import "first" (instance $first (export "sum" (func (param "n" u32) (result u32)))))
    (import "second" (instance $second
      (export "sum" (func (param "n" u32) (result u32)))
      (export "fall" (func))))
    (core func $a (canon lower (func $first "sum")))
    (core func $b (canon lower (func $second "sum")))
    (core func $f (canon lower (func $second "fall")))
    (core module $adder
      (import "" "a" (func $a (param i32) (result i32)))
      (import "" "b" (func $b (param i32) (result i32)))
      (import "" "f" (func $f))
      (func (export "add") (result i32)
        (drop (call $a (i32.const 1)))
        (drop (call $a (i32.const 1)))
        (drop (call $b (i32.const 10)))
        (i32.add (i32.mul (call $a (i32.const 0)) (i32.const 100)) (call $b (i32.const 0))))
      (func $start-falling (export "fall") (call $f)))
    (core instance $both (instantiate $adder (with "" (instance
      (export "a" (func $a)) (export "b" (func $b)) (export "f" (func $f))))))
    (func $add (result u32) (canon lift (core func $both "add")))
    (func $fall (canon lift (core func $both "fall")))
    (export "add" (func $add))
    (export "fall" (func $fall)))
  (instance $one (instantiate $Counter))
  (instance $two (instantiate $Counter))
  (instance $user (instantiate $User (with "first" (instance $one)) (with "second" (instance $two))))
  (alias export $user "add" (func $add))
  (alias export $user "fall" (func $fall))
  (export "add" (func $add))
  (export "fall" (func $fall)))
