// What a shim costs: time from start to exit, the time of 20 that stay, and their memory; carrel's
// against runc's and crun's, interleaved. Usage: node bench.mjs SHIM FOLDER [ROUNDS]
import { execFileSync } from 'node:child_process';
import { closeSync, constants, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client, drain, Host, HungUp } from './driver.mjs';
import { programs } from './programs.mjs';

const [shim, folder, rounds = '20'] = process.argv.slice(2);
const program = programs(path.join(folder, 'programs'));
const hello = path.join(path.dirname(shim), 'test/cell/hello');
const shared = process.env.SHARED ?? '../shared';
const component = path.join(shared, 'components/dhello.wasm');
const found = (name) => { try { return execFileSync('sh', ['-c', `command -v ${name}`]).toString().trim(); } catch { return null; } };
// crun refuses hosts where version 2 has controllers beside version 1; nobody else here needs it.
if (existsSync('/sys/fs/cgroup/unified/cgroup.procs')) execFileSync('umount', ['-l', '/sys/fs/cgroup/unified']);
const now = () => Number(process.hrtime.bigint()) / 1e6;
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const ms = (value) => value.toFixed(1).padStart(8);

class Runc extends Host {
  // A bundle of a static program that ends at once, or with `stays` waits.
  bundle(id, { stays = false } = {}) {
    const bundle = path.join(this.folder, 'bundles', id), rootfs = path.join(bundle, 'rootfs');
    for (const name of ['proc', 'dev', 'sys']) mkdirSync(path.join(rootfs, name), { recursive: true });
    const program = stays ? 'busybox' : 'hello'; // which busybox looks at
    copyFileSync(stays ? found('busybox') : hello, path.join(rootfs, program));
    writeFileSync(path.join(bundle, 'config.json'), JSON.stringify({
      ociVersion: '1.0.2', process: { args: stays ? ['/busybox', 'sleep', '1000'] : ['/hello'], env: [], cwd: '/', user: { uid: 0, gid: 0 }, noNewPrivileges: true, capabilities: {} }, root: { path: 'rootfs' },
      mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
      linux: { cgroupsPath: `/${this.group}/${id}`, namespaces: ['pid', 'ipc', 'uts', 'mount', 'network'].map((type) => ({ type })) },
    }));
    execFileSync('mkfifo', [path.join(bundle, 'log')]);
    return bundle;
  }
}
// google.protobuf.Any of containerd.runc.v1.Options{binary_name}.
function runcOptions(binary) {
  const value = Buffer.concat([Buffer.from([0x32, binary.length]), Buffer.from(binary)]), type = Buffer.from('containerd.runc.v1.Options');
  return Buffer.concat([Buffer.from([0x0a, type.length]), type, Buffer.from([0x12, value.length]), value]);
}

// The end of a shim. runc's at times hangs up without an answer (1 of 100 here), which containerd takes for one.
async function leave(client, id) {
  await client.call('Shutdown', { id }).catch((error) => { if (!(error instanceof HungUp)) throw error; });
  await client.closed;
}

// Start, Create, Start, exit: milliseconds of each, and all.
async function once(host, id, bundle, streams, options) {
  const out = drain(streams.stdout), began = now();
  void drain(streams.stderr);
  const address = await host.start(id, bundle, 2, options);
  const client = await Client.connect(address);
  const connected = now();
  await client.call('Create', { id, bundle, ...streams, ...(options ? { options } : {}) });
  const created = now();
  const wait = client.call('Wait', { id });
  await client.call('Start', { id });
  const started = now();
  const { exit_status } = await wait;
  const ended = now();
  await client.call('Delete', { id });
  await leave(client, id);
  const text = await out;
  if (exit_status !== 0 || !text) throw new Error(`${host.shim}: exit ${exit_status}, ${text}`);
  await host.remove(id, bundle);
  rmSync(bundle, { recursive: true });
  return { connect: connected - began, create: created - connected, start: started - created, exit: ended - started, all: ended - began };
}

const pss = (pid, field = 'Pss') => Number(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(new RegExp(`^${field}:\\s*(\\d+)`, 'm'))[1]);

// carrel, and what of runc and crun is here: [name, host] each, with its events listened to.
async function hosts() {
  const carrel = new Host(path.join(folder, 'carrel'), shim), kinds = [['carrel', carrel]];
  const runcShim = found('containerd-shim-runc-v2');
  for (const name of ['runc', 'crun'])
    if (runcShim && found(name) && existsSync(hello)) kinds.push([name, new Runc(path.join(folder, name), runcShim)]);
  for (const [, host] of kinds) {
    mkdirSync(host.folder, { recursive: true });
    await host.events.start();
  }
  return kinds;
}

