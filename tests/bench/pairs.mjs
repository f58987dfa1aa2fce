// Chooses rows of fuse.def from what count.c has counted; rows are written to stdout.
//   node tests/bench/pairs.mjs [--rows N] [--held-out FILE,...] COUNTS.txt...
//
// Code is a sequence of units, at first one for each instruction. Again and again the pair of
// neighbours is merged that saves most dispatches, and is a row. Saved dispatches of a program count
// as a share of those that it has left, so that all programs weigh the same, whether they run long
// or not; and no program gives a pair more than CAP of that, so that one hot loop does not decide.
// Programs that are held out choose nothing: what they have left shows how far the rows generalise.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

const arguments_ = process.argv.slice(2);
const option = (name, otherwise) => {
    const at = arguments_.indexOf(`--${name}`);
    return at < 0 ? otherwise : arguments_.splice(at, 2)[1];
};
const rowsWanted = Number(option('rows', 1000));
const cap = Number(option('cap', 0.02));
const longest = Number(option('longest', 4));
const heldOut = new Set(option('held-out', '').split(',').filter(Boolean));

// A run ends with an operator that always goes elsewhere; some stand alone, for they are handlers and
// not operations (interp.h) or are never hot.
const ends = /^(BR|RETX?V?(_.*)?|BR_TABLE_.|CALL)$/;
const alone = /^(CALL_|TAIL|LAZY|NATIVE|START|LEAVE|RETURN_ACROSS|MEMORY_|TABLE_|UNREACHABLE|BR_NULL|BR_NON_NULL|FUEL|POLL|ELEM|DATA|REF_|I64_(ADD|SUB)128|I64_MUL_WIDE|COPY_WIDE|MOVE|.*_ANY$|[IFV]\d+X|V128|CONSTV|COPYV|SELECTV|SETV|RETV|GLOBAL_.ETV|BRN?_(V128|I\d+X)|.*ATOMIC)/;
const beginsOnly = /^ENTER/;

const ids = new Map();
const units = []; // by id: names of its operators
const unit = (names) => {
    const key = names.join(' ');
    if (!ids.has(key)) {
        ids.set(key, units.length);
        units.push({ names, last: names.at(-1) });
    }
    return ids.get(key);
};

// A program: its functions as arrays of [unit, runs, runs on to the next].
function program(path) {
    const functions = [];
    let total = 0;
    for (const line of readFileSync(path, 'utf8').split('\n')) {
        if (line === 'func') {
            functions.push([]);
        } else if (line) {
            const [, name, runs, leaves] = line.split(' ');
            functions.at(-1).push({ id: unit([name]), runs: +runs, on: runs - leaves });
            total += +runs;
        }
    }
    return { name: basename(path, '.txt'), functions: functions.filter((f) => f.some((u) => u.runs)), total, left: total };
}

function flow(a, b) {
    const first = units[a.id], second = units[b.id];
    if (!a.runs || !b.runs || second.names.length > 1 || first.names.length >= longest)
        return 0;
    if (ends.test(first.last) || alone.test(first.last) || alone.test(second.last) || beginsOnly.test(second.last))
        return 0;
    return Math.min(a.on, b.runs);
}

const programs = arguments_.map(program).filter((p) => p.total > 0);
const choosing = programs.filter((p) => !heldOut.has(p.name));
const shift = 65536;
const gains = choosing.map(() => new Map()); // by program, of pairs

function count(map, f) {
    for (let i = 0; i + 1 < f.length; i++) {
        const saved = flow(f[i], f[i + 1]);
        if (saved > 0)
            map.set(f[i].id * shift + f[i + 1].id, (map.get(f[i].id * shift + f[i + 1].id) ?? 0) + saved);
    }
}
choosing.forEach((p, i) => p.functions.forEach((f) => count(gains[i], f)));

function best() {
    const sums = new Map();
    choosing.forEach((p, i) => {
        for (const [pair, saved] of gains[i])
            sums.set(pair, (sums.get(pair) ?? 0) + Math.min(cap, saved / p.left) * (p.weight ?? 1));
    });
    let most = [0, 0];
    for (const [pair, gain] of sums)
        if (gain > most[1])
            most = [pair, gain];
    return most;
}

// Merges a pair wherever it is; jumps to its second half still run that alone.
function merge(p, pair, into, gain) {
    const a = Math.floor(pair / shift), b = pair % shift;
    for (let n = 0; n < p.functions.length; n++) {
        const f = p.functions[n];
        let changed = false;
        for (let i = 0; i + 1 < f.length; i++) {
            if (f[i].id !== a || f[i + 1].id !== b)
                continue;
            const saved = flow(f[i], f[i + 1]);
            if (saved <= 0)
                continue;
            if (!changed && gain)
                for (let k = 0; k + 1 < f.length; k++) { // taken back, and counted anew below
                    const was = flow(f[k], f[k + 1]);
                    if (was > 0) {
                        const key = f[k].id * shift + f[k + 1].id, rest = gain.get(key) - was;
                        rest > 0 ? gain.set(key, rest) : gain.delete(key);
                    }
                }
            changed = true;
            f[i] = { id: into, runs: f[i].runs, on: f[i + 1].on * (saved / f[i + 1].runs) };
            f.splice(i + 1, 1);
            p.left -= saved;
        }
        if (changed && gain)
            count(gain, f);
    }
}

const rows = [];
while (rows.length < rowsWanted) {
    const [pair, gain] = best();
    if (!gain)
        break;
    const names = [...units[Math.floor(pair / shift)].names, ...units[pair % shift].names];
    const into = unit(names);
    for (const p of programs)
        merge(p, pair, into, gains[choosing.indexOf(p)]);
    rows.push(names);
    if (process.env.VERBOSE && rows.length % 100 === 0)
        report(rows.length);
}

function report(n) {
    const mean = (list) => Math.exp(list.reduce((sum, p) => sum + Math.log(p.left / p.total), 0) / list.length);
    const held = programs.filter((p) => heldOut.has(p.name));
    console.error(`${n} rows: dispatches left ${mean(choosing).toFixed(3)}` + (held.length ? `, held out ${mean(held).toFixed(3)}` : ''));
}
report(rows.length);
if (process.env.VERBOSE)
    for (const p of programs)
        console.error(`  ${p.name}${heldOut.has(p.name) ? ' (held out)' : ''}: ${(p.left / p.total).toFixed(3)}`);
for (const names of rows)
    console.log(`FUSE${names.length}(${names.join(', ')})`);
