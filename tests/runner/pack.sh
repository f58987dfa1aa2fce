#!/bin/sh
# `carrel pack`: the archives that it makes, and what it refuses.
#   tests/runner/pack.sh CARREL
# The last line is `N passed, N failed`.
set -u
carrel=$(realpath "$1")
data=$(realpath "$(dirname "$0")/../data")
. "$(dirname "$0")/expect.sh"

# json FILE-IN-ARCHIVE FILTER: of image.tar
json() { tar xOf image.tar "$1" | jq -r "$2"; }
# Every blob has the digest that it is named by, and whoever names one says its size.
digests() {
    rm -rf out && mkdir out && tar xf image.tar -C out && (cd out/blobs/sha256 && for f in *; do echo "$f  $f"; done | sha256sum -c --quiet) || return 1
    manifest=$(jq -r '.manifests[0].digest' out/index.json | cut -d: -f2)
    jq -r '.config, .layers[] | "\(.digest) \(.size)"' "out/blobs/sha256/$manifest" | while read -r digest size; do
        [ "$(wc -c <"out/blobs/sha256/${digest#sha256:}")" -eq "$size" ] || exit 1
    done
}
layer() { digests && tar tvf "out/blobs/sha256/$(jq -r '.layers[0].digest' "out/blobs/sha256/$manifest" | cut -d: -f2)"; }
config() { digests && jq -r "$1" "out/blobs/sha256/$(jq -r '.config.digest' "out/blobs/sha256/$manifest" | cut -d: -f2)"; }
same_component() { digests && cmp "out/blobs/sha256/$(jq -r '.layers[0].digest' "out/blobs/sha256/$manifest" | cut -d: -f2)" "$1"; }

expect 'an image' 0 '^localhost/greet:latest sha256:[0-9a-f]{64} image.tar\|$' '' "$carrel" pack "$data/greet.wasm" -o image.tar
expect 'its digests and sizes' 0 '' '' digests
expect 'its layer' 0 '^-rwxr-xr-x root/root +[0-9]+ 1970-01-01 00:00 greet.wasm\|$' '' layer
expect 'its entry point' 0 '^/greet.wasm linux\|$' '' config '.config.Entrypoint[0] + " " + .os'
expect 'its name for containerd' 0 '^localhost/greet:latest\|$' '' json index.json '.manifests[0].annotations["io.containerd.image.name"]'
expect 'its name for docker' 0 '^localhost/greet:latest\|$' '' json manifest.json '.[0].RepoTags[0]'
cp image.tar first.tar
"$carrel" pack "$data/greet.wasm" -o image.tar >/dev/null
expect 'the same twice' 0 '' '' cmp first.tar image.tar
expect 'another platform' 0 'localhost/greet' '' "$carrel" pack "$data/greet.wasm" --platform wasip1/wasm -o image.tar
expect 'as it was asked for' 0 '^wasip1/wasm\|$' '' config '.os + "/" + .architecture'
expect 'an artifact' 0 '^example.com/a/b:1 sha256' '' "$carrel" pack --artifact --name example.com/a/b:1 -o image.tar "$data/greet.wasm"
expect 'whose layer is the component' 0 '' '' same_component "$data/greet.wasm"
expect 'whose configuration says what it is' 0 '^wasm wasip2 true\|$' '' config '.architecture + " " + .os + " " + (.component.exports | length > 0 | tostring)'
expect 'audited as an artifact' 0 'image of a component' '' "$carrel" audit image.tar
"$carrel" pack "$data/greet.wasm" -o image.tar >/dev/null
expect 'audited as an image' 0 'image of a component' '' "$carrel" audit image.tar
sha=$(sha256sum image.tar | cut -c1-64)
expect 'by its own digest' 0 "sha256 $sha" '' "$carrel" audit image.tar
expect 'is not run' 126 '' 'is an image or an archive: containerd runs images; unpack it' "$carrel" run image.tar
mkdir layers && cp "$data/greet.wasm" layers/a.wasm && cp "$data/echo.wasm" layers/b.wasm && tar cf two.tar layers && gzip -k two.tar && tar cf zipped.tar two.tar.gz
expect 'with two components' 126 '' 'more than one component' "$carrel" audit two.tar
expect 'compressed, with two components' 126 '' 'more than one component' "$carrel" audit zipped.tar
head -c 1100 two.tar >cut.tar
expect 'that is cut off' 126 '' 'ends within a file' "$carrel" audit cut.tar
for at in 124 156 257 512 640; do cp two.tar bad.tar; printf '\377' | dd of=bad.tar bs=1 seek=$at conv=notrunc 2>/dev/null; "$carrel" audit bad.tar >out.txt 2>err.txt; [ $? -le 126 ] || echo "damaged at $at: $(cat err.txt)"; done >damaged.txt
expect 'that is damaged' 0 '' '' test ! -s damaged.txt

# Layers as registries have them: gzip and Zstandard, in one piece or several, and the whole archive compressed.
tar cf layer.tar -C "$data" greet.wasm
pieces() { rm -f piece.*; split -b 700 "$1" piece.; for piece in piece.*; do $2 -c "$piece"; done; }
for pack in 'gzip' 'zstd -q'; do
    $pack -c layer.tar >layer && tar cf packed.tar layer
    expect "a layer by $pack" 0 'image of a component' '' "$carrel" audit packed.tar
    $pack -c packed.tar >whole
    expect "in an archive by $pack" 0 'image of a component' '' "$carrel" audit whole
    $pack -c "$data/greet.wasm" >alone
    expect "a component by $pack" 0 'image of a component' '' "$carrel" audit alone
    pieces layer.tar "$pack" >layer && tar cf packed.tar layer
    expect "in pieces by $pack" 0 'image of a component' '' "$carrel" audit packed.tar
    head -c 400 alone >short
    expect "cut off, by $pack" 126 '' 'malformed: a layer that (ends within its gzip data|is no Zstandard data)' "$carrel" audit short
    head -c 64000000 /dev/zero | $pack -c >large
    expect "too large, by $pack" 126 '' 'limit: an image whose layers unpack to more' "$carrel" audit large
    echo text | $pack -c >other
    expect "something else, by $pack" 126 '' 'neither a component nor an archive' "$carrel" audit other
    for at in 4 20 300 700; do cp alone bad; printf '\377' | dd of=bad bs=1 seek=$at conv=notrunc 2>/dev/null; "$carrel" audit bad >out.txt 2>err.txt; [ $? -le 126 ] || echo "damaged at $at: $(cat err.txt)"; done >damaged.txt
    expect "damaged, by $pack" 0 '' '' test ! -s damaged.txt
done
names() { "$carrel" audit --json "$1" | jq -c '.files[0] | [.functions, .exports, .summary, .size]'; }
same_audit() { names packed.tar >one; names "$data/greet.wasm" | sed "s/,[0-9]*]\$//" >two; sed 's/,[0-9]*]$//' one | cmp - two; }
expect 'and its audit is that of the component' 0 '' '' same_audit
tar cf none.tar damaged.txt && expect 'without one' 126 '' 'without a component' "$carrel" audit none.tar
expect 'no output' 125 '' 'no -o: write' "$carrel" pack "$data/greet.wasm"
expect 'no file' 125 '' 'no FILE: write' "$carrel" pack -o image.tar
expect 'a platform that is none' 125 '' 'write OS/ARCH' "$carrel" pack "$data/greet.wasm" --platform linux -o image.tar
expect 'a place that cannot be written' 125 '' 'cannot write there' "$carrel" pack "$data/greet.wasm" -o none/image.tar
echo 'no component' >text.wasm
expect 'what is no component' 126 '' 'malformed' "$carrel" pack text.wasm -o new.tar
expect 'leaves nothing' 2 '' 'No such file' ls new.tar new.tar.part
finish
