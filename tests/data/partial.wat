;; An interface that is imported with one function and exported with another, for tests/wit.mjs.
(component
  (import "p:q/a" (instance $a (export "f" (func)) (export "h" (func))))
  (core module $m (func (export "f")))
  (core instance $i (instantiate $m))
  (func $f (canon lift (core func $i "f")))
  (instance $e (export "f" (func $f)) (export "g" (func $f)))
  (export "p:q/a" (instance $e)))
