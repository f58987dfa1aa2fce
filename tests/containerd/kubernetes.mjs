// Pods under a real containerd, as kubelet makes them: CRI over gRPC.
// Usage: node kubernetes.mjs SHIM FOLDER [WORD...]
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Containerd } from './containerd.mjs';
import { connect } from './grpc.mjs';
import { finish, play } from './play.mjs';
import { programs } from './programs.mjs';

const [shim, folder] = process.argv.slice(2);
const build = path.dirname(shim);
const program = programs(path.join(folder, 'programs'));
const daemon = new Containerd(path.join(folder, 'containerd'), build, { cri: true });
await daemon.start();

// runtime.v1, as far as it is used here.
const pair = { key: [1, 's'], value: [2, 's'] }, id = { id: [1, 's'] }, value = { value: [1, 'n'] };
const resources = { cpu_period: [1, 'n'], cpu_quota: [2, 'n'], cpu_shares: [3, 'n'], memory_limit_in_bytes: [4, 'n'] };
const sandbox = {
  metadata: [1, { name: [1, 's'], uid: [2, 's'], namespace: [3, 's'] }], hostname: [2, 's'], log_directory: [3, 's'], labels: [6, [pair]], annotations: [7, [pair]],
  linux: [8, { cgroup_parent: [1, 's'], security_context: [2, { namespace_options: [1, { network: [1, 'n'] }] }] }],
};
const container = {
  metadata: [1, { name: [1, 's'] }], image: [2, { image: [1, 's'] }], command: [3, ['s']], args: [4, ['s']], envs: [6, [pair]], annotations: [10, [pair]], log_path: [11, 's'],
  linux: [15, { resources: [1, resources] }],
};
const methods = {
  RunPodSandbox: [{ config: [1, sandbox], runtime_handler: [2, 's'] }, id],
  StopPodSandbox: [id, {}],
  RemovePodSandbox: [id, {}],
  CreateContainer: [{ pod: [1, 's'], config: [2, container], sandbox: [3, sandbox] }, id],
  StartContainer: [id, {}],
  StopContainer: [{ id: [1, 's'], timeout: [2, 'n'] }, {}],
  RemoveContainer: [id, {}],
  UpdateContainerResources: [{ id: [1, 's'], linux: [2, resources] }, {}],
  ContainerStatus: [id, { status: [1, { state: [3, 'n'], exit_code: [7, 'n'], reason: [10, 's'], message: [11, 's'] }] }],
  ContainerStats: [id, { stats: [1, { cpu: [2, { usage: [2, value] }], memory: [3, { working_set: [2, value] }] }] }],
  ExecSync: [{ id: [1, 's'], cmd: [2, ['s']], timeout: [3, 'n'] }, { stdout: [1, 's'], stderr: [2, 's'], exit_code: [3, 'n'] }],
};
const grpc = connect(daemon.socket);
const call = (method, message) => grpc.call(`/runtime.v1.RuntimeService/${method}`, methods[method], message);

async function image(file, name, ...flags) {
  const archive = path.join(folder, 'image.tar');
  assert.equal((await daemon.run(path.join(build, 'carrel'), ['pack', file, '--name', name, '-o', archive, ...flags])).code, 0);
  const loaded = await daemon.ctr('-n', 'k8s.io', 'image', 'import', archive);
  await sleep(200); // containerd's CRI plugin hears of it by an event
  return loaded;
}
for (const [name, file] of [['pause', program.hello], ['hello', program.hello], ['spin', program.spin], ['echo', program.echo], ['exit7', program.exit7]])
  assert.equal((await image(file, `localhost/${name}:latest`)).code, 0);

const logs = path.join(folder, 'logs');
mkdirSync(logs, { recursive: true });
let number = 0;
const shims = () => readdirSync('/run/containerd/s');
async function pod(annotations = []) {
  const name = `pod${++number}`;
  const config = { metadata: { name, uid: name, namespace: 'default' }, log_directory: logs, annotations, linux: { cgroup_parent: `/carrel-test-${process.pid}/${name}`, security_context: { namespace_options: { network: 2 } } } };
  return { config, id: (await call('RunPodSandbox', { config, runtime_handler: 'carrel' })).id };
}
async function start(of, name, more = {}) {
  const config = { metadata: { name: `${name}${++number}` }, image: { image: `localhost/${name}:latest` }, log_path: `${name}${number}.log`, ...more };
  const made = (await call('CreateContainer', { pod: of.id, config, sandbox: of.config })).id;
  await call('StartContainer', { id: made });
  return { id: made, log: path.join(logs, config.log_path) };
}
const state = async (c) => (await call('ContainerStatus', { id: c.id })).status;
async function exited(c) {
  for (let i = 0; i < 400; i++) {
    const status = await state(c);
    if (status.state === 2) return status;
    await sleep(20);
  }
  throw new Error('it does not end');
}
async function remove(of, ...containers) {
  for (const c of containers) await call('RemoveContainer', { id: c.id });
  await call('StopPodSandbox', { id: of.id });
  await call('RemovePodSandbox', { id: of.id });
}

