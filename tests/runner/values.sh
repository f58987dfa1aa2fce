#!/bin/sh
# --invoke, live, with a value of every type, in WAVE; components linked in a component; what a trap
# says of where it was.
#   tests/runner/values.sh CARREL
# The last line is `N passed, N failed`.
set -u
carrel=$(realpath "$1")
data=$(realpath "$(dirname "$0")/../data")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
passed=0 failed=0

# judge NAME CODE OUTPUT [EXTENDED_REGEXP]: of what ran last: its exit code, its output, its messages
judge() {
    said=$(tr '\n' '|' <"$work/err")
    if [ "$got" -eq "$2" ] && [ "$(cat "$work/out")" = "$3" ] && printf '%s\n' "$said" | grep -Eq -- "${4:-^\$}"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s: exit %s, not %s\n  stdout %s, not %s\n  stderr %s\n' "$1" "$got" "$2" "$(cat "$work/out")" "$3" "$(cat "$work/err")"
    fi
}
invoke() {
    "$carrel" run --invoke "$2" "$data/$1.wasm" >"$work/out" 2>"$work/err" </dev/null
    got=$?
}
# same FUNCTION VALUE: it is given back; becomes FUNCTION VALUE RESULT
becomes() {
    invoke echo "$1($2)"
    judge "$1($2)" 0 "$3"
}
same() { becomes "$1" "$2" "$2"; }
# refused CALL EXTENDED_REGEXP: nothing runs, and the message says why
refused() {
    invoke echo "$1"
    judge "$1" 125 '' "$2"
}

# --- Every type ---------------------------------------------------------------------------------------
same bool true
same bool false
same u8 255
same s8 -128
same u16 65535
same s16 -32768
same u32 4294967295
same s32 -2147483648
same u64 18446744073709551615
same s64 -9223372036854775808
same f32 1.5
same f32 -0.1
same f64 0.1
same f64 nan
same f64 -inf
becomes f64 1e3 1000
same char "'a'"
same char "'😀'"
for encoding in string wide compact; do
    same $encoding '""'
    same $encoding '"plain"'
    same $encoding '"žluťoučký 😀"'
    same $encoding '"café"'
    becomes $encoding '"\u{41}\n\""' '"A\n\""'
done
same list '[]'
same list '[1, 2, 65535]'
same lists '[[], ["a", "ž"], [""]]'
same record '{x: -1, y: 0.5, name: "n"}'
becomes record '{name: "n", y: 0.5, x: -1}' '{x: -1, y: 0.5, name: "n"}'
same records '[{x: 1, y: 2, name: ""}, {x: 3, y: inf, name: "é"}]'
same tuple "(7, 'x', true)"
same variant dot
same variant 'round(9)'
same variant 'named("n")'
same enum green
same flags '{}'
same flags '{read, execute}'
same option none
same option 'some(3)'
same result 'ok(1)'
same result 'err("no")'
same bare ok
same bare err
invoke echo 'nothing()'
judge 'nothing()' 0 ''

# --- What is no value of the type -----------------------------------------------------------------------
refused 'u8(256)' 'u8'
refused 'enum(yellow)' 'yellow|green|case'
refused 'record({x: 1})' 'y|missing'
refused 'record({})' "expected a field, or ':' for none at"
refused 'string("open)' 'string|quote|end'
refused 'absent()' "exports no function 'absent': it exports .*bool.*, \.\.\."
refused 'string("\q")' "expected one of \" ' t r n u\{\.\.\.\} or another backslash after a backslash at"
for call in 'u8(' 'u8(1' 'u8(1))' 'u8(-1)' 'u8(0x10)' 'u8(1_000)' 'u8(01)' 'u8(+1)' 'u64(18446744073709551616)' \
    's64(-9223372036854775809)' 'f32(-nan)' 'f64(infinity)' 'f64(1.)' 'f64(.5)' 'bool(True)' 'char("a")' "char('ab')" "char('')" \
    'list([1,,2])' 'list([1, 65536])' 'flags({read, read})' 'flags({none})' 'option(some())' 'option(none())' 'result(ok)' \
    'variant(dot())' 'variant(round)' 'nothing(1)' 'record({x: 1, x: 2, y: 0.5, name: "n"})' \
    'record({x: 1, y: 0.5, name: "n", z: 1})'; do
    refused "$call" 'in the arguments of .*: .*expected .* \(at byte [0-9]+\)'
done
for text in "'\\u{d800}'" "'\\u{110000}'"; do
    refused "char($text)" 'expected a Unicode scalar value'
done
refused 'string("\u{dfff}")' 'expected a Unicode scalar value'
refused bool 'is no call'
refused '' 'is no call'
becomes list '[1, 2,]' '[1, 2]'
becomes option 3 'some(3)'
becomes enum %green green
becomes f32 1e999 inf

