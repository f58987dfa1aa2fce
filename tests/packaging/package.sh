#!/bin/sh
# The Debian packages: built twice, looked at, installed in a bare Debian 12, used and removed; and, with
# LONG=1, the README's two commands from a checkout in such a root. As root; takes many minutes.
#   tests/packaging/package.sh FOLDER     FOLDER keeps the packages and the bare root
# The last line is `N passed, N failed, N skipped`.
set -u
mkdir -p "$1"
out=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
passed=0 failed=0 skipped=0

# check NAME COMMAND...
check() {
    name=$1
    shift
    if "$@" >"$out/log" 2>&1; then
        passed=$((passed + 1))
        echo "  ok    $name"
    else
        failed=$((failed + 1))
        echo "  FAIL  $name"
        tail -n 20 "$out/log" | sed 's/^/        /'
    fi
}
inside() { "$here/in_root.sh" "$out/root" "$@"; }

# --- Building ------------------------------------------------------------------------------------------
check 'builds' packaging/package "$out/one"
check 'builds again elsewhere' packaging/package "$out/another"
same_bytes() { for deb in "$out"/one/*.deb; do cmp "$deb" "$out/another/$(basename "$deb")" || return 1; done; }
check 'the same bytes' same_bytes
no_complaint() { lintian --allow-root --fail-on error,warning "$out"/one/*.changes; }
check 'lintian says nothing' no_complaint
hardened() {
    rm -rf "$out/tree"
    dpkg -x "$out"/one/carrel_*.deb "$out/tree" &&
        hardening-check --nocfprotection --nobranchprotection "$out/tree/usr/bin/carrel" | tee "$out/hardening" &&
        ! grep -E ': no[,!]' "$out/hardening"
}
check 'hardened' hardened

# --- A bare Debian 12 ----------------------------------------------------------------------------------
mirror=$(apt-get indextargets --format '$(SITE)' 2>/dev/null | grep -m 1 '/debian$')
bare() {
    [ -e "$out/bare.tar" ] || {
        rm -rf "$out/root" &&
            debootstrap --variant=minbase --include=ca-certificates,git bookworm "$out/root" "$mirror" &&
            tar -C "$out/root" -cf "$out/bare.tar" .
    }
    rm -rf "$out/root" && mkdir "$out/root" && tar -C "$out/root" -xf "$out/bare.tar"
}
check 'a bare root' bare

files() { inside sh -c 'find / -xdev -path /proc -prune -o -path /var/lib/dpkg -prune -o -path /var/log -prune -o -path /var/cache -prune -o -print | sort'; }
files >"$out/before"
cp "$out"/one/carrel_*.deb "$out/root/root/carrel.deb"
cp "$out"/one/carrel-shim_*.deb "$out/root/root/carrel-shim.deb"
printf '\0asm\1\0\0\0\1\4\1\140\0\0\3\2\1\0\7\12\1\6_start\0\0\12\4\1\2\0\13' >"$out/root/root/nothing.wasm"
check 'installs' inside dpkg --install /root/carrel.deb
check 'runs a program' inside carrel run /root/nothing.wasm
check 'runs one as a user' inside setpriv --reuid 1000 --regid 1000 --clear-groups carrel run /root/../dev/fd/0 <"$out/root/root/nothing.wasm"
check 'all walls stand' inside carrel doctor
check 'audits a program' sh -c "'$here/in_root.sh' '$out/root' carrel audit --json /root/nothing.wasm | grep -q '\"runs\"'"
check 'installs the shim' inside dpkg --install /root/carrel-shim.deb
check 'the shim says what it is' inside containerd-shim-carrel-v1 -v
check 'as an OCI runtime, too' inside carrel-oci --version
check 'is removed' inside dpkg --purge carrel-shim carrel
rm -f "$out/root/root/carrel.deb" "$out/root/root/carrel-shim.deb" "$out/root/root/nothing.wasm"
files >"$out/after"
check 'leaves no trace' diff "$out/before" "$out/after"

# --- From a checkout -------------------------------------------------------------------------------------
if [ -n "${LONG:-}" ]; then
    rm -rf "$out/root/root/carrel"
    git clone -q . "$out/root/root/carrel"
    check 'make is all that is asked for' inside sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends make'
    check 'make run' inside sh -c 'cd /root/carrel && make run'
    check 'make test' inside sh -c 'cd /root/carrel && make test'
else
    skipped=$((skipped + 2))
fi

rm -rf "$out/root" "$out/tree"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
