#!/bin/sh
# The dependency rule: each room includes only itself and the rooms named here. `.def` tables
# may be included by everybody. Prints each breach; exit code 1 if there is one.
set -u

# What a file of this folder may include.
allowed() {
    case $1 in
    engine/base) echo 'engine/base' ;;
    engine/wasm) echo 'engine/base engine/wasm' ;;
    engine/exec) echo 'engine/base engine/wasm engine/exec' ;;
    engine/component) echo 'engine/base engine/wasm engine/exec engine/component' ;;
    engine/http) echo 'engine/base engine/http' ;;
    engine/wasi) echo 'engine/base engine/wasm engine/exec engine/component engine/http engine/wasi' ;;
    engine/tls) echo 'engine/base engine/http engine/cell engine/tls' ;;
    engine/serve) echo 'engine/base engine/wasm engine/exec engine/component engine/http engine/wasi engine/serve' ;;
    engine | engine/cell) echo 'engine/base engine/wasm engine/exec engine/component engine/http engine/wasi engine/serve engine/cell' ;;
    policies) echo 'engine/base policies' ;;
    shim | shim/containerd) echo 'engine/base policies shim shim/containerd' ;;
    runner) echo 'engine/base policies policies/bpf shim runner' ;;
    policies/bpf) echo 'policies/bpf' ;;
    *) echo any ;;
    esac
}

git ls-files -co --exclude-standard 'engine/*.[ch]' 'policies/*.[ch]' 'shim/*.[ch]' 'runner/*.[ch]' \
    'engine/*.def' 'policies/*.def' 'shim/*.def' 'runner/*.def' |
    while read -r file; do
        may=" $(allowed "$(dirname "$file")") "
        [ "$may" = ' any ' ] && continue
        sed -n 's/^# *include "\([^"]*\)".*/\1/p' "$file" | while read -r included; do
            case $included in *.def) continue ;; esac
            case $included in
            */*) ;;
            *) echo "$file: includes \"$included\": write the path from the root" ; continue ;;
            esac
            case $may in
            *" $(dirname "$included") "*) ;;
            *) echo "$file: may not include $included" ;;
            esac
        done
    done | { ! grep .; }