const tests = {
  async 'a pod of two containers has one shim'() {
    const one = await pod();
    const a = await start(one, 'spin', { linux: { resources: { memory_limit_in_bytes: 64 << 20, cpu_shares: 256 } } });
    const b = await start(one, 'spin');
    assert.equal(shims().length, 1);
    assert.deepEqual([(await state(a)).state, (await state(b)).state], [1, 1]);
    const stats = (await call('ContainerStats', { id: a.id })).stats;
    assert.ok(stats.cpu.usage.value > 0 && stats.memory.working_set.value > 0, JSON.stringify(stats));
    await call('UpdateContainerResources', { id: a.id, linux: { memory_limit_in_bytes: 48 << 20 } });
    await call('StopContainer', { id: a.id, timeout: 5 });
    assert.equal((await exited(a)).exit_code, 143);
    await call('StopContainer', { id: b.id, timeout: 5 });
    await exited(b);
    await remove(one, a, b);
  },
  async 'what a container prints is in its log, and its exit code in its status'() {
    const one = await pod();
    const hello = await start(one, 'hello'), seven = await start(one, 'exit7');
    const status = await exited(hello);
    assert.deepEqual([status.exit_code, status.reason], [0, 'Completed']);
    assert.match(readFileSync(hello.log, 'utf8'), /stdout F hello from a cell\n$/);
    assert.equal((await exited(seven)).exit_code, 7);
    await remove(one, hello, seven);
  },
  async 'an exec of a shell is refused, and hurts nobody'() {
    const one = await pod();
    const spin = await start(one, 'spin');
    await assert.rejects(call('ExecSync', { id: spin.id, cmd: ['/bin/sh', '-c', 'true'], timeout: 5 }), /no Linux program/);
    assert.equal((await state(spin)).state, 1);
    await call('StopContainer', { id: spin.id, timeout: 0 });
    assert.equal((await exited(spin)).exit_code, 137);
    await remove(one, spin);
  },
  async 'annotations of a pod are its policy; one that is not known is refused'() {
    const one = await pod([{ key: 'carrel.policy/timeout', value: '100ms' }]);
    const limited = await start(one, 'spin', { annotations: [{ key: 'carrel.policy/timeout', value: '100ms' }] });
    assert.equal((await exited(limited)).exit_code, 124);
    await assert.rejects(start(one, 'spin', { annotations: [{ key: 'carrel.policy/nonsense', value: '1' }] }), /not known/);
    await remove(one, limited);
  },
  async 'an artifact runs where containerd takes it'() {
    const loaded = await image(program.hello, 'localhost/artifact:latest', '--artifact');
    if (/mismatched image rootfs/.test(loaded.stderr)) return 'this containerd takes none';
    const one = await pod();
    const hello = await start(one, 'artifact', { command: ['hello.wasm'] });
    assert.equal((await exited(hello)).exit_code, 0);
    assert.match(readFileSync(hello.log, 'utf8'), /stdout F hello from a cell\n$/);
    await remove(one, hello);
    return null;
  },
  async 'a pod is stopped with what runs in it'() {
    const one = await pod();
    const spin = await start(one, 'spin');
    await call('StopPodSandbox', { id: one.id });
    assert.equal((await exited(spin)).exit_code, 137);
    await remove(one, spin);
  },
};

function left() {
  const places = existsSync('/sys/fs/cgroup/cgroup.controllers') ? ['/sys/fs/cgroup'] : readdirSync('/sys/fs/cgroup').map((n) => `/sys/fs/cgroup/${n}`);
  const groups = places.map((place) => `${place}/carrel-test-${process.pid}`).filter(existsSync)
    .flatMap((place) => readdirSync(place).filter((pod) => existsSync(`${place}/${pod}/cgroup.procs`)).flatMap((pod) => readdirSync(`${place}/${pod}`).filter((c) => existsSync(`${place}/${pod}/${c}/cgroup.procs`)).map((c) => `${place}/${pod}/${c}`)));
  return { shims: shims(), groups };
}
async function nothing_left() {
  for (let i = 0; i < 100 && Object.values(left()).flat().length; i++) await sleep(20);
  assert.deepEqual(left(), { shims: [], groups: [] }, 'something is left');
}
const log = () => daemon.log().split('\n').filter((l) => /carrel|error/.test(l)).slice(-15).join('\n');
await play(tests, { after: nothing_left, log });
grpc.close();
for (const task of (await daemon.ctr('-n', 'k8s.io', 'task', 'ls', '-q')).stdout.split('\n').filter(Boolean)) await daemon.ctr('-n', 'k8s.io', 'task', 'kill', '-s', 'SIGKILL', task);
await daemon.stop();
finish();
