#!/bin/sh
# A component under containerd, where both are installed: packed, imported, run, and nothing of it is left. In
# a root of the test's own, which in_root.sh made.
#   containerd.sh          /srv/app.wasm greets whom it is told
set -eu
# Without the plugins that make folders in /etc and /opt.
printf 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]\n' >/tmp/config.toml
containerd --config /tmp/config.toml >/tmp/containerd.log 2>&1 &
containerd=$!
trap 'kill $containerd; wait $containerd || :' EXIT
tries=0
until ctr version >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 600 ] || { cat /tmp/containerd.log; exit 1; }
    sleep 0.1
done
carrel pack /srv/app.wasm --name localhost/app:latest -o /tmp/app.tar
ctr image import /tmp/app.tar
# From a pipe: an end of input that is there before its task begins, as that of /dev/null, ctr forgets.
echo | timeout 300 ctr run --rm --runtime io.containerd.carrel.v1 localhost/app:latest app1 /app.wasm Ann | tee /tmp/said
grep -q Ann /tmp/said
[ -z "$(ctr task ls -q)$(ctr container ls -q)" ]
# The shim ends a moment after its last container.
tries=0
while ls /run/containerd/s/* >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || { ls /run/containerd/s; exit 1; }
    sleep 0.1
done
