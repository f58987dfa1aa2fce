#!/bin/sh
# Runs the tests that have a real containerd with those of other releases of Debian, of which none is installed:
#   versions.sh BUILD [RELEASE...]     trixie (containerd 1.7) and forky (2.x), unless named
# The last line is `N passed, N failed, N skipped`.
set -eu
build=$1
shift
[ $# -gt 0 ] || set -- trixie forky
here=$(dirname "$0")
folder=$(mktemp -d /tmp/carrel-versions.XXXXXX)
trap 'rm -rf "$folder"' EXIT
passed=0 failed=0 skipped=0

# The mirror of Debian that this machine has; its keys sign every release.
# shellcheck disable=SC2016 # apt's own words, not the shell's
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1)
# fetch RELEASE FOLDER: its containerd, with lists and packages that are nobody else's.
fetch() {
    mkdir -p "$2/lists/partial" "$2/archives/partial" "$2/containerd"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $1 main" >"$2/sources.list"
    cat >"$2/apt.conf" <<END
Dir::Etc::sourcelist "$2/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "$2/lists";
Dir::Cache "$2";
END
    APT_CONFIG=$2/apt.conf apt-get -qq update &&
        (cd "$2" && APT_CONFIG=$2/apt.conf apt-get -qq download containerd && dpkg-deb -x containerd_*.deb containerd)
}

count() { passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + ${3:-0})); }

for release; do
    place=$folder/$release
    mkdir "$place"
    if ! fetch "$release" "$place" 2>"$place/errors"; then
        echo "skip $release: $(tail -n 1 "$place/errors")"
        skipped=$((skipped + 1))
        continue
    fi
    for test in end_to_end.mjs kubernetes.mjs; do
        echo "$release, $("$place/containerd/usr/bin/containerd" --version | cut -d' ' -f3), $test"
        PATH=$place/containerd/usr/bin:$PATH "$here/run.sh" "$build" "$test" >"$place/output" || :
        cat "$place/output"
        counts=$(sed -nE '$s/^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$/\1 \2 \4/p' "$place/output")
        # shellcheck disable=SC2086 # words; a test that did not come to its end has failed
        count ${counts:-0 1}
    done
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
