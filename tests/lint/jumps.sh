#!/bin/sh
# A handler of the interpreter ends by jumping to the next. Where a compiler makes a call of it instead,
# the stack grows with every instruction: no handler calls a handler, nor through a pointer (but NATIVE
# and TRACE, which call what the host gave).
#   tests/lint/jumps.sh PROGRAM
set -u
[ "$(uname -m)" = x86_64 ] || exit 0
objdump -d --no-show-raw-insn "$1" | awk '
    /^[0-9a-f]+ <.*>:$/ { name = substr($2, 2, length($2) - 3); handler = name ~ /^(xop|polled)_/; seen += handler }
    handler && $2 ~ /^call/ && (/<(xop|polled)_|<interp_trap|<enter_func/ || (/\*/ && name !~ /_(NATIVE|TRACE)$/)) {
        print name ": a call where it should jump: " $0
    }
    END { if (seen < 1000) print "only " seen + 0 " handlers found: is the program stripped?" }' | { ! grep .; }
