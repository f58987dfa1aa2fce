#!/bin/sh
# Runs a test of the containerd shim in a mount namespace of its own, below a folder that is removed:
#   run.sh BUILD TEST.mjs [ARGUMENT...]
set -eu
[ "$(id -u)" = 0 ] || { echo '0 passed, 0 failed, 1 skipped (the shim of containerd is for root)'; exit 0; }
if [ -z "${CARREL_TEST_FOLDER:-}" ]; then
    CARREL_TEST_FOLDER=$(mktemp -d /tmp/carrel-containerd.XXXXXX)
    export CARREL_TEST_FOLDER UV_THREADPOOL_SIZE=64
    # What podman starts to clean up after a container may still write there.
    remove() {
        tries=100
        until rm -rf "$CARREL_TEST_FOLDER" 2>/dev/null || [ $((tries -= 1)) -eq 0 ]; do sleep 0.1; done
        [ ! -e "$CARREL_TEST_FOLDER" ]
    }
    trap remove EXIT
    unshare --mount --propagation private sh "$0" "$@"
    exit
fi
build=$(realpath "$1")
test=$2
shift 2
# CGROUPS=2: with version 2 of control groups alone, and the controllers that no other hierarchy has.
if [ "${CGROUPS:-}" = 2 ] && [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
    umount -l -R /sys/fs/cgroup
    mount -t cgroup2 none /sys/fs/cgroup || { echo '0 passed, 0 failed, 1 skipped (no control groups of version 2)'; exit 0; }
fi
mkdir -p /run/containerd
mount -t tmpfs none /run/containerd
# The groups above those of containers, which are the test's own; they are empty.
trap 'find /sys/fs/cgroup -depth -type d -path "*/carrel-test-*" -exec rmdir {} + 2>/dev/null || :' EXIT
node "$(dirname "$0")/$test" "$build/containerd-shim-carrel-v1" "$CARREL_TEST_FOLDER" "$@"
