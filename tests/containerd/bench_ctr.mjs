// What containers cost from `ctr run` to their first output and to their end, and 20 detached ones, and what is
// lost and left; carrel's against runc's and crun's, interleaved, under a private containerd. RUNS=1000 short runs.
// Usage: node bench_ctr.mjs SHIM FOLDER [ROUNDS]
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Containerd } from './containerd.mjs';
import { tar, types, writeImage } from './image.mjs';
import { left } from './left.mjs';
import { programs } from './programs.mjs';

const [shim, folder, rounds = '20'] = process.argv.slice(2);
const build = path.dirname(shim), shared = process.env.SHARED ?? '../shared';
const component = path.join(shared, 'components/dhello.wasm'), hello = path.join(build, 'test/cell/hello');
const place = (name) => spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
const found = (name) => place(name) !== '';
const now = () => Number(process.hrtime.bigint()) / 1e6;
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
// crun refuses hosts where version 2 has controllers beside version 1.
if (existsSync('/sys/fs/cgroup/unified/cgroup.procs')) execFileSync('umount', ['-l', '/sys/fs/cgroup/unified']);

// An image of one static program, as `carrel pack` makes them of components.
function linuxImage(archive, image, file, args) {
  const layer = tar([[args[0].slice(1), readFileSync(file)], ['proc/', Buffer.alloc(0)], ['dev/', Buffer.alloc(0)], ['sys/', Buffer.alloc(0)]]);
  writeImage(archive, image, [{ layers: [[types.layer, layer]], config: { architecture: process.arch === 'arm64' ? 'arm64' : 'amd64', os: 'linux', config: { Entrypoint: args } } }]);
}

const program = programs(path.join(folder, 'programs'));
const daemon = new Containerd(path.join(folder, 'containerd'), build);
mkdirSync(folder, { recursive: true });
process.on('exit', () => daemon.process?.kill('SIGKILL'));
await daemon.start();
async function load(name, make) {
  const archive = path.join(folder, `${name}.tar`), image = `localhost/${name}:latest`;
  await make(archive, image);
  const loaded = await daemon.ctr('image', 'import', archive);
  if (loaded.code) throw new Error(loaded.stderr);
  return image;
}
const pack = (file) => (archive, image) => execFileSync(path.join(build, 'carrel'), ['pack', file, '--name', image, '-o', archive]);
const kinds = [['carrel', ['--runtime', 'io.containerd.carrel.v1'], await load('component', pack(existsSync(component) ? component : program.hello)), await load('rests', pack(program.rests))]];
for (const name of ['runc', 'crun']) {
  if (!found(name) || !found('containerd-shim-runc-v2') || !existsSync(hello)) continue;
  const flags = ['--runtime', 'io.containerd.runc.v2', ...(name === 'crun' ? ['--runc-binary', 'crun'] : [])];
  const busybox = place('busybox'); // whose static program sleeps; without it, this kind has none that stays
  kinds.push([name, flags, await load(`${name}-hello`, (archive, image) => linuxImage(archive, image, hello, ['/hello'])),
    busybox && await load(`${name}-stays`, (archive, image) => linuxImage(archive, image, busybox, ['/busybox', 'sleep', '1000']))]);
}

let number = 0;
function once(flags, image) {
  return new Promise((done, fail) => {
    const began = now();
    let first = 0, text = '';
    const child = spawn('ctr', ['run', '--rm', ...flags, image, `b${++number}`], { env: daemon.env });
    child.stdout.on('data', (part) => { first ||= now() - began; text += part; });
    child.stderr.on('data', (part) => { text += part; });
    child.on('close', (code) => code || !first ? fail(new Error(text)) : done({ first, all: now() - began }));
  });
}
const taken = Object.fromEntries(kinds.map(([name]) => [name, []]));
for (let i = 0; i < Number(rounds); i++) {
  for (const [name, flags, image] of kinds) taken[name].push(await once(flags, image));
}
console.log(`ctr run, medians of ${rounds}, ms\n           first output   to exit`);
const of = (name, what) => median(taken[name].map((t) => t[what]));
for (const [name] of kinds) {
  const ratio = name === 'carrel' ? '' : `  carrel takes ${(of('carrel', 'first') / of(name, 'first')).toFixed(2)} and ${(of('carrel', 'all') / of(name, 'all')).toFixed(2)} of it`;
  console.log(`${name.padEnd(10)} ${of(name, 'first').toFixed(1).padStart(12)} ${of(name, 'all').toFixed(1).padStart(9)}${ratio}`);
}

