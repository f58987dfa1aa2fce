#!/bin/sh
# The Debian packages: built twice, looked at, installed in a bare Debian 12, used and removed; and the
# README's two commands in a checkout in another such root. As root; takes many minutes.
#   tests/packaging/package.sh FOLDER     FOLDER keeps the packages and the bare root; with SHORT=1 without the checkout
# The last line is `N passed, N failed, N skipped`.
set -u
mkdir -p "$1"
out=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
passed=0 failed=0 skipped=0

# check NAME COMMAND...
check() {
    name=$1 since=$(date +%s)
    shift
    if "$@" >"$out/log" 2>&1; then
        passed=$((passed + 1)) word=ok
    else
        failed=$((failed + 1)) word=FAIL
    fi
    printf '  %-5s %-36s %5d s\n' $word "$name" $(($(date +%s) - since))
    if [ $word = FAIL ]; then
        tail -n 20 "$out/log" | sed 's/^/        /'
    fi
}
inside() { "$here/in_root.sh" "$out/root" "$@"; }

# --- Building ------------------------------------------------------------------------------------------
# Twice: elsewhere, later, by another number of jobs, in another language, time zone and file mode mask.
rm -rf "$out/one" "$out/another"
check 'builds' env KEEP=1 packaging/package "$out/one"
elsewhere() { (umask 027 && LC_ALL=C.UTF-8 TZ=Pacific/Kiritimati DEB_BUILD_OPTIONS=parallel=3 packaging/package "$out/another"); }
check 'builds again elsewhere' elsewhere
same_bytes() { for deb in "$out"/one/*.deb; do cmp "$deb" "$out/another/$(basename "$deb")" || return 1; done; }
check 'the same bytes' same_bytes
# Without packages all that follows would say the same once more, or pass for nothing.
finish() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
}
[ "$failed" -eq 0 ] || finish
no_complaint() { lintian --allow-root --fail-on error,warning "$out"/one/*.changes; }
check 'lintian says nothing' no_complaint
check 'hardened' "$here/hardening.sh" "$out"/one/carrel-*/build
for package in carrel carrel-shim; do
    rm -rf "$out/tree"
    dpkg -x "$out"/one/${package}_*.deb "$out/tree"
    check "the SBOM of $package" node "$here/sbom.mjs" "$out/tree/usr/share/doc/$package/$package.spdx.json" "$out/tree"
done
check 'the profile for AppArmor' "$here/apparmor.sh" "$out"
rm -rf "$out/tree" "$out"/one/carrel-*/

# --- A bare Debian 12 ----------------------------------------------------------------------------------
mirror=$(apt-get indextargets --format '$(SITE)' 2>/dev/null | grep -m 1 '/debian$')
bare() {
    [ -e "$out/bare.tar" ] || {
        rm -rf "$out/root" &&
            debootstrap --variant=minbase --include=ca-certificates,git bookworm "$out/root" "$mirror" &&
            rm -f "$out"/root/var/cache/apt/archives/*.deb &&
            tar -C "$out/root" -cf "$out/bare.tar" .
    }
    rm -rf "$out/root" && mkdir "$out/root" && tar -C "$out/root" -xf "$out/bare.tar"
}
apt_get() { inside sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"' apt_get "$@"; }

# From nothing to a component under containerd, as the README says it. What containerd keeps is its own.
check 'a bare root' bare
began=$(date +%s)
check 'has containerd' apt_get containerd
files() {
    inside find / -xdev \( -path /proc -o -path /tmp -o -path /var/lib/dpkg -o -path /var/log -o -path /var/cache -o -path /var/lib/containerd -o -path /run/containerd \) -prune -o -print | sort
}
files >"$out/before"
cp "$out"/one/carrel_*.deb "$out/root/srv/carrel.deb"
cp "$out"/one/carrel-shim_*.deb "$out/root/srv/carrel-shim.deb"
cp tests/data/greet.wasm "$out/root/srv/app.wasm"
cp "$here/containerd.sh" "$out/root/srv/containerd.sh"
check 'installs' inside dpkg --install /srv/carrel.deb
greets() { "$@" >"$out/said" && grep -q Ann "$out/said"; }
check 'runs a component' greets inside carrel run /srv/app.wasm Ann
as_user() { inside setpriv --reuid 1000 --regid 1000 --clear-groups "$@"; }
check 'runs one as a user' greets as_user carrel run /srv/app.wasm Ann
check 'all walls stand' inside carrel doctor
# Not through a pipe, whose end alone would be judged: jq is content with nothing.
audited() { inside carrel audit --json /srv/app.wasm >"$out/said" && test -s "$out/said" && jq -e '.files[0].runs' "$out/said"; }
check 'audits a component' audited
check 'installs the shim' inside dpkg --install /srv/carrel-shim.deb
check 'as an OCI runtime, too' inside carrel-oci --version
check 'runs a component under containerd' inside sh /srv/containerd.sh
minutes() { [ $((($(date +%s) - began) / 60)) -lt 10 ]; }
check 'in ten minutes' minutes
check 'is removed' inside dpkg --purge carrel-shim carrel
rm -f "$out"/root/srv/*
files >"$out/after"
no_trace() { test -s "$out/before" && diff "$out/before" "$out/after"; }
check 'leaves no trace' no_trace

# --- From a checkout -------------------------------------------------------------------------------------
if [ -z "${SHORT:-}" ]; then
    check 'another bare root' bare
    git clone -q . "$out/root/root/carrel"
    check 'make is all that is asked for' apt_get make
    check 'make run' inside sh -c 'cd /root/carrel && make run'
    check 'make test' inside sh -c 'cd /root/carrel && make test'
else
    skipped=$((skipped + 2))
fi

rm -rf "$out/root"
finish
