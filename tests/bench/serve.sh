#!/bin/sh
# Requests a second and latencies of `carrel serve` beside nginx's `return 200`, each with one worker, over
# the loopback, by wrk: tests/bench/serve.sh BUILD COMPONENT [SECONDS]
set -e
build=$1 component=$2 seconds=${3:-5}
work=$(mktemp -d)
pids=
end() {
    for pid in $pids; do kill "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap end EXIT
for program in wrk nginx; do
    command -v $program >/dev/null || { echo "$program is not on PATH: nothing to measure with"; exit 0; }
done
cat >"$work/nginx.conf" <<CONF
worker_processes 1; daemon off; pid $work/pid; error_log /dev/null;
events { worker_connections 1024; }
http { access_log off; server { listen 127.0.0.1:18471; location / { return 200 "hello GET /\n"; } } }
CONF
nginx -c "$work/nginx.conf" 2>/dev/null & pids="$pids $!"
"$build/carrel" serve --addr 127.0.0.1:18472 "$component" 2>"$work/log" & pids="$pids $!"
"$build/carrel" serve --addr 127.0.0.1:18473 --isolation none "$component" 2>>"$work/log" & pids="$pids $!"
sleep 1
printf '%-22s %12s %10s %10s\n' '' 'requests/s' 'median' '99 %'
measure() {
    wrk -t1 -c16 -d"${seconds}s" --latency "http://127.0.0.1:$2/" |
        awk -v name="$1" '/50%/ {median = $2} /99%/ {most = $2} /^Requests\/sec/ {rate = $2}
            END {printf "%-22s %12s %10s %10s\n", name, rate, median, most}'
}
for round in 1 2 3; do
    measure nginx 18471
    measure 'carrel, instance' 18472
    measure 'carrel, none' 18473
done
