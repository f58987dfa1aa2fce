// What containers cost from `ctr run` to their first output and to their end, and 20 detached ones;
// carrel's against runc's and crun's, interleaved, under a private containerd.
// Usage: node bench_ctr.mjs SHIM FOLDER [ROUNDS]
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Containerd } from './containerd.mjs';
import { tar, types, writeImage } from './image.mjs';
import { programs } from './programs.mjs';

const [shim, folder, rounds = '20'] = process.argv.slice(2);
const build = path.dirname(shim), shared = process.env.SHARED ?? '../shared';
const component = path.join(shared, 'components/dhello.wasm'), hello = path.join(build, 'test/cell/hello');
const found = (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
const now = () => Number(process.hrtime.bigint()) / 1e6;
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
// crun refuses hosts where version 2 has controllers beside version 1.
if (existsSync('/sys/fs/cgroup/unified/cgroup.procs')) execFileSync('umount', ['-l', '/sys/fs/cgroup/unified']);

// An image of one static program, as `carrel pack` makes them of components.
function linuxImage(archive, image, file, args) {
  const layer = tar([['hello', readFileSync(file)], ['proc/', Buffer.alloc(0)], ['dev/', Buffer.alloc(0)], ['sys/', Buffer.alloc(0)]]);
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
const kinds = [['carrel', ['--runtime', 'io.containerd.carrel.v1'], await load('component', pack(existsSync(component) ? component : program.hello)), await load('spin', pack(program.echo))]];
for (const name of ['runc', 'crun']) {
  if (!found(name) || !found('containerd-shim-runc-v2') || !existsSync(hello)) continue;
  const flags = ['--runtime', 'io.containerd.runc.v2', ...(name === 'crun' ? ['--runc-binary', 'crun'] : [])];
  kinds.push([name, flags, await load(`${name}-hello`, (archive, image) => linuxImage(archive, image, hello, ['/hello']))]);
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
const [, flags, , stays] = kinds[0];
const began = now(), ids = Array.from({ length: 20 }, (_, i) => `d${i}`);
await Promise.all(ids.map((id) => daemon.ctr('run', '-d', ...flags, stays, id)));
console.log(`carrel: 20 detached at once: ${(now() - began).toFixed(0)} ms`);
for (const id of ids) {
  await daemon.ctr('task', 'rm', '-f', id);
  await daemon.ctr('container', 'rm', id);
}
await daemon.stop();
process.exit(0);
