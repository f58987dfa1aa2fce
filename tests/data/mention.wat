;; Types of an interface that functions mention under no name of their own: of the world, and of
;; another interface.
(component
  (import "p:q/types@0.1.0" (instance $types
    (type $r (record (field "a" u8)))
    (export "r" (type (eq $r)))
    (export "x" (type (sub resource)))))
  (alias export $types "r" (type $r))
  (alias export $types "x" (type $x))
  (import "p:q/api@0.1.0" (instance
    (alias outer 1 $r (type $q))
    (type $v (variant (case "c" $q)))
    (export "v" (type (eq $v)))
    (export "f" (func (param "a" $q)))))
  (type $pairs (list (tuple $r (own $x))))
  (import "f" (func $f (param "a" $r) (param "b" $pairs) (result (option $r))))
  (export "g" (func $f)))
