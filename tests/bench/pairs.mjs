// Chooses rows of fuse.def from what count.c has counted; rows are written to stdout.
//   node tests/bench/pairs.mjs [--begin FUSE.def] [--rows N] [--likely N] [--jumps N] [--held-out FILE,...] COUNTS.txt...
//
// Code is a sequence of units, at first one for each instruction. Again and again the pair of
// neighbours is merged that saves most dispatches, and is a row. Saved dispatches of a program count
// as a share of those that it has left, so that all programs weigh the same, whether they run long
// or not; and no program gives a pair more than CAP of that, so that one hot loop does not decide.
//
// Then come pairs that are likely elsewhere (--likely), whether they were seen or not: an operator is
// followed by certain others (class by class), and a pair of classes has its operands in certain
// places; the chance of a pair is estimated from its parts where it is too rare to be counted.
//
// Last, runs that end with BR go on where it leads (--jumps). --begin keeps the rows of a file.
//
// Programs that are held out choose nothing: what they have left shows how far the rows generalise.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

const arguments_ = process.argv.slice(2);
const option = (name, otherwise) => {
    const at = arguments_.indexOf(`--${name}`);
    return at < 0 ? otherwise : arguments_.splice(at, 2)[1];
};
const rowsWanted = Number(option('rows', 1000));
const begin = option('begin', '');
const jumpsWanted = Number(option('jumps', 0));
const likelyWanted = Number(option('likely', 0));
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
            const [at, name, runs, leaves, distance] = line.split(' ');
            const to = name === 'BR' ? +at + +distance : undefined;
            functions.at(-1).push({ id: unit([name]), runs: +runs, on: runs - leaves, at: +at, to });
            total += +runs;
        }
    }
    return { name: basename(path, '.txt'), functions: functions.filter((f) => f.some((u) => u.runs)), total, left: total };
}

