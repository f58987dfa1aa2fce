// The measured table of the README: `make bench-readme` takes the numbers and puts them there. Take them on a
// quiet machine: everything is interleaved and told as ratios to carrel, but what is told is one machine.
//
//   node tests/bench/readme.mjs BUILD README COMPONENT [--starts N] [--rounds N] [--print]
//
// Start-up is that of start.sh, computing that of table.mjs; what is not on PATH has no number. The table
// stands between the two comments that name this command. With --print it is only printed.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options, positionals: [build, readme, component] } = parseArgs({
  allowPositionals: true,
  options: {
    starts: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '9' },
    print: { type: 'boolean', default: false },
  },
});
const here = path.dirname(fileURLToPath(import.meta.url));
const run = (command, ...args) => execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

// Rows "  NAME least median used" of start.sh.
const starts = Object.fromEntries([...run(path.join(here, 'start.sh'), build, options.starts, component)
  .matchAll(/^ {2}(\S+) +[\d.]+ +([\d.]+) +([\d.]+)$/gm)].map(([, name, median, used]) => [name, { median: Number(median), used: Number(used) }]));

// The first table of table.mjs: its head and its last row.
const words = (line) => line.trim().split(/\s+/);
const lines = run('node', path.join(here, 'table.mjs'), build, options.rounds).split('\n');
const last = lines.findIndex((line) => line.startsWith('geometric mean'));
const means = words(lines[last].slice('geometric mean'.length));
const computes = Object.fromEntries(words(lines[1]).map((name, i) => [name, Number(means[i].slice(1))]));

const rows = [
  { title: '**carrel**, a component', start: 'carrel', compute: 'carrel' },
  { title: 'bubblewrap, the same in C without an engine', start: 'bwrap' },
  { title: 'crun, the same', start: 'crun' },
  { title: 'runc, the same', start: 'runc' },
  { title: 'gVisor (`runsc`), the same', start: 'gvisor' },
  { title: 'wasmtime, the component', start: 'wasmtime', compute: 'wasmtime' },
  { title: `V8 (Node ${process.versions.node.split('.')[0]}), which compiles as wasmtime and Spin do`, compute: 'node' },
  { title: 'wasm3, an interpreter', compute: 'wasm3' },
  { title: 'native code', compute: 'native' },
];
const shown = (number) => (number >= 10 ? number.toFixed(0) : number.toPrecision(2));
const start_cell = (row, what) => {
  const it = starts[row.start];
  if (!it) return '';
  return row.start === 'carrel' ? `${it[what].toFixed(1)} ms` : `${shown(it[what] / starts.carrel[what])} ×`;
};
const compute_cell = ({ compute }) => (compute === 'carrel' ? '1' : computes[compute] ? `${shown(computes[compute])} ×` : '');
const measured = rows.filter(({ start, compute }) => starts[start] || computes[compute]);
const table = [
  `| | start to exit | processor time of that | processor time of ${lines.slice(2, last).length / 2} kernels, with their start |`,
  '| --- | --- | --- | --- |',
  ...measured.map((row) => `| ${row.title} | ${start_cell(row, 'median')} | ${start_cell(row, 'used')} | ${compute_cell(row)} |`),
  '',
  `Medians of ${options.starts} starts and geometric means of medians of ${options.rounds} runs, all in turn; ${os.cpus()[0].model.trim()}, Linux ${os.release().split('-')[0]}.`,
].join('\n');

if (options.print) {
  console.log(table);
} else {
  const text = fs.readFileSync(readme, 'utf8');
  const between = /(<!-- make bench-readme -->\n)[^]*?(<!-- end of make bench-readme -->)/;
  if (!between.test(text)) throw new Error(`${readme} has no place for the table`);
  fs.writeFileSync(readme, text.replace(between, (_, head, tail) => `${head}${table}\n${tail}`));
}