# --- Forms within each other --------------------------------------------------------------------------------
# taken CALL: its arguments are values of their types; the export traps
taken() {
    invoke wave "$1"
    judge "$1" 134 '' 'trap: unreachable'
}
# not_taken CALL EXTENDED_REGEXP
not_taken() {
    invoke wave "$1"
    judge "$1" 125 '' "$2"
}
for call in 'nested(none)' 'nested(some(none))' 'nested(some(3))' 'nested(some(some(3)))' 'nested(some(some(3)),)' 'fields({a: 1})' 'fields({b: "x", a: 1})' \
    'fields({a: 1, b: some("x"), c: some(none)})' 'fields({c: some(some(true)), a: 7})' 'options({:})' "options({y: 'z'})" \
    'cases(%none)' 'cases(%some(2))' 'cases(%true)' 'cases(deep(ok(none)))' 'cases(deep(ok(some(1))))' "cases(deep(err(('x', nan))))" \
    'words(%inf)' 'words(%ok)' 'words(x)' 'flagged({a, true, d-e})' 'flagged({%true})' 'flagged({})' 'answer(ok(some(3)))' \
    "answer(err(('\\u{1F600}', -inf)))" 'several([], (1), none)' 'several([{a: 1}, {a: 2, b: "q"},], (1,), some([some("x"), none, "flat"]))' \
    'several([], (1), ["a"])' 'things([])' 'last(1)' 'last(1, 2)' 'last(1, none, "x")' '[constructor]thing()' 'test:wave/forms#last(1)' \
    ' last ( 1 , 2 ) ' 'last(1, // one
    2)'; do
    taken "$call"
done
for call in 'nested(3)' 'cases(none)' 'cases(true)' 'words(ok)' 'flagged({:})' 'answer(3)' 'answer(ok)' 'answer(err)' \
    'several([], 1, none)' 'options({})' '[constructor]thing(1)'; do
    not_taken "$call" 'in the arguments of .*expected '
done
for call in 'fields({:})' 'fields({b: "x"})' 'last()'; do
    not_taken "$call" "'a' is missing: write it"
done
for call in 'owned(1)' 'lent(1)' 'things([1])'; do
    not_taken "$call" 'a value of kind (own|borrow) cannot be written as text'
done

# --- A result that does not arrive ----------------------------------------------------------------------
# lost NAME EXTENDED_REGEXP: of what ran last
lost() {
    : >"$work/out"
    judge "$1" 125 '' "$2"
}
"$carrel" run --invoke 'u8(1)' "$data/echo.wasm" >/dev/full 2>"$work/err"
got=$?
lost 'no space' 'its result is lost: standard output: there is no space left'
"$carrel" run --invoke 'u8(1)' "$data/echo.wasm" 2>"$work/err" 1<>/dev/full
got=$?
lost 'no space behind a pump' 'its result is lost: standard output: No space left'
"$carrel" run --invoke 'u8(1)' "$data/echo.wasm" 2>"$work/err" >&-
got=$?
lost 'a closed stream' 'standard output is closed'
mkfifo "$work/pipe"
: <"$work/pipe" &
{
    wait $!
    "$carrel" run --invoke 'u8(1)' "$data/echo.wasm" 2>"$work/err"
    got=$?
} >"$work/pipe"
lost 'a pipe that nobody reads' 'its result is lost: standard output: nobody reads it'
"$carrel" run --invoke 'u8(1)' "$data/echo.wasm" >/dev/null 2>"$work/err"
got=$?
: >"$work/out"
judge 'nobody wants it' 0 ''

# --- A function that is no entry --------------------------------------------------------------------------
# (module (func (export "_start") (param i32)))
printf '\000asm\001\000\000\000\001\005\001\140\001\177\000\003\002\001\000\007\012\001\006_start\000\000\012\004\001\002\000\013' >"$work/start.wasm"
"$carrel" run "$work/start.wasm" >"$work/out" 2>"$work/err"
got=$?
judge 'an entry with a parameter' 126 '' '"_start" without parameters and results.*--invoke'
"$carrel" run --invoke 'go()' "$work/start.wasm" >"$work/out" 2>"$work/err"
got=$?
judge 'a module exports what it exports' 125 '' "exports no function 'go': it exports _start"

# --- Components in a component, and where a trap was ------------------------------------------------------
invoke bricks 'add()'
judge 'each part has its memory' 0 210
invoke bricks 'fall()'
judge 'a trap is placed' 134 '' 'at deep in bricks/two/state .*\|.*at fall in bricks/two/state .*\|.*at start-falling in bricks/user/both '

invoke bare 'fall()'
judge 'places stand for names that are not there' 134 '' 'at function 0 in instance 0/core instance 0 \(byte [0-9]+\)\|.*at run in instance 0/core instance 0 '

