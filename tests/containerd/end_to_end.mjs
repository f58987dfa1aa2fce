// Components under a real containerd, through ctr. Usage: node end_to_end.mjs SHIM FOLDER [WORD...]
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Containerd } from './containerd.mjs';
import { connect } from './grpc.mjs';
import { tar, types, writeImage } from './image.mjs';
import { left } from './left.mjs';
import { finish, play } from './play.mjs';
import { programs } from './programs.mjs';

const [shim, folder, ...only] = process.argv.slice(2);
const build = path.dirname(shim), carrel = path.join(build, 'carrel');
const shared = process.env.SHARED ?? '../shared';
const components = path.join(shared, 'components');
const program = programs(path.join(folder, 'programs'));
const daemon = new Containerd(path.join(folder, 'containerd'), build, { namespace: `end-to-end-${process.pid}` });
await daemon.start();

const runtime = ['--runtime', 'io.containerd.carrel.v1'];
const imported = new Map();
// The name of an image of a component, which is packed and imported once.
async function image(file, ...flags) {
  const key = `${file} ${flags}`;
  if (imported.has(key)) return imported.get(key);
  const archive = path.join(folder, 'image.tar'), name = `localhost/test${imported.size}:latest`;
  const packed = await daemon.run(carrel, ['pack', file, '--name', name, '-o', archive, ...flags]);
  assert.equal(packed.code, 0, packed.stderr);
  const loaded = await daemon.ctr('image', 'import', archive);
  assert.equal(loaded.code, 0, loaded.stderr);
  imported.set(key, name);
  return name;
}
let number = 0;
const fresh = () => `e${++number}`;
async function run(file, args = [], flags = []) {
  return daemon.ctr('run', '--rm', ...runtime, ...flags, await image(file), fresh(), ...(args.length ? [`/${path.basename(file)}`, ...args] : []));
}
async function detached(file, flags = []) {
  const id = fresh();
  const made = await daemon.ctr('run', '-d', ...runtime, ...flags, await image(file), id);
  assert.equal(made.code, 0, made.stderr);
  return id;
}
const status = async (id) => (await daemon.ctr('task', 'ls')).stdout.split('\n').map((l) => l.trim().split(/\s+/)).find((l) => l[0] === id);
async function remove(id) {
  await daemon.ctr('task', 'kill', '-s', 'SIGKILL', id);
  for (let i = 0; i < 200 && (await status(id))?.[2] === 'RUNNING'; i++) await sleep(10);
  const gone = await daemon.ctr('task', 'rm', id);
  assert.ok(gone.code === 0 || /not found/.test(gone.stderr), gone.stderr);
  assert.equal((await daemon.ctr('container', 'rm', id)).code, 0);
}

const cases = existsSync(path.join(components, 'cases.json')) ? JSON.parse(readFileSync(path.join(components, 'cases.json'))) : [];
const runnable = (Array.isArray(cases) ? cases : cases.cases).filter((c) => ['command', 'p1'].includes(c.kind) && !c.dirs?.length && !Object.keys(c.dirs ?? {}).length && !c.fs &&
  !c.stdin_gen && !c.stdin && typeof c.exit === 'number' && c.expected_stdout !== undefined && !/^chello|cupper/.test(c.name) && !/tcp|udp|hclient|sm-/.test(c.name) && !(c.args ?? []).join(' ').includes('${'));

