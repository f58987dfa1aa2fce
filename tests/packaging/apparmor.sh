#!/bin/sh
# The profile for AppArmor, read by the parser that it is for: that of Debian 13, because Debian 12's has no user
# namespaces to speak of. It is taken from its packages into a folder, and compiles without a kernel.
#   tests/packaging/apparmor.sh FOLDER     FOLDER keeps the parser
# The last line is `N passed, N failed, N skipped`.
set -u
out=$(realpath "$1")
profile=$(dirname "$(realpath "$0")")/../../packaging/apparmor/carrel
mirror=$(apt-get indextargets --format '$(SITE)' 2>/dev/null | grep -m 1 '/debian$')

if [ ! -e "$out/apparmor/ready" ]; then
    rm -rf "$out/apparmor"
    mkdir -p "$out/apparmor/lists/partial" "$out/apparmor/archives/partial" "$out/apparmor/root"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$out/apparmor/sources.list"
    apt() { apt-get -qq -o Dir::Etc::sourcelist="$out/apparmor/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$out/apparmor/lists" -o APT::Sandbox::User=root "$@"; }
    (cd "$out/apparmor/archives" && apt update && apt download apparmor libc6 libstdc++6 libgcc-s1) || exit 1
    for deb in "$out"/apparmor/archives/*.deb; do dpkg -x "$deb" "$out/apparmor/root"; done
    touch "$out/apparmor/ready"
fi
root=$out/apparmor/root
parser() {
    "$root"/usr/lib64/ld-linux-x86-64.so.2 --library-path "$root/usr/lib/x86_64-linux-gnu" "$root/usr/sbin/apparmor_parser" \
        --config-file /dev/null --skip-kernel-load --skip-cache --base "$root/etc/apparmor.d" "$@"
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
. "$(dirname "$0")/../check.sh"
check 'compiles' parser --quiet "$profile"
names() { [ "$(parser --names "$profile")" = carrel ]; }
check 'has its name' names
wrong() { sed 's/userns,/userspace,/' "$profile" | parser --quiet 2>/dev/null; }
refused() { ! wrong; }
check 'a wrong one does not compile' refused

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