// 20 that are started at once and stay, and are removed again.
async function detached(flags, image) {
  const ids = Array.from({ length: 20 }, () => `d${++number}`), began = now();
  const made = await Promise.all(ids.map((id) => daemon.ctr('run', '-d', ...flags, image, id)));
  const wall = now() - began, wrong = made.find((m) => m.code);
  if (wrong) throw new Error(wrong.stderr);
  await Promise.all(ids.map((id) => daemon.ctr('task', 'rm', '-f', id)));
  await Promise.all(ids.map((id) => daemon.ctr('container', 'rm', id)));
  return wall;
}
const walls = Object.fromEntries(kinds.map(([name]) => [name, []]));
for (let i = 0; i < Number(rounds); i++) {
  for (const [name, flags, , stays] of kinds) if (stays) walls[name].push(await detached(flags, stays));
}
for (const [name] of kinds) if (walls[name].length) console.log(`${name.padEnd(10)} 20 detached at once, median of ${walls[name].length}: ${median(walls[name]).toFixed(0)} ms`);

// Short runs, four at once, while two processes count: how many printed less than they wrote.
async function lost(flags, image, runs) {
  const load = [1, 2].map(() => spawn('sh', ['-c', 'while :; do :; done']));
  let left = runs, short = 0;
  const one = async () => {
    while (left-- > 0) if ((await daemon.ctr('run', '--rm', ...flags, image, `l${++number}`)).stdout.length < 6) short++;
  };
  await Promise.all([one(), one(), one(), one()]);
  for (const one of load) one.kill('SIGKILL');
  return short;
}
const runs = Number(process.env.RUNS ?? 1000);
for (const [name, flags, image] of kinds) {
  const of = name === 'carrel' ? runs : Math.ceil(runs / 10);
  console.log(`${name.padEnd(10)} output lost in ${of} short runs under load: ${await lost(flags, image, of)}`);
}

// kill -9 of shims and of cells, and restarts of containerd, gracious and not: what is there afterwards.
async function killed(what, how) {
  const [, flags, , stays] = kinds[0], before = new Set(Object.values(left(daemon.namespace)).flat());
  for (let i = 0; i < 10; i++) {
    const id = `k${++number}`;
    await daemon.ctr('run', '-d', ...flags, stays, id);
    const pid = (await daemon.ctr('task', 'ls')).stdout.match(new RegExp(`^${id}\\s+(\\d+)`, 'm'))?.[1];
    await how(Number(pid));
    await daemon.ctr('task', 'rm', '-f', id);
    await daemon.ctr('container', 'rm', id);
  }
  let rest;
  for (let i = 0; i < 100 && (rest = Object.values(left(daemon.namespace)).flat().filter((one) => !before.has(one))).length; i++) await sleep(20);
  console.log(`carrel     left after 10 times ${what}: ${rest.length}${rest.length ? ` (${rest.join(' ')})` : ''}`);
}
const shimOf = (pid) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/PPid:\s*(\d+)/)[1]);
await killed('kill -9 of the shim', (pid) => process.kill(shimOf(pid), 'SIGKILL'));
await killed('kill -9 of the cell', (pid) => process.kill(pid, 'SIGKILL'));
await killed('a restart of containerd', async () => { await daemon.stop(); await daemon.start(); });
await killed('kill -9 of containerd', async () => { await daemon.stop('SIGKILL'); await daemon.start(); });
await killed('kill -9 of containerd and of the shim', async (pid) => { const shim_ = shimOf(pid); await daemon.stop('SIGKILL'); process.kill(shim_, 'SIGKILL'); await daemon.start(); });
await daemon.stop();
process.exit(0);