const tests = {
  async 'a component runs'() {
    const ran = await run(program.hello);
    assert.deepEqual([ran.code, ran.stdout], [0, 'hello from a cell\n'], ran.stderr);
  },
  async 'exit codes'() {
    assert.equal((await run(program.exit7)).code, 7);
    const trapped = await run(program.trap);
    assert.equal(trapped.code, 134);
    assert.match(trapped.stderr, /unreachable/);
  },
  async 'components of the collection'() {
    for (const c of runnable.slice(0, Number(process.env.CASES ?? 6))) {
      const ran = await run(path.join(components, c.file), c.args ?? []);
      assert.equal(ran.stdout, c.expected_stdout, `${c.name}: ${ran.stderr}`);
      assert.equal(ran.code, c.exit, `${c.name}: ${ran.stderr}`);
    }
  },
  async 'a Linux program is refused with a clear text'() {
    const file = path.join(folder, 'linux.tar'), root = path.join(folder, 'linux');
    mkdirSync(root, { recursive: true });
    writeFileSync(path.join(root, 'elf.wasm'), readFileSync('/bin/true'));
    const archive = await image(program.hello);
    void archive, file;
    const id = fresh();
    const made = await daemon.ctr('run', '--rm', ...runtime, '--rootfs', root, id, '/elf.wasm');
    assert.notEqual(made.code, 0);
    assert.match(made.stderr, /no WebAssembly \(a Linux program needs another runtime\)/);
  },
  async 'detached, killed, removed'() {
    const id = await detached(program.spin);
    const [, pid, state] = await status(id);
    assert.equal(state, 'RUNNING');
    assert.equal(readFileSync(`/proc/${pid}/comm`, 'utf8'), 'carrel-engine\n');
    await daemon.ctr('task', 'kill', id);
    for (let i = 0; i < 200 && (await status(id))[2] !== 'STOPPED'; i++) await sleep(10);
    assert.match((await daemon.ctr('task', 'rm', id)).stderr, /143/);
    await daemon.ctr('container', 'rm', id);
    assert.ok(!existsSync(`/proc/${pid}`));
  },
  // containerd 2 says by MAX_SHIM_VERSION that 2 is the most (2.1.9), and takes 3; before, 3 is unknown.
  async 'version 3 of the protocol, where containerd knows it'() {
    if (Number((await daemon.ctr('version')).stdout.match(/Server:\s+Version:\s+v?(\d+)/)[1]) < 2) return 'this containerd knows version 2 only';
    const wrapper = path.join(folder, 'wrapped', 'containerd-shim-third-v1'), id = fresh();
    mkdirSync(path.dirname(wrapper), { recursive: true });
    writeFileSync(wrapper, `#!/bin/sh\nMAX_SHIM_VERSION=3 exec ${shim} "$@"\n`, { mode: 0o755 });
    const third = ['--runtime', wrapper], name = await image(program.spin);
    const ran = await daemon.ctr('run', '--rm', ...third, await image(program.hello), fresh());
    assert.deepEqual([ran.code, ran.stdout], [0, 'hello from a cell\n'], ran.stderr);
    const made = await daemon.ctr('run', '-d', ...third, name, id);
    assert.equal(made.code, 0, made.stderr);
    const kept = () => JSON.parse(readFileSync(`/run/containerd/state/io.containerd.runtime.v2.task/${daemon.namespace}/${id}/bootstrap.json`, 'utf8'));
    assert.deepEqual([kept().version, kept().protocol], [3, 'ttrpc']);
    for (const verb of ['pause', 'resume', 'metrics']) assert.equal((await daemon.ctr('task', verb, id)).code, 0, verb);
    await daemon.stop();
    await daemon.start();
    assert.equal((await status(id))[2], 'RUNNING');
    await remove(id);
    return null;
  },
  async 'paused and resumed'() {
    const id = await detached(program.spin);
    assert.equal((await daemon.ctr('task', 'pause', id)).code, 0);
    assert.equal((await status(id))[2], 'PAUSED');
    assert.equal((await daemon.ctr('task', 'resume', id)).code, 0);
    assert.equal((await status(id))[2], 'RUNNING');
    const metrics = await daemon.ctr('task', 'metrics', id);
    assert.match(metrics.stdout, /memory\.usage_in_bytes|memory\.current|memory\.usage/, metrics.stderr);
    assert.match((await daemon.ctr('task', 'ps', id)).stdout, new RegExp((await status(id))[1]));
    await remove(id);
  },
  async 'an exec calls an export; a shell is refused'() {
    const id = await detached(program.spin);
    const shell = await daemon.ctr('task', 'exec', '--exec-id', 'x1', id, '/bin/sh');
    assert.notEqual(shell.code, 0);
    assert.match(shell.stderr, /no Linux program/);
    const called = await daemon.ctr('task', 'exec', '--detach', '--exec-id', 'x2', id, '_start()');
    assert.equal(called.code, 0, called.stderr);
    const listed = await daemon.ctr('task', 'ps', id); // ctr reads the details by their type
    assert.equal(listed.code, 0, listed.stderr);
    assert.match(listed.stdout, /x2/);
    await remove(id);
    const answers = await detached(new URL('../data/echo.wasm', import.meta.url).pathname, ['--annotation', 'carrel.policy/invoke=u8(7)']);
    await remove(answers);
  },
  async 'standard input'() {
    for (const input of ['typed', 'x'.repeat(200000)]) {
      const ran = await daemon.run('ctr', ['run', '--rm', ...runtime, await image(program.echo), fresh()], { input });
      assert.deepEqual([ran.code, ran.stdout], [0, `up\n${input}`], ran.stderr);
    }
  },
  async 'a directory by annotation'() {
    const data = path.join(folder, 'given');
    mkdirSync(data, { recursive: true });
    writeFileSync(path.join(data, 'word'), 'given\n');
    const mount = ['--mount', `type=bind,src=${data},dst=/data,options=rbind:ro`];
    assert.equal((await run(program.file, [], mount)).code, 8);
    const ran = await run(program.file, [], [...mount, '--annotation', 'carrel.policy/dir=/data']);
    assert.deepEqual([ran.code, ran.stdout], [0, 'given\n'], ran.stderr);
  },
  async 'what an image asks for is shown, and not given'() {
    const name = 'localhost/asks:latest', archive = path.join(folder, 'asks.tar'), data = path.join(folder, 'asked'), id = fresh();
    mkdirSync(data, { recursive: true });
    writeFileSync(path.join(data, 'word'), 'asked\n');
    const config = { architecture: process.arch === 'arm64' ? 'arm64' : 'amd64', os: 'linux', config: { Entrypoint: ['/file.wasm'], Labels: { 'carrel.policy/dir': '/data', 'carrel.policy/none': 'x', other: 'y' } } };
    writeImage(archive, name, [{ layers: [[types.layer, tar([['file.wasm', readFileSync(program.rests)]])]], config }]);
    assert.equal((await daemon.ctr('image', 'import', archive)).code, 0);
    const made = await daemon.ctr('run', '-d', ...runtime, '--mount', `type=bind,src=${data},dst=/data,options=rbind:ro`, name, id);
    assert.equal(made.code, 0, made.stderr);
    const file = `/run/containerd/state/io.containerd.runtime.v2.task/${daemon.namespace}/${id}/carrel-audit.json`;
    for (let i = 0; i < 200 && !existsSync(file); i++) await sleep(10);
    const [audit] = JSON.parse(readFileSync(file, 'utf8')).files;
    assert.deepEqual([...audit.requests].sort(), ['carrel.policy/dir=/data', 'carrel.policy/none=x']);
    assert.doesNotMatch(JSON.stringify({ ...audit, requests: [] }), /\/data/);
    assert.match(daemon.log(), /the image asks for carrel.policy\/dir=\/data: annotate/);
    await remove(id);
  },
  // containerd unpacks such images since 1.6.25, 1.7.7 and 2.0, into an empty root file system. What is
  // fetched, and how, is the same in all.
  async 'a layer that is the component, whatever its type, is fetched from containerd'() {
    const component = readFileSync(program.hello), other = readFileSync(program.exit7), text = Buffer.from('no component'), wasi = { architecture: 'wasm', os: 'wasip1' };
    const config = { architecture: 'amd64', os: 'linux', config: { Entrypoint: ['/hello'] } };
    const large = Buffer.concat([component, Buffer.from([0, 0x80, 0x80, 0xc0, 1, 4]), Buffer.from('name'), Buffer.alloc((3 << 20) - 5)]); // a custom section of 3 MiB
    const grpc = connect(daemon.socket), named = { id: [1, 's'], image: [3, 's'] };
    const update = [{ container: [1, named], mask: [2, { paths: [1, ['s']] }] }, { container: [1, named] }];
    const images = [
      ['an artifact', [{ layers: [['application/wasm', component]], config: wasi, configType: types.wasmConfig }], /^hello from a cell\n$/],
      ['an artifact of many messages', [{ layers: [['application/wasm', large]], config: wasi, configType: types.wasmConfig }], /^hello from a cell\n$/],
      ['a layer of runwasi', [{ layers: [['application/vnd.bytecodealliance.wasm.component.layer.v0+wasm', component]], config }], /^hello from a cell\n$/],
      ['a layer of wasm-to-oci', [{ layers: [['application/vnd.wasm.content.layer.v1+wasm', component]], config: wasi, configType: 'application/vnd.wasm.config.v1+json' }], /^hello from a cell\n$/],
      ['one of two platforms', [{ layers: [[types.layer, tar([['x', text]])]], config, platform: { os: 'linux', architecture: 'amd64' } },
        { layers: [['application/wasm', component]], config: wasi, configType: types.wasmConfig, platform: { os: 'wasip1', architecture: 'wasm' } }], /^hello from a cell\n$/],
      ['beside other layers', [{ layers: [['text/plain', text], ['application/wasm', component]], config: wasi, configType: types.wasmConfig }], /^hello from a cell\n$/],
      ['two components', [{ layers: [['application/wasm', component], ['application/wasm', other]], config: wasi, configType: types.wasmConfig }], /is empty: .*; and the image .* has 2 components/],
      ['none', [{ layers: [['application/wasm', text]], config: wasi, configType: types.wasmConfig }], /is empty: .*; and no layer of the image .* is a component/],
    ];
    for (const [what, manifests, expected] of images) {
      const name = `localhost/layer${++number}:latest`, archive = path.join(folder, 'layer.tar'), id = fresh(), root = path.join(folder, 'empty');
      mkdirSync(root, { recursive: true });
      writeImage(archive, name, manifests);
      const loaded = await daemon.ctr('image', 'import', '--no-unpack', '--all-platforms', archive);
      assert.equal(loaded.code, 0, `${what}: ${loaded.stderr}`);
      assert.equal((await daemon.ctr('container', 'create', ...runtime, '--rootfs', root, id, '/hello')).code, 0, what);
      await grpc.call('/containerd.services.containers.v1.Containers/Update', update, { container: { id, image: name }, mask: { paths: ['image'] } }, { 'containerd-namespace': daemon.namespace });
      const ran = await daemon.ctr('task', 'start', id);
      assert.match(ran.stdout + ran.stderr, expected, `${what}: ${ran.code} ${ran.stdout} ${ran.stderr}`);
      const gone = await daemon.ctr('container', 'rm', id);
      assert.equal(gone.code, 0, `${what}: ${gone.stderr}`);
    }
    grpc.close();
  },
  async 'an image of such a layer runs where containerd unpacks it'() {
    const name = 'localhost/unpacked:latest', archive = path.join(folder, 'layer.tar');
    writeImage(archive, name, [{ layers: [['application/vnd.bytecodealliance.wasm.component.layer.v0+wasm', readFileSync(program.hello)]], config: { architecture: 'wasm', os: 'wasip1', config: { Entrypoint: ['/hello'] } } }]);
    const loaded = await daemon.ctr('image', 'import', '--all-platforms', archive);
    if (/no processor for media-type|mismatched image rootfs/.test(loaded.stderr)) return 'this containerd does not unpack it';
    assert.equal(loaded.code, 0, loaded.stderr);
    const ran = await daemon.ctr('run', '--rm', '--platform', 'wasip1/wasm', ...runtime, name, fresh());
    assert.deepEqual([ran.code, ran.stdout], [0, 'hello from a cell\n'], ran.stderr);
    return null;
  },
  async 'containerd is restarted while a container runs'() {
    const id = await detached(program.spin);
    const [, pid] = await status(id);
    await daemon.stop();
    assert.ok(existsSync(`/proc/${pid}`));
    await daemon.start();
    assert.deepEqual((await status(id)).slice(1), [pid, 'RUNNING']);
    await remove(id);
  },
  async 'a container ends while containerd is down'() {
    const id = await detached(program.spin);
    const [, pid] = await status(id);
    await daemon.stop('SIGKILL');
    process.kill(Number(pid), 'SIGKILL');
    await sleep(100);
    await daemon.start();
    // From 1.7 on, containerd deletes a task that it finds without processes; before, it says how it is.
    const found = await status(id);
    assert.ok(!found || found[2] === 'STOPPED', `${found}`);
    await remove(id);
  },
  async 'kill -9 of the shim'() {
    const id = await detached(program.spin);
    const [, pid] = await status(id);
    const parent = readFileSync(`/proc/${pid}/status`, 'utf8').match(/PPid:\s*(\d+)/)[1];
    process.kill(Number(parent), 'SIGKILL');
    for (let i = 0; i < 300 && existsSync(`/proc/${pid}`); i++) await sleep(10);
    assert.ok(!existsSync(`/proc/${pid}`), 'the cell died with it');
    for (let i = 0; i < 300 && (await status(id))?.[2] === 'RUNNING'; i++) await sleep(10);
    await daemon.ctr('task', 'rm', id);
    await daemon.ctr('container', 'rm', id);
  },
  async 'many short runs lose no output'() {
    const name = await image(program.hello), runs = Number(process.env.RUNS ?? 40);
    const lost = [];
    const one = async () => {
      const ran = await daemon.ctr('run', '--rm', ...runtime, name, fresh());
      if (ran.stdout !== 'hello from a cell\n' || ran.code !== 0) lost.push(`${ran.code} ${ran.stdout} ${ran.stderr}`);
    };
    for (let i = 0; i < runs; i += 4) await Promise.all([one(), one(), one(), one()]);
    assert.deepEqual(lost, []);
  },
};

// What a test left is its own failure, and not that of those after it; what was there before is nobody's.
const known = new Set(Object.values(left(daemon.namespace)).flat());
async function nothing_left() {
  let rest;
  for (let i = 0; i < 100; i++) {
    rest = Object.fromEntries(Object.entries(left(daemon.namespace)).map(([kind, list]) => [kind, list.filter((one) => !known.has(one))]));
    if (Object.values(rest).every((list) => list.length === 0)) break;
    await sleep(20);
  }
  for (const one of Object.values(rest).flat()) known.add(one);
  assert.deepEqual(rest, { sockets: [], mounts: [], groups: [], bundles: [], processes: [] }, 'something is left');
}
const log = () => daemon.log().split('\n').filter((l) => /carrel|error/.test(l)).slice(-15).join('\n');
await play(tests, { only, after: nothing_left, log });
for (const name of (await daemon.ctr('task', 'ls', '-q')).stdout.split('\n').filter(Boolean)) await remove(name).catch(() => {});
await daemon.stop();
finish();
