#!/bin/sh
# in_root.sh ROOT COMMAND...: runs COMMAND as root with the folder ROOT as its root, in mount and process
# namespaces of its own, so that nothing of it stays. Not by chroot alone: inside one, the kernel makes
# no user namespaces.
set -eu
root=$(realpath "$1")
shift
exec unshare --mount --pid --fork --kill-child --propagation private sh -eu -c '
    mount --bind "$1" "$1"
    cd "$1"
    shift
    mount -t proc proc proc
    mount --rbind /dev dev
    mount --rbind /sys sys
    mount -t tmpfs -o mode=1777 tmpfs tmp
    # Names and certificates are those of this machine, which are its way to the network.
    cp /etc/resolv.conf etc/resolv.conf
    [ ! -d etc/ssl/certs ] || cp /etc/ssl/certs/ca-certificates.crt etc/ssl/certs
    mkdir -p old
    pivot_root . old
    cd /
    umount -l /old
    rmdir /old
    export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt DEBIAN_FRONTEND=noninteractive
    exec "$@"' in_root "$root" "$@"
