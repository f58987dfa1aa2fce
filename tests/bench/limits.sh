#!/bin/sh
# What limits cost that are on and never reached: kernels with code that can be interrupted and code that
# counts its operators, against code without either. The engine alone, processor time, interleaved.
#   tests/bench/limits.sh BUILD ROUNDS [MODULE...]
set -u
build=$1 rounds=$2
shift 2
alone=$build/test/cell/alone
printf '%-16s %10s %10s %10s   (least of %s runs; milliseconds, then ratios)\n' kernel plain polled fuelled "$rounds"
for file in "$@"; do
    "$build/test/host/interleave" -u "$rounds" "$alone" "$file" -- "$alone" --polled "$file" -- "$alone" --fuelled "$file" |
        awk -v name="$(basename "$file" .wasm)" '{ least[NR] = $1 }
            END { printf "%-16s %10.1f %10.3f %10.3f\n", name, least[1], least[2] / least[1], least[3] / least[1] }'
done | awk '{ print; fflush(); polled += log($3); fuelled += log($4) }
    END { if (NR) printf "%-16s %10s %10.3f %10.3f\n", "geometric mean", "", exp(polled / NR), exp(fuelled / NR) }'
