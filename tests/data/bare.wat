;; A component without names of its own, for what a trap says of where it was.
(component
  (component
    (core module
      (func unreachable)
      (func (export "run") call 0))
    (core instance (instantiate 0))
    (func (canon lift (core func 0 "run")))
    (export "run" (func 0)))
  (instance (instantiate 0))
  (export "fall" (func 0 "run")))
