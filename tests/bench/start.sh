#!/bin/sh
# Start-up against other launchers, interleaved medians with the ratios that are the goals; `make
# bench-start` runs it.
#   tests/bench/start.sh BUILD ROUNDS COMPONENT
# COMPONENT prints a line and ends; the others run a static program that does the same.
set -eu
# crun refuses a hybrid of cgroup versions: all of this in a mount namespace without version 2.
if [ "$(id -u)" = 0 ] && [ -d /sys/fs/cgroup/unified ] && [ -z "${ALONE:-}" ]; then
    ALONE=1 exec unshare -m sh -c 'umount /sys/fs/cgroup/unified; exec "$0" "$@"' "$0" "$@"
fi
[ -f "${3:-}" ] || { echo "no component to start: put the folder of components beside the repository, or SHARED="; exit 1; }
build=$(cd "$1" && pwd) rounds=$2 component=$(realpath "$3")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_CACHE_HOME="$work/cache"
mkdir -p "$work/bundle/rootfs/dev" "$work/bundle/rootfs/proc" "$work/bundle/rootfs/sys"
cp "$build/test/cell/hello" "$work/bundle/rootfs/hello"
cat >"$work/bundle/config.json" <<'JSON'
{"ociVersion": "1.0.0", "process": {"args": ["/hello"], "cwd": "/", "noNewPrivileges": true},
 "root": {"path": "rootfs", "readonly": true}, "linux": {"namespaces": [{"type": "pid"},
 {"type": "mount"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"}]},
 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}]}
JSON
: >"$work/names"
add() { # NAME COMMAND...: one more command to time
    echo "$1" >>"$work/names"
    shift
    for word; do printf '%s\n' "$word"; done >>"$work/commands"
    echo -- >>"$work/commands"
}
add carrel "$build/carrel" run "$component"
add carrel-no-cache "$build/carrel" run --no-cache "$component"
add carrel-memory-limit "$build/carrel" run --memory 64M "$component"
add cell "$build/test/host/start_cell" "$build/test/cell/ended"
[ -z "$(command -v wasmtime)" ] || add wasmtime wasmtime run "$component"
add program "$build/test/cell/hello"
[ -z "$(command -v bwrap)" ] || add bwrap bwrap --unshare-all --ro-bind "$work/bundle/rootfs" / /hello
if [ "$(id -u)" = 0 ]; then
    [ -z "$(command -v crun)" ] || add crun crun --cgroup-manager=disabled run --bundle "$work/bundle" "hello-$$"
    # runc wants control groups, and has its own ideas where: only where it runs at all.
    [ -z "$(command -v runc)" ] || ! runc run --bundle "$work/bundle" "try-$$" >/dev/null 2>&1 ||
        add runc runc run --bundle "$work/bundle" "hello-$$"
    # gVisor, with its state in a folder of the measurement's own.
    gvisor="runsc --root $work/gvisor --network=none --ignore-cgroups"
    # shellcheck disable=SC2086
    [ -z "$(command -v runsc)" ] || ! $gvisor run --bundle "$work/bundle" "try-$$" >/dev/null 2>&1 ||
        add gvisor $gvisor run --bundle "$work/bundle" "hello-$$"
fi
sed -i '$d' "$work/commands"
set --
while IFS= read -r word; do set -- "$@" "$word"; done <"$work/commands"
"$build/carrel" run "$component" >/dev/null
for measure in '' -u; do
    "$build/test/host/interleave" $measure "$rounds" "$@" | awk '{ print $1, $3 }' |
        paste -d' ' "$work/names" - >"$work/times$measure"
done
calls() { strace -f -c -o "$work/calls" "$@" >/dev/null 2>&1 && awk 'END { print $4 }' "$work/calls"; }

echo "milliseconds from start to exit, $rounds rounds, all in turn; used: processor time of all its processes"
printf '  %-22s %8s %8s %13s\n' '' min median 'used, median'
join "$work/times" "$work/times-u" --nocheck-order |
    awk '{ printf "  %-22s %8.3f %8.3f %13.3f\n", $1, $2, $3, $5 }'
echo
printf '%-66s %9s %9s %9s\n' goal least medians 'used'
ratio() { # GOAL ONE OTHER TEXT
    join "$work/times" "$work/times-u" --nocheck-order | awk -v one="$2" -v other="$3" -v goal="$1" -v text="$4" '
        { min[$1] = $2; median[$1] = $3; used[$1] = $5 }
        END {
            if (!(other in min)) { printf "%-66s not installed, or does not run here\n", text; exit }
            printf "%-66s %7.2f x %7.2f x %7.2f x   (goal %s)\n", text, min[one] / min[other],
                median[one] / median[other], used[one] / used[other], goal
        }'
}
ratio 0.35 carrel bwrap 'carrel run, demand cached, against bwrap --unshare-all'
ratio 0.50 carrel-no-cache bwrap 'carrel run, demand not cached, against bwrap --unshare-all'
ratio - carrel-memory-limit bwrap 'carrel run with control groups of its own, against bwrap'
ratio 0.25 carrel crun 'carrel run, demand cached, against crun run'
ratio 0.06 carrel runc 'carrel run, demand cached, against runc run'
ratio - carrel wasmtime 'carrel run, demand cached, against wasmtime run'
ratio - carrel gvisor 'carrel run, demand cached, against runsc run (gVisor)'
echo "cells started a second by one shim: $("$build/test/host/start_cell" "$build/test/cell/ended" shared 1500) with shared namespaces (goal 2500), $("$build/test/host/start_cell" "$build/test/cell/ended" 500) with fresh ones (goal 1000)"
"$build/test/host/neighbour" "$build/test/cell/engine" 100 2>/dev/null |
    awk '{ printf "a cell that asks, beside one that floods the shim: %.2f x its time alone   (goal 2)\n", $3 }'
"$build/test/host/waiting" "$build/test/cell/ended" |
    awk '{ least[$1] = $2 / 1000; median[$1] = $3 / 1000 }
        function line(processors, text, goal) {
            printf "%s: %.3f ms median, %.3f least%s; a plain process that is woken: %.3f, %.3f\n", text,
                median["cell-" processors], least["cell-" processors], goal,
                median["plain-" processors], least["plain-" processors]
        }
        END {
            line("asleep", "a cell that waits, from its order to its component", "   (goal 0.2)")
            line("awake", "the same where processors are kept awake", "")
        }'
echo "private memory of an idle cell: $("$build/test/host/start_cell" "$build/carrel-engine" idle) KiB   (goal 400)"
[ -z "$(command -v strace)" ] ||
    echo "system calls of all processes: $(calls "$build/carrel" run "$component") with the demand cached (goal 50), $(calls "$build/carrel" run --no-cache "$component") without (goal 80)"
