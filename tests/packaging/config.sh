#!/bin/sh
# The configuration of packaging/containerd: what containerd makes of it.
#   tests/packaging/config.sh
# The last line is `N passed, N failed, N skipped`.
set -u
folder=$(dirname "$(realpath "$0")")/../../packaging/containerd
command -v containerd >/dev/null || { echo '0 passed, 0 failed, 1 skipped'; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
. "$(dirname "$0")/../check.sh"

# Added to a configuration that has things of its own to say.
cat >"$work/config.toml" <<'END'
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:latest"
END
grep -v '^version' "$folder/carrel.toml" >>"$work/config.toml"
containerd -c "$work/config.toml" config dump >"$work/dump" 2>"$work/error"
section() { sed -n '/containerd.runtimes.carrel\]$/,/^ *\[plugins.*options\]$/p' "$work/dump"; }
says() { section | grep -qF "$1"; }
check 'the runtime' says 'runtime_type = "io.containerd.carrel.v1"'
check 'annotations of pods' says 'pod_annotations = ["carrel.policy/*"]'
check 'annotations of containers' says 'container_annotations = ["carrel.policy/*"]'
check 'what stood there' grep -q 'sandbox_image = "localhost/pause:latest"' "$work/dump"
for file in carrel.toml carrel-v3.toml; do
    sed 's/^version = .*//; /^# containerd/d; s/io.containerd.grpc.v1.cri/io.containerd.cri.v1.runtime/' "$folder/$file" >"$work/$file"
done
check 'both forms say the same' diff "$work/carrel.toml" "$work/carrel-v3.toml"

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
