#!/bin/sh
# `make install` and `make uninstall`, of a build that is there: what they put where and take away, and that nothing of
# it tells where it was built.
#   tests/packaging/install.sh BUILD
# The last line is `N passed, N failed`.
set -u
build=$1
cd "$(dirname "$0")/../.." || exit 1
here=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
. tests/check.sh

made() { make --silent "$1" B="$build" DESTDIR="$work/root" PREFIX=/usr/local; }
installed() { (cd "$work/root/usr/local" && test -x "$1"); }
# As a whole word, or a checkout in /carrel would be found in every path.
no_places() { ! grep -rlaP "(^|\\x00|\\s)\\Q$here\\E(/|\\x00|\\s|$)" "$work/root"; }
every_page() { for command in $("$build/carrel" help | sed -n 's/^  carrel \([a-z]*\) .*/\1/p'); do test -s "$work/root/usr/local/share/man/man1/carrel-$command.1" || return 1; done; }
no_files() { [ -z "$(find "$work/root" ! -type d)" ]; }

check 'installs' made install
for program in bin/carrel bin/containerd-shim-carrel-v1 bin/carrel-oci libexec/carrel/carrel-engine libexec/carrel/carrel-tls libexec/carrel/carrel-keyvalue; do
    check "$program" installed $program
done
check 'a page for every command' every_page
check 'nothing tells where it was built' no_places
check 'its version' "$work/root/usr/local/bin/carrel" --version
check 'runs with the engine that lies beside it' "$work/root/usr/local/bin/carrel" run --engine "$work/root/usr/local/libexec/carrel/carrel-engine" tests/data/greet.wasm
check 'uninstalls' made uninstall
check 'no file is left' no_files

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
