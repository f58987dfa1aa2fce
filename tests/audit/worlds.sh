#!/bin/sh
# Audits of WIT worlds: all that a component of them could import, whether the file has it or not.
#   tests/audit/worlds.sh CARREL
# The last line is `N passed, N failed`.
set -u
carrel=$(realpath "$1")
data=$(realpath "$(dirname "$0")/../data")
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
expect 'no world' 126 '' 'WIT without a world' "$carrel" audit none.wit
printf 'world w {\n  import ;\n}\n' >wrong.wit
expect 'a mistake' 126 '' "wrong.wit: malformed: line 2, column 10: WIT: expected a name, found ';'" "$carrel" audit wrong.wit
printf 'interface i {} interface i {} world w {}\n' >twice.wit
expect 'twice' 126 '' "'i' is declared twice" "$carrel" audit twice.wit
printf 'version: 1\nallow: {}\n' >policy.yaml
expect 'a world against a policy' 3 '^part.wit: imports what carrel does not know: wasi:cli/stdout@0.2.1#extra\|$' '' "$carrel" audit --check policy.yaml part.wit
expect 'two worlds' 3 '^\+ capability' '' "$carrel" audit --diff small.wit whole.wit

# Several worlds: said, counted, and one of them alone.
expect 'which worlds' 0 'It shows what components of 2 worlds could do, all of them together: a:b/one, a:b/two; --world NAME shows one' '' \
    sh -c '"$0" audit alias.wit | tr -s "\n " " "' "$carrel"
cat >apart.wit <<'W'
package a:b@1.0.0;
world one { import wasi:random/random@0.2.0; }
world two { import wasi:clocks/wall-clock@0.2.0; }
W
world() { "$carrel" audit --json --world "$1" "$2" | jq -r ".files[0] | (.wit_worlds + .imports)[]"; }
for name in two a:b/two a:b/two@1.0.0; do
    expect "the world $name" 0 '^a:b/two@1.0.0\|wasi:clocks/wall-clock@0.2.0\|$' '' world "$name" apart.wit
done
expect 'a world that is not there' 126 '' "WIT without a world 'three': name one that it has: one, two" "$carrel" audit --world three apart.wit
expect 'a world of a component' 125 '' 'leave out --world' "$carrel" audit --world one "$data/greet.wasm"
expect 'a larger world' 3 '^\+ capability clock' '' sh -c '"$0" audit --check policy.yaml --world one apart.wit >/dev/null; "$0" audit --diff small.wit apart.wit' "$carrel"

# A package of several files, with those that it needs.
mkdir -p pkg/deps/io pkg/deps/deep/er
cat >pkg/b.wit <<'W'
package acme:app@1.0.0;
use wasi:io/streams@0.2.5 as st;
interface here { use st.{output-stream}; go: func(o: output-stream); }
world one { import here; import other:thing/it@2.0.0; }
W
cat >pkg/a.wit <<'W'
use other:thing/it@2.0.0 as st;
interface there { use st.{t}; }
world two { import there; export here; }
W
echo 'package other:thing@2.0.0; interface it { type t = u8; f: func(); } world not-ours { import wasi:random/random@0.2.0; }' >pkg/deps/thing.wit
printf '/// The first of two files.\npackage wasi:io@0.2.5;\ninterface streams { resource output-stream { flush: func(); } }\n' >pkg/deps/io/a.wit
printf 'interface poll { }\n' >pkg/deps/io/b.wit
echo 'nonsense' >pkg/deps/deep/er/x.wit
echo 'nonsense' >pkg/notes.txt
expect 'a package' 0 '^acme:app/here@1.0.0\|acme:app/there@1.0.0\|other:thing/it@2.0.0\|wasi:io/streams@0.2.5\|acme:app/two@1.0.0\|acme:app/one@1.0.0\|acme:app/here@1.0.0#go\|other:thing/it@2.0.0#f\|$' '' \
    facts pkg '(.imports | sort[]), .wit_worlds[] , (.unknown | sort[])'
expect 'what is not known is in its verdict' 0 '^wants what carrel does not know\|$' '' facts small.wit '.summary'
expect 'one world of it' 0 '^acme:app/two@1.0.0\|' '' world two pkg/
expect 'a world that it needs' 0 '^other:thing/not-ours@2.0.0\|wasi:random/random@0.2.0\|$' '' world other:thing/not-ours pkg
expect 'the same whenever it is read' 0 '^1\|$' '' sh -c 'for i in 1 2; do "$0" audit --json pkg | jq -r ".files[0].sha256"; touch pkg/a.wit; done | sort -u | wc -l' "$carrel"
tar -C pkg -cf pkg.tar .
expect 'as an archive' 0 '^acme:app/two@1.0.0\|acme:app/one@1.0.0\|$' '' facts pkg.tar '.wit_worlds[]'
expect 'it does not run either' 126 '' 'is the text of a world' "$carrel" run pkg
expect 'a package against a policy' 3 '^pkg: imports what carrel does not know: acme:app/here@1.0.0#go\|' '' "$carrel" audit --check policy.yaml pkg
cp -r pkg bad
printf 'interface x {\n  f: func()\n}\n' >bad/deps/io/c.wit
expect 'a mistake in one of its files' 126 '' 'bad: malformed: deps/io/c.wit: line 3, column 1: WIT: expected ;' "$carrel" audit bad
echo 'package another:one@1.0.0;' >bad/deps/io/c.wit
expect 'two packages in one folder' 126 '' "deps/io/c.wit: WIT: the files of one folder are of one package" "$carrel" audit bad
rm bad/deps/io/c.wit
printf 'package acme:app@1.0.0;\ninterface here {}\n' >bad/c.wit
expect 'the same twice, in two files' 126 '' "'here' is declared twice" "$carrel" audit bad
printf 'interface free {}\npackage acme:app@1.0.0;\n' >bad/c.wit
expect 'a name that comes late' 126 '' 'c.wit: line 2, column 1: WIT: a file names its package once' "$carrel" audit bad
rm bad/c.wit
ln -s /etc/passwd bad/c.wit
expect 'a link out of it' 127 '' 'c.wit in it cannot be opened: .*: it is a link out of the folder' "$carrel" audit bad
rm bad/c.wit
ln -s ../bad/../../nowhere bad/deps/out
ln -s io bad/deps/again
expect 'the same package twice' 126 '' 'declared twice' "$carrel" audit bad
rm bad/deps/again bad/deps/out
mkfifo bad/c.wit
expect 'a pipe in it' 127 '' 'c.wit in it is no regular file' timeout 10 "$carrel" audit bad
rm bad/c.wit
mkdir bad/c.wit
expect 'a folder called so' 127 '' 'c.wit in it is no regular file' "$carrel" audit bad
rmdir bad/c.wit
: >"bad/$(printf 'x\033[31m\n.wit')"
printf '@' >"bad/$(printf 'y\033[31m\n.wit')"
expect 'names that are no names' 126 '' 'y.x1b.31m.n.wit: line 1, column 2: WIT' "$carrel" audit bad
mkdir none
expect 'a folder without any' 127 '' 'a directory without WIT text' "$carrel" audit none
finish
