;; Takes what the host holds for a component, and never gives it back: for tests/runner/values.sh.
(component
  (type $r (resource (rep i32)))
  (type $s (stream u8))
  (core func $new (canon resource.new $r))
  (core func $stream (canon stream.new $s))
  (core module $m
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "stream" (func $stream (result i64)))
    (func (export "handles") (loop (drop (call $new (i32.const 1))) (br 0)))
    (func (export "streams") (loop (drop (call $stream)) (br 0))))
  (core instance $i (instantiate $m (with "" (instance
    (export "new" (func $new)) (export "stream" (func $stream))))))
  (func (export "handles") (canon lift (core func $i "handles")))
  (func (export "streams") (canon lift (core func $i "streams"))))
