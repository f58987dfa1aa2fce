#!/bin/sh
# What somebody who is new to it types: each mistake is told with what, where and what to do, on one line, with the exit
# code that the manual has.
#   tests/runner/mistakes.sh CARREL
# The last line is `N passed, N failed`.
set -u
carrel=$(realpath "$1")
data=$(dirname "$(realpath "$0")")/../data
. "$(dirname "$0")/expect.sh"

cp "$data/greet.wasm" app.wasm
cp "$data/echo.wasm" lib.wasm
cp "$data/secrets.wasm" web.wasm
mkdir folder
echo text >text.txt
printf 'version: 1\n' >policy.yaml

# told CODE PATTERN WORD...: `carrel WORD...` says one line, which PATTERN describes, and ends with CODE
told() {
    code=$1 pattern=$2
    shift 2
    expect "carrel $*" "$code" '' "^carrel: $pattern\|\$" "$carrel" "$@"
}

# --- Commands -----------------------------------------------------------------------------------------------
told 125 'no command: try `carrel run FILE` or `carrel help`'
told 125 "unknown command 'app.wasm': to run a component, write \`carrel run app.wasm\`" app.wasm
told 125 "unknown command 'version': write \`carrel --version\`" version
told 125 "unknown command 'rnu': did you mean 'run'\?" help rnu
told 125 'no FILE: write `carrel run FILE \[ARG...\]`' run
told 125 'no FILE: write `carrel trace FILE \[ARG...\]`' trace
told 125 'no FILE: app.wasm is the value of --env: write `carrel run --env VALUE FILE \[ARG...\]`' run --env app.wasm
told 125 'no FILE: lib.wasm is the value of --invoke: .*' run --invoke lib.wasm
told 125 'no FILE: write `carrel serve FILE`' serve --env A
told 125 'no FILE: write `carrel audit FILE...`' audit
told 125 'more than one FILE: write `carrel serve FILE`' serve web.wasm 8080
told 125 'no -o: write `carrel pack FILE -o IMAGE.tar`' pack app.wasm
expect 'help of a command, asked for in another way' 0 '^carrel serve \[FLAG' '' "$carrel" --help serve

# --- Files --------------------------------------------------------------------------------------------------
told 127 'nosuch.wasm: cannot be opened: No such file or directory: correct the name' run nosuch.wasm
told 127 'https://example.com/a.wasm: .*: carrel fetches nothing: fetch it, and name the file' run https://example.com/a.wasm
told 127 '-: .*: write /dev/stdin for standard input' run -
told 127 'folder: a directory without WIT text .*: name a component in it' run folder
for kind in 'wat wat2wasm' 'js jco componentize' 'c clang' 'rs rustc' 'py componentize-py' 'go go build'; do
    cp text.txt "source.${kind%% *}"
    told 126 "source.*: malformed: magic header not detected \(at byte 0\): it is .*: .*${kind#* }.*" run "source.${kind%% *}"
done
told 126 'text.txt: malformed: .*: it is no WebAssembly: name the .wasm that was built, or fetch it again' run text.txt
printf '\0asm\12\0\1\0' >old.wasm
told 126 'old.wasm: malformed: unknown .*\(at byte 4\): build it again, with tools of today: before 2023 the format was another' audit old.wasm
gzip -c app.wasm >app.wasm.gz
told 126 'app.wasm.gz: is an image or an archive: containerd runs images; unpack it to run the component in it' run app.wasm.gz
told 126 'lib.wasm: it is no program: call one of its exports with --invoke .*; `carrel inspect` lists them' run lib.wasm
told 126 'web.wasm: it answers HTTP requests and is no program: use `carrel serve`' run web.wasm
told 126 'app.wasm: it is a program and answers no HTTP requests: use `carrel run`' serve app.wasm
told 126 'lib.wasm: it answers no HTTP requests, .*: call one of its exports with `carrel run --invoke .*' serve lib.wasm

# --- Flags --------------------------------------------------------------------------------------------------
told 125 'unknown flag --memroy: did you mean --memory\?' run --memroy 64M app.wasm
told 125 '`carrel run` has no flag --json: `carrel help run` lists its flags' run --json app.wasm
told 125 '--dir needs a value: write --dir HOST::GUEST\[:ro\]' run --dir
told 125 "--fuel: 'app.wasm' is no number: write digits only, .*" run --fuel app.wasm
told 125 '--dir nosuch: no such directory: make it, or correct the name' run --dir nosuch app.wasm
told 125 '--dir text.txt: not a directory: .*' run --dir text.txt app.wasm
told 125 '--net example.com:443: no rule: write .*' run --net example.com:443 app.wasm
told 125 '--policy folder: Is a directory: name the file in it' run --policy folder app.wasm
told 125 '--degrade all: there is no such wall: `carrel doctor` lists them' run --degrade all app.wasm
told 125 'app.wasm: --audit-log /nosuch/log: .*: make its folder, or name another file' run --audit-log /nosuch/log app.wasm
told 125 'app.wasm: --suggest policy.yaml: there is a file of that name: name another file' trace --suggest policy.yaml app.wasm
told 125 'app.wasm: --suggest no/p.yaml: No such file or directory: make its folder, .*' trace --suggest no/p.yaml app.wasm