// From start to exit, interleaved; who fails once is out of `kinds` from then on.
async function alone(kinds) {
  const taken = Object.fromEntries(kinds.map(([name]) => [name, []]));
  for (let i = 0; i < Number(rounds); i++) {
    for (const [name, host] of [...kinds]) {
      const id = `${name}-${i}`, bundle = name === 'carrel' ? host.bundle(id, existsSync(component) ? component : program.hello) : host.bundle(id);
      const options = name === 'crun' ? runcOptions('crun') : undefined;
      try {
        taken[name].push(await once(host, id, bundle, { stdout: host.fifo(`${id}-out`), stderr: host.fifo(`${id}-err`) }, options));
      } catch (error) {
        console.log(`${name}: ${error.message}`);
        for (const end of ['out', 'err']) closeSync(openSync(host.fifo(`${id}-${end}`), constants.O_RDWR)); // whoever waits there goes on
        await host.remove(id, bundle).catch(() => {});
        kinds.splice(kinds.findIndex(([n]) => n === name), 1);
      }
    }
  }
  console.log(`shim alone, medians of ${rounds}, ms`);
  console.log('          connect  create   start    exit     all   ratio');
  const all = (name) => median(taken[name].map((t) => t.all));
  for (const [name] of kinds) {
    if (!taken[name].length) continue;
    console.log(`${name.padEnd(8)}${['connect', 'create', 'start', 'exit', 'all'].map((k) => ms(median(taken[name].map((t) => t[k])))).join('')}  ${name === 'carrel' ? '' : `carrel takes ${(all('carrel') / all(name)).toFixed(2)} of it`}`);
  }
}

// 20 that stay, each with a shim of its own.
async function staying(name, host) {
  const began = now(), kept = [];
  await Promise.all(Array.from({ length: 20 }, async (_, i) => {
    const id = `${name}-stay-${i}`, stdin = host.fifo(`${id}-in`);
    const bundle = name === 'carrel' ? host.bundle(id, program.echo) : host.bundle(id, { stays: true });
    const client = await Client.connect(await host.start(id, bundle));
    await client.call('Create', { id, bundle, ...(name === 'carrel' ? { stdin } : { stdout: `file:///dev/null`, stderr: 'file:///dev/null' }) });
    await client.call('Start', { id });
    kept.push({ id, bundle, client, pid: (await client.call('Connect', { id })).shim_pid });
  }));
  const wall = now() - began;
  await new Promise((done) => setTimeout(done, 500));
  console.log(`${name}: 20 that stay: started in ${wall.toFixed(0)} ms; of a shim: PSS ${median(kept.map((k) => pss(k.pid)))} KB, private ${median(kept.map((k) => pss(k.pid, 'Private_Dirty') + pss(k.pid, 'Private_Clean')))} KB, RSS ${median(kept.map((k) => pss(k.pid, 'Rss')))} KB`);
  if (process.env.SMAPS && name === 'carrel') console.log(readFileSync(`/proc/${kept[0].pid}/smaps`, 'utf8'));
  for (const k of kept) {
    await k.client.call('Kill', { id: k.id, signal: 9 });
    await k.client.call('Wait', { id: k.id });
    await k.client.call('Delete', { id: k.id });
    await leave(k.client, k.id);
  }
}

// One shim with more and more containers.
async function growing(carrel) {
  const grown = [];
  let client, pid, address;
  const pod = Array.from({ length: 11 }, (_, i) => `pod-${i}`);
  for (const id of pod) {
    const bundle = carrel.bundle(id, program.echo, { annotations: { 'io.containerd.runc.v2.group': 'pod' } });
    address = await carrel.start(id, bundle);
    client ??= await Client.connect(address);
    await client.call('Create', { id, bundle, stdin: carrel.fifo(`${id}-in`) });
    await client.call('Start', { id });
    pid = (await client.call('Connect', { id })).shim_pid;
    await new Promise((done) => setTimeout(done, 100));
    grown.push(pss(pid, 'Private_Dirty')); // the program's own pages are private or not, as another shim runs or does not
  }
  console.log(`one shim with 1 to 11 containers, private and written KB: ${grown.join(' ')}: ${((grown[10] - grown[0]) / 10).toFixed(0)} for each further one`);
  for (const id of pod) {
    await client.call('Kill', { id, signal: 9 });
    await client.call('Wait', { id });
    await client.call('Delete', { id });
  }
  await leave(client, 'pod-0');
}

const kinds = await hosts(), [[, carrel]] = kinds;
await alone(kinds);
for (const [name, host] of kinds)
  if (name === 'carrel' || (name === 'runc' && found('busybox'))) await staying(name, host);
await growing(carrel);
for (const [, host] of kinds) { await host.events.stop(); host.end(); }
process.exit(0);
