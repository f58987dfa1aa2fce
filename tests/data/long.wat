;; Names that are longer than a backtrace has room for: of an instance (called), of an interface
;; that a function is of (called), and of a field whose value does not pass (given).
(component
  (component $Inner
    (core module $m
      (memory (export "memory") 1)
      (func (export "fall") unreachable)
      (func (export "give") (result i32)
        (i32.store (i32.const 0) (i32.const 0xd800))
        (i32.const 0)))
    (core instance $core (instantiate $m))
    (type $record' (record (field "a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-end" char)))
    (export $record "named" (type $record'))
    (type $pair (tuple $record u8))
    (func (export "fall") (canon lift (core func $core "fall")))
    (func (export "give") (result $pair) (canon lift (core func $core "give") (memory $core "memory"))))
  (component $Outer
    (import "long:names/a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-end" (instance $from (export "fall" (func))))
    (core func $fall (canon lower (func $from "fall")))
    (core module $m (import "" "fall" (func $fall)) (func (export "call") (call $fall)))
    (core instance $core (instantiate $m (with "" (instance (export "fall" (func $fall))))))
    (func (export "called") (canon lift (core func $core "call"))))
  (instance $inner (instantiate $Inner))
  (instance $a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-end (instantiate $Outer (with "long:names/a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-end" (instance $inner))))
  (alias export $a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-a-very-long-word-end "called" (func $called))
  (export "called" (func $called))
  (export "given" (instance $inner)))