told 125 '--dir folder:/data: .*: write --dir HOST::GUEST' run --dir folder:/data app.wasm
told 125 '--dir folder::/:rw: .*: leave it out to give it for writing, too' run --dir folder::/:rw app.wasm
told 125 '--dir: two directories for / in the guest: give each another name' run --dir folder::/ --dir .::/ app.wasm
told 125 '--net connect=https://example.com: .*: write HOST:PORT, .*' run --net connect=https://example.com app.wasm
told 125 '--net connect=exa_mple..com:80: .*: write one, .*' run --net connect=exa_mple..com:80 app.wasm
told 125 '--net listen=example.com:80: .*: write one of this host, or \*' run --net listen=example.com:80 app.wasm
told 125 '--net connect=::1:80: .*: write it as in \[::1\]:80' run --net connect=::1:80 app.wasm
told 125 '--net tcp: no rule: write .*' run --net tcp app.wasm
told 125 '--http example.com: no origin: write .*' run --http example.com app.wasm
told 125 '--http https://: the host is missing: write .*' run --http https:// app.wasm
told 125 '--http https://example.com/path: .*: leave the path out' run --http https://example.com/path app.wasm
told 125 "--memory: '64MB' is no size: write .*" run --memory 64MB app.wasm
told 126 'app.wasm: starts with [0-9]* bytes of memory, and 10240 are allowed: give it more with --memory' run --memory 10K app.wasm
told 125 "--timeout: '10min' is no duration: write .*" run --timeout 10min app.wasm
told 125 "--cpus: '100%' is no number of processors: write .*" run --cpus 100% app.wasm
told 125 '--format yaml: there is no such form: known are text, json, .*' audit --format yaml app.wasm
told 125 'app.wasm: --name My App: no image can have it: write .*' pack --name 'My App' -o x.tar app.wasm
told 125 '--timezone: there is no time zone Mars .*: write one like .*' run --timezone Mars app.wasm
told 125 "--status-json: 'status.json' is no descriptor open for writing: open one, .*" run --status-json status.json app.wasm
told 125 'lib.wasm: in the arguments of u8 \(.carrel inspect. shows its type\): .*' run --invoke 'u8("x")' lib.wasm
told 125 "lib.wasm: the component exports no function 'nope': it exports .*" run --invoke 'nope()' lib.wasm
printf 'verson: 1\n' >wrong.yaml
told 125 "wrong.yaml:1:1: unknown key 'verson': did you mean 'version'\?" run --policy wrong.yaml app.wasm
printf 'version: 2\n' >wrong.yaml
told 125 'wrong.yaml:1:10: .*: write `version: 1`' run --policy wrong.yaml app.wasm
printf 'version: 1\nallow: {net: "connect=https://example.com"}\n' >wrong.yaml
told 125 'wrong.yaml:2:14: .*: write HOST:PORT, .*' run --policy wrong.yaml app.wasm

# Flags of other programs. What is like them here works at once.
expect '--dir=.' 0 'Hello, world' '' "$carrel" run --dir=. app.wasm
told 125 'unknown flag -S: WASI is there without it; .*' run -S http app.wasm
told 125 'unknown flag -Scommon: WASI is there without it; .*' run -Scommon app.wasm
told 125 'unknown flag -O: nothing is compiled here: leave it out' run -O opt-level=2 app.wasm
told 125 'unknown flag --mapdir: write --dir HOST::GUEST, .*' run --mapdir /::. app.wasm
told 125 'unknown flag -v: write --dir HOST::GUEST, .*' run -v /tmp:/tmp app.wasm
told 125 'unknown flag --tcplisten: write --net listen=ADDR:PORT' run --tcplisten 127.0.0.1:1 app.wasm
told 125 'unknown flag --port: write --addr ADDR:PORT, .*' serve --port 8080 web.wasm
told 125 'unknown flag --wit: leave it out: .*' inspect --wit app.wasm

# --- Serving ------------------------------------------------------------------------------------------------
told 125 "--addr: '8080' is no address with a port: write .*" serve --addr 8080 web.wasm
told 125 'cannot listen at 192.0.2.1:8080: .*: this host does not have that address; choose one of its with --addr' serve --addr 192.0.2.1:8080 web.wasm
expect 'a certificate that is none' 125 '' 'serves on.*\|carrel: web.wasm: no TLS: the file of --tls-cert has no certificate: it is to be in PEM\|$' \
    "$carrel" serve --addr 127.0.0.1:0 --tls-cert text.txt --tls-key text.txt web.wasm

# --- An OCI runtime, whose flags stand before its commands as well -----------------------------------------------
if [ -e "$(dirname "$carrel")/containerd-shim-carrel-v1" ]; then
    expect 'carrel oci --help' 0 'carrel oci \[--root DIR\].* create --bundle DIR' '' "$carrel" oci --help
    told 1 'unknown command run: the commands are create, .*' oci --root "$work/oci" run x
    told 1 'container nosuch does not exist: create it first' oci --root "$work/oci" state nosuch
fi
finish