// An operator without the places of its operands; those places; and its class.
function parts(name) {
    const [, base, form] = name.match(/^(.*?)((?:_(?:SS|AS|SA|SI|AI|IS|IA|AX|II|S|A|I))?(?:_D)?)$/);
    const type = base.match(/^(?:BRN?_)?([IF]\d\d)_/)?.[1] ?? base;
    const kind = /^BRN?_/.test(base) ? 'branch'
        : /_LOAD/.test(base) ? 'load'
        : /_STORE/.test(base) ? 'store'
        : /_(EQ|NE|[LG][TE](_[SU])?)$/.test(base) ? 'compare'
        : /_(ADD|SUB|MUL|DIV|REM|AND|OR|XOR|SH[LR]|ROT[LR]|MIN|MAX|COPYSIGN)/.test(base) ? 'two'
        : 'one';
    return { base, form, group: `${type} ${kind}` };
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

// Estimates made before anything is merged: of all pairs of operators, by what they are made of.
function estimates() {
    const seen = new Map(), bases = new Map(), groups = new Map(), forms = new Map();
    const firsts = new Map(), seconds = new Map(), members = new Map();
    const add = (map, key, value) => map.set(key, (map.get(key) ?? 0) + value);
    choosing.forEach((p, i) => {
        for (const [pair, saved] of gains[i]) {
            const share = Math.min(cap, saved / p.total) / choosing.length;
            const a = parts(units[Math.floor(pair / shift)].last), b = parts(units[pair % shift].last);
            if (beginsOnly.test(a.base))
                continue;
            add(seen, `${a.base}${a.form} ${b.base}${b.form}`, share);
            add(bases, `${a.base} ${b.base}`, share);
            add(groups, `${a.group}|${b.group}`, share);
            add(forms, `${a.group}|${b.group}|${a.form} ${b.form}`, share);
            add(firsts, `${a.group}|${a.base}`, share);
            add(seconds, `${b.group}|${b.base}`, share);
            for (const { base, group } of [a, b])
                members.set(group, (members.get(group) ?? new Set()).add(base));
        }
    });
    const sum = (map, group) => [...members.get(group)].reduce((all, base) => all + (map.get(`${group}|${base}`) ?? 0), 0);
    const firstSum = new Map(), secondSum = new Map();
    for (const group of members.keys()) {
        firstSum.set(group, sum(firsts, group));
        secondSum.set(group, sum(seconds, group));
    }
    const list = [];
    for (const [key, share] of forms) {
        const [first, second, both] = key.split('|');
        const [formA, formB] = both.split(' ');
        const all = groups.get(`${first}|${second}`);
        for (const a of members.get(first))
            for (const b of members.get(second)) {
                const apart = all * (firsts.get(`${first}|${a}`) ?? 0) / firstSum.get(first) *
                    (seconds.get(`${second}|${b}`) ?? 0) / secondSum.get(second);
                const together = bases.get(`${a} ${b}`) ?? 0;
                const names = [`${a}${formA}`, `${b}${formB}`];
                const value = 0.4 * (seen.get(names.join(' ')) ?? 0) + (0.4 * together + 0.2 * apart) * share / all;
                if (value > 1e-7)
                    list.push({ names, value });
            }
    }
    return list.sort((a, b) => b.value - a.value);
}

const likely = likelyWanted ? estimates() : [];
for (const p of programs)
    p.functions = p.functions.map((f) => ({ before: f.map((u) => ({ ...u })), units: f }));
const original = programs.map((p) => p.functions.map((f) => f.before));
for (const p of programs)
    p.functions = p.functions.map((f) => f.units);

const rows = begin
    ? readFileSync(begin, 'utf8').split('\n').filter((line) => line.startsWith('FUSE'))
        .map((line) => line.replace(/^FUSE\d\(|\)$/g, '').split(', '))
    : [];
while (rows.length < rowsWanted) {
    const [pair, gain] = best();
    if (!gain)
        break;
    const names = [...units[Math.floor(pair / shift)].names, ...units[pair % shift].names];
    const into = unit(names);
    for (const p of programs)
        merge(p, pair, into, gains[choosing.indexOf(p)]);
    rows.push(names);
}

const known = new Set(rows.map((names) => names.join(' ')));
for (const { names } of likely) {
    if (known.size >= rows.length + likelyWanted || known.size >= rowsWanted + likelyWanted)
        break;
    known.add(names.join(' '));
}
for (const key of known)
    if (!rows.some((names) => names.join(' ') === key))
        rows.push(key.split(' '));

// Where a BR leads, as an index into the function's instructions.
function targets(f) {
    const index = new Map(f.map((u, i) => [u.at, i]));
    return f.map((u) => (u.to === undefined ? undefined : index.get(u.to)));
}

function jumps() {
    const sums = new Map();
    programs.forEach((p, n) => {
        if (heldOut.has(p.name))
            return;
        const shares = new Map();
        for (const f of original[n]) {
            const to = targets(f);
            f.forEach((u, i) => {
                if (to[i] === undefined || !u.runs || alone.test(units[f[to[i]].id].last) || beginsOnly.test(units[f[to[i]].id].last))
                    return;
                let names = units[u.id].last;
                for (let k = i; k > i - longest + 1 && k >= 0; k--) {
                    if (k < i)
                        names = `${units[f[k].id].last} ${names}`;
                    if (k < i && !known.has(names))
                        break;
                    const key = `${names} ${units[f[to[i]].id].last}`;
                    shares.set(key, (shares.get(key) ?? 0) + Math.min(f[k].runs, u.runs) / p.total);
                }
            });
        }
        for (const [key, share] of shares)
            sums.set(key, (sums.get(key) ?? 0) + Math.min(cap, share));
    });
    return [...sums].sort((a, b) => b[1] - a[1]).slice(0, jumpsWanted).map(([key]) => key);
}
for (const key of jumps()) {
    known.add(key);
    rows.push(key.split(' '));
}

// What is dispatched with the rows as tr_fuse.c takes them: the longest run from wherever one is.
function dispatched(functions) {
    let sum = 0;
    for (const f of functions) {
        const to = targets(f);
        const arrive = f.map((u, i) => Math.max(0, u.runs - (i ? f[i - 1].on : 0)));
        for (let i = 0; i < f.length; i++) {
            if (!(arrive[i] > 0))
                continue;
            sum += arrive[i];
            let key = units[f[i].id].last, at = i, staying = arrive[i];
            const next = () => to[at] ?? at + 1;
            for (; next() < f.length && known.has(`${key} ${units[f[next()].id].last}`); at = next()) {
                key += ` ${units[f[next()].id].last}`;
                if (to[at] === undefined)
                    staying *= f[at].runs ? f[at].on / f[at].runs : 0;
                else // what BR leads to has been counted as arriving there
                    sum -= to[at] > i ? 0 : staying, arrive[to[at]] -= to[at] > i ? staying : 0;
            }
            if (at + 1 < f.length)
                arrive[at + 1] += staying * (f[at].runs ? f[at].on / f[at].runs : 0);
        }
    }
    return sum;
}

function report(n) {
    programs.forEach((p, i) => (p.left = dispatched(original[i])));
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
