#!/bin/sh
# What hardening-check says of the programs of a build. They are static, so that it sees in the programs how they
# are laid out, and in their objects which functions the compiler put in; the engine's objects have no stack protector
# on purpose, because the guest's stack is not the C stack, and its libc, musl, has no fortified functions.
#   tests/packaging/hardening.sh BUILD
# The last line is `N passed, N failed, N skipped`.
set -u
build=$(realpath "$1")
command -v hardening-check >/dev/null || { echo '0 passed, 0 failed, 1 skipped'; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
passed=0 failed=0

# check NAME FILE WANTED...: FILE's report has every wanted line
check() {
    name=$1 file=$2
    shift 2
    hardening-check "$file" >"$work/report"
    for line; do
        if grep -q "^ $line: yes" "$work/report"; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            echo "FAILED $name: $line"
            cat "$work/report"
        fi
    done
}

for program in carrel containerd-shim-carrel-v1 carrel-engine carrel-tls carrel-keyvalue; do
    check $program "$build/$program" 'Position Independent Executable' 'Read-only relocations' 'Immediate binding'
    [ $program != carrel-engine ] || continue
    # Its objects are what the linker read that was made here.
    sed '1s/^[^:]*://; s/\\$//' "$build/$program.d" | tr ' ' '\n' | sed -n 's|:$||; s|^.*/obj/host/|obj/host/|p' | sort -u >"$work/objects"
    rm -f "$work/objects.a"
    (cd "$build" && xargs ar rcs "$work/objects.a" <"$work/objects")
    check "the objects of $program" "$work/objects.a" 'Stack protected' 'Fortify Source functions'
done

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
