#!/bin/sh
# Audits of WIT worlds: all that a component of them could import, whether the file has it or not.
#   tests/audit/worlds.sh CARREL
# The last line is `N passed, N failed`.
set -u
carrel=$(realpath "$1")
. "$(dirname "$0")/../runner/expect.sh"

facts() { "$carrel" audit --json "$1" | jq -r ".files[0] | $2"; }

cat >small.wit <<'W'
package acme:small@1.0.0;
interface shared { resource file { read: func() -> u8; } }
interface lock { use shared.{file}; open: func(f: borrow<file>); }
world small {
  import wasi:cli/stdout@0.2.3;
  import lock;
  export wasi:cli/run@0.2.3;
}
W
expect 'its kind' 0 '^WIT world\|1\|$' '' facts small.wit '.kind, (.exports | length)'
expect 'what WASI uses comes with it' 0 '^acme:small/lock@1.0.0\|acme:small/shared@1.0.0\|wasi:cli/stdout@0.2.3\|wasi:io/error@0.2.3\|wasi:io/poll@0.2.3\|wasi:io/streams@0.2.3\|$' '' \
    facts small.wit '.imports | sort | .[]'
expect 'what it asks for besides' 0 '^acme:small/lock@1.0.0#open\|acme:small/shared@1.0.0#\[method\]file.read\|$' '' facts small.wit '.unknown | sort | .[]'
expect 'what follows' 0 '^read write exit_group ppoll\|$' '' facts small.wit '[.system_calls[].system_call] | join(" ")'
expect 'it does not run' 126 '' 'is the text of a world' "$carrel" run small.wit

cat >whole.wit <<'W'
world w { include wasi:cli/command@0.2.12; }
W
expect 'a world of WASI that is elsewhere' 0 '^wasi:cli/run@0.2.12\|wasi:cli/command\|clock dir.mutate dir.read dir.write env' '' \
    facts whole.wit '.exports[0], (.worlds | join(" ")), ([.capabilities[].capability] | map(select(test("^(env|clock|dir)"))) | sort_by(.) | join(" "))'
cat >part.wit <<'W'
package wasi:cli@0.2.1 { interface stdout { use wasi:io/streams@0.2.1.{output-stream}; get-stdout: func() -> output-stream; extra: func(); } }
package wasi:io@0.2.1 { interface streams { resource output-stream { flush: func(); } } }
world w { import wasi:cli/stdout@0.2.1; }
W
expect 'a package of WASI that is in the file' 0 '^wasi:cli/stdout@0.2.1#extra\|wasi:cli/stdout#get-stdout wasi:io/streams#\[method\]output-stream.flush wasi:io/streams#\[resource-drop\]output-stream\|$' '' \
    facts part.wit '.unknown[0], ([.functions[].function] | sort | join(" "))'
cat >alias.wit <<'W'
package a:b;
use wasi:random/random@0.2.0 as dice;
interface i { use there.{t}; }
interface there { type t = u8; f: func(); }
world one { import dice; include two; }
world two { import i; include one; }
W
expect 'names for names, worlds in a circle' 0 '^a:b/there#f\|wasi:random/random@0.2.0\|$' '' facts alias.wit '.unknown[0], (.imports[] | select(test("random")))'
printf 'package a:b@0.1.0;\ninterface i { f: func(); }\n' >none.wit
expect 'no world' 126 '' 'a WIT file without a world' "$carrel" audit none.wit
printf 'world w {\n  import ;\n}\n' >wrong.wit
expect 'a mistake' 126 '' "malformed: WIT: expected a name, found ';' .at byte 19." "$carrel" audit wrong.wit
printf 'interface i {} interface i {} world w {}\n' >twice.wit
expect 'twice' 126 '' "'i' is declared twice" "$carrel" audit twice.wit
printf 'version: 1\nallow: {}\n' >policy.yaml
expect 'a world against a policy' 3 '^part.wit: imports what carrel does not know: wasi:cli/stdout@0.2.1#extra\|$' '' "$carrel" audit --check policy.yaml part.wit
expect 'two worlds' 3 '^\+ capability' '' "$carrel" audit --diff small.wit whole.wit
finish
