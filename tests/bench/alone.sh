#!/bin/sh
# Start-up and load of core modules, the engine alone: processor time, interleaved with wasm3 and toywasm
# where they are on PATH. A tiny module runs; the MODULEs are loaded, lazily and eagerly.
#   tests/bench/alone.sh BUILD ROUNDS [MODULE...]
set -u
build=$1 rounds=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
printf '\0asm\1\0\0\0\1\4\1\140\0\0\3\2\1\0\7\12\1\6_start\0\0\12\4\1\2\0\13' >"$work/tiny.wasm"

# Who is asked for a function that is not there loads the module, and then says so. Ours is started in the
# same way, so that the shell costs both the same.
cat >"$work/loads" <<'EOF'
#!/bin/sh
"$@" >/dev/null 2>&1
exit 0
EOF
chmod +x "$work/loads"
is() { command -v "$1" >/dev/null; }
compare() { "$build/test/host/interleave" -u "$@"; }

tiny="$build/test/cell/alone $work/tiny.wasm"
if is wasm3; then tiny="$tiny -- wasm3 $work/tiny.wasm"; fi
if is toywasm; then tiny="$tiny -- toywasm --wasi $work/tiny.wasm"; fi
# shellcheck disable=SC2086 # words
compare $((rounds * 20)) $tiny
for file in "$@"; do
    # shellcheck disable=SC2086 # words
    alone="$work/loads $build/test/cell/alone"
    if is wasm3; then
        compare "$rounds" $alone --load "$file" -- "$work/loads" wasm3 -f none "$file"
        compare "$rounds" $alone --eager --load "$file" -- "$work/loads" wasm3 --compile -f none "$file"
    else
        compare "$rounds" $alone --load "$file" -- $alone --eager --load "$file"
    fi
done
