// Throughput: what a component gets of files, pipes, sockets and paths, against the same loop in C on
// the host. Files lie in memory (/dev/shm), transfers are of 64 KiB.
//   node tests/bench/io.mjs BUILD [ROUNDS [NAME...]]
// Each number is the best of interleaved rounds, without the time that a run which does nothing takes.
// xN beside it: the speed in parts of the host's; of stat and open, how many times as long they take.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { load_scenarios } from '../wasi/build.mjs';

const [build_folder, rounds = '5', ...names] = process.argv.slice(2);
const here = path.dirname(fileURLToPath(import.meta.url));
const work = fs.mkdtempSync('/dev/shm/bench-io-');
process.on('exit', () => fs.rmSync(work, { recursive: true, force: true }));
// The guest's lists come to the same few places again, as with an allocator whose caller gives back what it was given.
const { scenarios, build } = load_scenarios(work, path.join(here, 'io'), 3 * 2 ** 16);
const host = path.resolve(build_folder, 'test/host/io'), carrel = path.resolve(build_folder, 'carrel');
const size = 2 ** 28, count = 200000; // as in io.c and io/guest.c

const tree = path.join(work, 'tree');
fs.mkdirSync(tree);
fs.writeFileSync(path.join(tree, 'data'), '');
fs.truncateSync(path.join(tree, 'data'), size);
const fill = Buffer.alloc(1 << 20, 1), data = fs.openSync(path.join(tree, 'data'), 'r+');
for (let at = 0; at < size; at += fill.length) fs.writeSync(data, fill, 0, fill.length, at);

const shell = line => new Promise((resolve, reject) => {
  const started = process.hrtime.bigint();
  spawn('bash', ['-c', `set -o pipefail; ${line}`], { stdio: ['ignore', 'ignore', 'inherit'] }).on('close', code =>
    code ? reject(new Error(`exit ${code}: ${line}`)) : resolve(Number(process.hrtime.bigint() - started) / 1e9));
});
// The whole of a measurement: a pipe on both sides of what copies, a client beside what echoes.
const whole = (what, line) => what === 'copy' || what === 'splice' ? `cat ${tree}/data | ${line} | cat >/dev/null`
  : what === 'echo' ? `{ ${line} & p=$!; ${host} client; e=$?; wait $p; exit $e; }` : line;

const kinds = { copy: size, splice: size, echo: size, read: size, write: size, stat: count, open: count };
const lines = {};
for (const what of ['nothing', ...Object.keys(kinds)]) {
  const flags = what === 'echo' ? '--net listen=127.0.0.1:7919' : `--dir ${tree}::/`;
  lines[what] = { host: whole(what, `${host} ${what} ${tree}`) };
  for (const [column, id] of [['component', what], ['preview 1', `p1_${what}`]])
    if (scenarios.has(id)) lines[what][column] = whole(what, `${carrel} run ${flags} ${build(scenarios.get(id), 1)}`);
}

const times = {};
const wanted = Object.keys(kinds).filter(what => !names.length || names.includes(what));
for (let round = 0; round < Number(rounds); round++)
  for (const what of ['nothing', ...wanted])
    for (const [column, line] of Object.entries(lines[what]))
      ((times[what] ??= {})[column] ??= []).push(await shell(line));

const unit = (what, seconds) => kinds[what] === size ? `${(kinds[what] / seconds / 1e9).toFixed(2)} GB/s` : `${(seconds / kinds[what] * 1e6).toFixed(2)} us`;
console.log(`${''.padEnd(8)}${['host', 'component', 'preview 1'].map(one => one.padStart(24)).join('')}`);
for (const what of wanted) {
  const base = times[what];
  const net = Object.fromEntries(Object.entries(base).map(([column, list]) =>
    [column, Math.max(Math.min(...list) - Math.min(...times.nothing[column]), 1e-6)]));
  const cells = ['host', 'component', 'preview 1'].map(column => {
    if (!(column in net)) return '-'.padStart(24);
    const ratio = kinds[what] === size ? net.host / net[column] : net[column] / net.host;
    return `${unit(what, net[column])}${column === 'host' ? '' : ` x${ratio.toFixed(2)}`}`.padStart(24);
  });
  console.log(what.padEnd(8) + cells.join(''));
}
