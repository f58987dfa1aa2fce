#!/bin/sh
# Start to exit of a cell against other launchers, interleaved medians; `make bench-start` runs it.
#   tests/bench/start.sh BUILD [ROUNDS [COMPONENT]]
# The first line is a cell whose demand is known and whose engine ends at once, the second has a reader
# before it. With COMPONENT, `carrel run` of it comes too. The last line counts system calls.
set -eu
# crun refuses a hybrid of cgroup versions: all of this in a mount namespace without version 2.
if [ "$(id -u)" = 0 ] && [ -d /sys/fs/cgroup/unified ] && [ -z "${ALONE:-}" ]; then
    ALONE=1 exec unshare -m sh -c 'umount /sys/fs/cgroup/unified; exec "$0" "$@"' "$0" "$@"
fi
build=$(cd "$1" && pwd) rounds=${2:-200} component=${3:-}
cell="$build/test/host/start_cell $build/test/cell/ended"
hello=$build/test/cell/hello
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/rootfs/dev" "$work/rootfs/proc" "$work/rootfs/sys"
cp "$hello" "$work/rootfs/hello"
set -- $cell -- $cell read -- "$hello"
[ -n "$component" ] && set -- "$@" -- "$build/carrel" run "$component"
command -v bwrap >/dev/null &&
    set -- "$@" -- bwrap --unshare-all --ro-bind "$work/rootfs" / /hello
if command -v crun >/dev/null && [ "$(id -u)" = 0 ]; then
    cat >"$work/config.json" <<'JSON'
{"ociVersion": "1.0.0", "process": {"args": ["/hello"], "cwd": "/", "noNewPrivileges": true},
 "root": {"path": "rootfs", "readonly": true}, "linux": {"namespaces": [{"type": "pid"},
 {"type": "mount"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"}]},
 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}]}
JSON
    set -- "$@" -- crun --cgroup-manager=disabled run --bundle "$work" "hello-$$"
fi
"$build/test/host/interleave" "$rounds" "$@"
command -v strace >/dev/null || exit 0
for what in "$cell" "$cell read" ${component:+"$build/carrel run $component"}; do
    strace -f -c -o "$work/calls" $what >/dev/null
    echo "$(awk 'END {print $4}' "$work/calls") system calls, the dynamic loader's among them: $what"
done