invoke resources 'go()'
judge 'a destructor runs where its type is from' 0 50
for call in 'dropped()' 'forged()'; do
    invoke resources "$call"
    judge "$call" 134 '' 'unknown handle index.*in c/i '
done

# trap_of FILE CALL EXTENDED_REGEXP: the message, then all lines of the backtrace and no other
trap_of() {
    invoke "$1" "$2"
    judge "$1 $2" 134 '' "^[^|]*trap: $3\|\$"
}
trap_of resources 'dropped()' '[^|]*: unknown handle index: [^|]*\|[^|]* at canon resource.drop of r in c\|[^|]* at twice-dropped in c/i [^|]*\|[^|]* at canon lift of dropped in c'
trap_of bricks 'fall()' 'unreachable: [^|]*\|[^|]* at deep in bricks/two/state [^|]*\|[^|]* at fall in bricks/two/state [^|]*\|[^|]* at canon lift of fall in bricks/two\|[^|]* at canon lower of second#fall in bricks/user\|[^|]* at start-falling in bricks/user/both [^|]*\|[^|]* at canon lift of fall in bricks/user'

# The outer instance passes text to the inner one and has a list from it: whose value does not pass, and which.
lower='at canon lower of parts:inner/api#take in outer\|[^|]* at begin-take in outer/outer [^|]*\|[^|]* at canon lift of take in outer'
trap_of traps 'take(24)' "[^|]*: string is not well-formed UTF-8, in parameter text: [^|]*\|[^|]* $lower"
trap_of traps 'take(100000)' "[^|]*: pointer is out of bounds of memory, in parameter text: [^|]*\|[^|]* $lower"
trap_of traps 'take(14)' "[^|]*: pointer is out of bounds of memory, in parameter text: [^|]*\|[^|]* at canon lift of take in inner\|[^|]* $lower"
trap_of traps 'take(13)' "unreachable: in parameter text: [^|]*\|[^|]* at realloc in inner/inner [^|]*\|[^|]* at canon lift of take in inner\|[^|]* $lower"
lower='at canon lower of parts:inner/api#give in outer\|[^|]* at begin-give in outer/outer [^|]*\|[^|]* at canon lift of give in outer'
trap_of traps 'give(55296)' "[^|]*: char is no Unicode scalar value, in result\[1\]\.letter: [^|]*\|[^|]* at canon lift of give in inner\|[^|]* $lower"
trap_of traps 'give(66)' "unreachable: a fault[^|]*\|[^|]* at tidy in inner/inner [^|]*\|[^|]* at canon lift of give in inner\|[^|]* $lower"
# The host: what it is given, and what it gives.
trap_of traps 'leave()' '[^|]*: variant has no such case, in parameter status: [^|]*\|[^|]* at canon lower of wasi:cli/exit@0.2.0#exit\|[^|]* at begin-leave in host [^|]*\|[^|]* at canon lift of leave'
trap_of traps 'draw()' 'unreachable: in result: [^|]*\|[^|]* at realloc in memory [^|]*\|[^|]* at canon lower of wasi:random/random@0.2.0#get-random-bytes\|[^|]* at draw in host [^|]*\|[^|]* at canon lift of draw'
# Async calls: who has called what, and who has only resumed it.
looped() { printf '[^|]*\\|[^|]* at canon lift of %s in caller\\|[^|]* resumed by event loop for %s in caller' "$1" "$1"; }
lower='canon lower of callee#fall in caller'
trap_of async 'fall()' "unreachable: [^|]*\|[^|]* at fall in callee/core [^|]*\|[^|]* at canon lift of fall in callee\|[^|]* called by $lower\|[^|]* resumed by $lower\|[^|]* at make-room in caller/core [^|]*\|[^|]* at fall-twice in caller/core $(looped fall)"
# What the caller passes, and where it wants the result, is the caller's.
trap_of async 'take()' "[^|]*: char is no Unicode scalar value, in parameter letter: [^|]*\|[^|]* at canon lower of callee#take in caller\|[^|]* at begin-take in caller/core $(looped take)"
trap_of async 'lifted()' "[^|]*: pointer is not aligned, in result: [^|]*\|[^|]* at canon lower of callee#lifted in caller\|[^|]* at begin-lifted in caller/core $(looped lifted)"
lower='canon lower of callee#pair in caller'
trap_of async 'pair()' "[^|]*: pointer is not aligned, in result: [^|]*\|[^|]* at $lower\|[^|]* at canon task.return in callee\|[^|]* at pair in callee/core [^|]*\|[^|]* at canon lift of pair in callee\|[^|]* at $lower\|[^|]* at begin-pair in caller/core $(looped pair)"
lower='canon lower of callee#text in caller'
trap_of async 'text()' "unreachable: in result: [^|]*\|[^|]* at realloc in caller/memory [^|]*\|[^|]* at $lower\|[^|]* at canon task.return in callee\|[^|]* at text-later in callee/core [^|]*\|[^|]* at canon lift of text in callee\|[^|]* called by $lower\|[^|]* resumed by event loop for text in caller"

# Streams and futures: whose element it is, whoever is at work.
frames() { printf 'at canon %s in reader\\|[^|]* at %s in reader/core [^|]*\\|[^|]* at canon lift of %s in reader' "$1" "$2" "$2"; }
trap_of streams 'read()' "[^|]*: variant has no such case, in what writer wrote to stream\[2\]: [^|]*\|[^|]* $(frames 'stream.read of stream<result>' read)"
trap_of streams 'read-future()' "[^|]*: variant has no such case, in what writer wrote to future: [^|]*\|[^|]* $(frames 'future.read of future<result>' read-future)"
trap_of streams 'read-texts()' "unreachable: in what reader reads from stream\[0\]: [^|]*\|[^|]* at realloc in reader/memory [^|]*\|[^|]* $(frames 'stream.read of stream<string>' read-texts)"

# --- Names that are meant to harm ---------------------------------------------------------------------------
# (component (core module $m (func (export "f") unreachable)) (core instance (instantiate $m))
#  (func (export "f") (canon lift (core func 0 "f")))), behind which a section with names may follow.
falls() {
    printf '\000\141\163\155\015\000\001\000\001\040\000\141\163\155\001\000\000\000\001\004\001\140\000\000\003\002\001\000\007\005\001\001\146\000\000\012\005\001\003\000\000\013\002\004\001\000\000\000\007\005\001\100\000\001\000\006\007\001\000\000\001\000\001\146\010\006\001\000\000\000\000\000\013\007\001\000\001\146\001\000\000'
}
# named SECTION EXTENDED_REGEXP: its names in printf's escapes; where the trap is, then
named() {
    {
        falls
        printf "$1"
    } >"$work/named.wasm"
    "$carrel" run --invoke 'f()' "$work/named.wasm" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    judge "$1" 134 '' "at $2 \(byte [0-9]+\)\|"
}
named '' 'f in core instance 0'
# Core instances 1 and 0 have names: what stands behind an index that does not ascend is not looked at.
named '\000\035\016\143\157\155\160\157\156\145\156\164\055\156\141\155\145\001\014\000\022\002\001\001\170\000\004\154\141\164\145' 'f in core instance 0'
# A NUL ends no name; what looks like more than a name is quoted.
named '\000\031\016\143\157\155\160\157\156\145\156\164\055\156\141\155\145\001\010\000\022\001\000\003\141\000\142' 'f in "a\\x00b"'
named '\000\035\016\143\157\155\160\157\156\145\156\164\055\156\141\155\145\001\014\000\022\001\000\007\170\042\040\151\156\040\171' 'f in "x"" in y"'
# Too long: the innermost stays, behind a mark, and characters stay whole.
named '\000\225\001\016\143\157\155\160\157\156\145\156\164\055\156\141\155\145\000\171\170\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\143\001\011\000\022\001\000\004\143\157\162\145' 'f in \.\.\.c{119}/core' # 120 c
named '\000\340\001\016\143\157\155\160\157\156\145\156\164\055\156\141\155\145\001\316\001\000\022\001\000\310\001\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251' 'f in \.\.\."(é){61}"' # 100 é
# The same of the instance, of an interface that a function is of, and of a field: what is asked for stays.
trap_of long 'called()' 'unreachable: [^|]*\|[^|]* at fall in inner/core [^|]*\|[^|]* at canon lift of fall in inner\|[^|]* at canon lower of \.\.\.[^|]*-word-end#fall in \.\.\.[^|]*-word-end\|[^|]* at call in \.\.\.[^|]*-word-end/core [^|]*\|[^|]* at canon lift of called in \.\.\.[^|]*-word-end'
invoke long 'given#give()'
judge 'the field that broke' 134 '' 'char is no Unicode scalar value, in \.\.\.[^|]*-word-end: '

# --- Large values -----------------------------------------------------------------------------------------
invoke large 'pass(20000000)'
judge 'a long list between components' 0 20000000
for call in 'pass(50000000)' 'text(50000000)' 'bytes(50000000)'; do
    invoke large "$call"
    judge "$call" 134 '' 'exhausted: values too large for one call: a piece of 50000000 bytes; at most [0-9]+ are held.*in pieces'
done

# --- What the host holds for a component --------------------------------------------------------------------
for call in 'handles()' 'streams()'; do
    invoke held "$call"
    judge "$call" 134 '' 'exhausted: more than is held for a component: no room for .*; at most [0-9]+ bytes, however large --memory is: let it '
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
