// The commands of an OCI runtime, as conmon gives them, and under podman where that is installed.
// Usage: node oci.mjs SHIM FOLDER [WORD...] (in a mount namespace of its own, as root).
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { finish, play } from './play.mjs';
import { programs } from './programs.mjs';

const [shim, folder, ...only] = process.argv.slice(2);
const build = path.dirname(shim), runtime = path.join(build, 'carrel-oci'), carrel = path.join(build, 'carrel');
const program = programs(path.join(folder, 'programs'));
const root = path.join(folder, 'oci'), groups = `carrel-test-${process.pid}`;
const alive = (pid) => existsSync(`/proc/${pid}`) && !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
const found = (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
let number = 0, stdin = 'ignore';

function bundle(component, { args = ['/module.wasm'], terminal = false, annotations = {}, ...more } = {}) {
  const id = `oci${++number}`, directory = path.join(folder, 'bundles', id), rootfs = path.join(directory, 'rootfs');
  mkdirSync(rootfs, { recursive: true });
  copyFileSync(component, path.join(rootfs, 'module.wasm'));
  writeFileSync(path.join(directory, 'config.json'), JSON.stringify({
    ociVersion: '1.0.2', process: { args, env: [], cwd: '/', terminal, user: { uid: 0, gid: 0 } }, root: { path: 'rootfs' }, annotations,
    linux: { cgroupsPath: `/${groups}/${id}`, namespaces: ['pid', 'mount', 'network'].map((type) => ({ type })) }, ...more,
  }));
  return { id, directory, pidFile: path.join(directory, 'pid') };
}
function oci(...args) {
  const { status, stdout, stderr } = spawnSync(runtime, ['--root', root, ...args], { encoding: 'utf8', timeout: 10000 });
  return { code: status, out: stdout, err: stderr };
}
const ok = (...args) => { const done = oci(...args); assert.equal(done.code, 0, done.err); return done.out; };
const fails = (text, ...args) => { const done = oci(...args); assert.equal(done.code, 1, done.out); assert.match(done.err, text); };
const state = (id) => JSON.parse(ok('state', id));
// `create` with streams of its own, as conmon has them: its output comes when the container has ended.
function create(b, ...flags) {
  const child = spawn(runtime, ['--root', root, 'create', '--bundle', b.directory, '--pid-file', b.pidFile, ...flags, b.id], { stdio: [stdin, 'pipe', 'pipe'] });
  const output = { out: '', err: '' };
  child.stdout.on('data', (part) => { output.out += part; });
  child.stderr.on('data', (part) => { output.err += part; });
  output.ended = new Promise((done) => child.on('close', () => done(output)));
  output.created = new Promise((done) => child.on('exit', done));
  return output;
}
const until = async (what) => { for (let i = 0; i < 200 && !what(); i++) await sleep(10); assert.ok(what()); };

const tests = {
  async 'create, start, state, delete'() {
    const b = bundle(program.both), streams = create(b);
    assert.equal(await streams.created, 0, streams.err);
    const pid = Number(readFileSync(b.pidFile, 'utf8'));
    const created = state(b.id);
    assert.deepEqual(created, { ociVersion: '1.0.2', id: b.id, status: 'created', pid, bundle: b.directory });
    fails(/exists/, 'create', '--bundle', b.directory, b.id);
    ok('start', b.id);
    const { out, err } = await streams.ended;
    assert.deepEqual([out, err], ['word\n', 'word\n']);
    await until(() => !alive(pid));
    assert.equal(state(b.id).status, 'stopped');
    fails(/has ended/, 'start', b.id);
    fails(/not running/, 'kill', b.id, 'KILL');
    ok('delete', b.id);
    fails(/does not exist/, 'state', b.id);
    fails(/does not exist/, 'delete', b.id);
    ok('delete', '--force', b.id);
  },
  async 'input, and its end'() {
    const b = bundle(program.echo), words = path.join(folder, 'words');
    writeFileSync(words, 'some words\n');
    stdin = openSync(words, 'r');
    const streams = create(b);
    closeSync(stdin);
    stdin = 'ignore';
    await streams.created;
    ok('start', b.id);
    assert.equal((await streams.ended).out, 'up\nsome words\n');
    ok('delete', b.id);
  },
  async 'signals by number and by name; what runs is not deleted'() {
    for (const signal of ['9', 'TERM', 'SIGINT']) {
      const b = bundle(program.spin), streams = create(b);
      await streams.created;
      const pid = state(b.id).pid;
      ok('start', b.id);
      assert.equal(state(b.id).status, 'running');
      fails(/is running: kill it first/, 'delete', b.id);
      fails(/no signal/, 'kill', b.id, 'NONE');
      ok('kill', '--all', b.id, signal);
      await streams.ended;
      await until(() => !alive(pid));
      ok('delete', b.id);
    }
    for (const started of [true, false]) {
      const b = bundle(program.spin), streams = create(b);
      await streams.created;
      if (started) ok('start', b.id);
      ok('delete', '--force', b.id);
      await streams.ended;
    }
  },
  async 'pause and resume'() {
    const b = bundle(program.spin), streams = create(b);
    await streams.created;
    ok('start', b.id);
    ok('pause', b.id);
    assert.equal(state(b.id).status, 'paused');
    ok('resume', b.id);
    assert.equal(state(b.id).status, 'running');
    ok('delete', '--force', b.id);
    await streams.ended;
  },
  async 'a terminal is sent to a socket'() {
    const socket = path.join(folder, 'console.sock');
    let taken = 0;
    const server = net.createServer((connection) => { taken++; connection.resume(); });
    await new Promise((done) => server.listen(socket, done));
    const b = bundle(program.hello, { terminal: true });
    fails(/--console-socket/, 'create', '--bundle', b.directory, b.id);
    const streams = create(b, '--console-socket', socket);
    assert.equal(await streams.created, 0, streams.err);
    ok('start', b.id);
    await streams.ended;
    assert.equal(taken, 1);
    server.close();
    ok('delete', '--force', b.id);
  },
  async 'what cannot be is refused, and told where podman looks'() {
    const b = bundle(program.hello, { hooks: { prestart: [{ path: '/bin/true' }] } });
    fails(/prestart hooks/, 'create', '--bundle', b.directory, b.id);
    const log = path.join(folder, 'log.json');
    fails(/is not known/, '--log', log, '--log-format=json', 'create', '--bundle', bundle(program.hello, { annotations: { 'carrel.policy/x': '' } }).directory, 'x');
    assert.match(JSON.parse(readFileSync(log, 'utf8')).msg, /carrel.policy\/x is not known/);
    fails(/does not exist/, 'state', 'x');
    fails(/no bundle/, 'create', '--bundle', '/nowhere', 'x');
    fails(/no name of a container/, 'state', '../x');
    fails(/no name of a container/, 'create');
    fails(/no Linux program/, 'exec', 'x');
    fails(/commands are/, 'walk');
    fails(/--wrong is not known/, 'state', '--wrong');
    fails(/needs a value/, 'create', '--bundle');
    fails(/is too long for a socket/, '--root', path.join(folder, 'r'.repeat(100)), 'state', 'x');
    assert.match(ok('--version'), /^carrel-oci version/);
    assert.match(spawnSync(carrel, ['oci', 'state', 'x'], { encoding: 'utf8' }).stderr, /container x does not exist/);
  },
  async 'kill -9 of the shim takes the cell with it'() {
    const b = bundle(program.spin), streams = create(b);
    await streams.created;
    ok('start', b.id);
    const pid = state(b.id).pid;
    const cells = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    process.kill(pid, 'SIGKILL');
    await streams.ended;
    await until(() => !cells.some(alive));
    assert.equal(state(b.id).status, 'stopped');
    ok('delete', b.id);
  },
  async 'under podman'() {
    if (!found('podman') || !found('conmon')) return 'podman is not installed';
    const storage = path.join(folder, 'podman');
    mkdirSync(storage, { recursive: true });
    writeFileSync(path.join(storage, 'containers.conf'), '[containers]\nlog_driver="k8s-file"\n[engine]\nevents_logger="file"\ncgroup_manager="cgroupfs"\n');
    writeFileSync(path.join(storage, 'policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}');
    const podman = (...args) => spawnSync('podman', ['--root', path.join(storage, 'root'), '--runroot', path.join(storage, 'run'), '--tmpdir', path.join(storage, 'tmp'), '--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs', '--runtime', runtime, ...args],
      { encoding: 'utf8', timeout: 60000, env: { ...process.env, CONTAINERS_CONF: path.join(storage, 'containers.conf') } });
    const image = (name, file) => {
      const archive = path.join(storage, `${name}.tar`);
      execFileSync(carrel, ['pack', file, '--name', `localhost/${name}:latest`, '-o', archive]);
      const loaded = podman('load', '-i', archive);
      assert.equal(loaded.status, 0, loaded.stderr);
      return `localhost/${name}:latest`;
    };
    const flags = ['--network=none', '--security-opt', 'seccomp=unconfined'];
    const hello = image('hello', program.hello), seven = image('seven', program.exit7), spin = image('spin', program.spin);
    let done = podman('run', '--rm', ...flags, hello);
    assert.deepEqual([done.status, done.stdout], [0, 'hello from a cell\n'], done.stderr);
    done = podman('run', '--rm', ...flags, seven);
    assert.equal(done.status, 7, done.stderr);
    done = podman('run', '-d', '--name', 'spins', ...flags, spin);
    assert.equal(done.status, 0, done.stderr);
    assert.equal(podman('inspect', '-f', '{{.State.Status}}', 'spins').stdout, 'running\n');
    done = podman('kill', 'spins');
    assert.equal(done.status, 0, done.stderr);
    assert.equal(podman('wait', 'spins').stdout, '137\n');
    done = podman('rm', '-f', 'spins');
    assert.equal(done.status, 0, done.stderr);
    done = podman('run', '--rm', ...flags, '--annotation', 'carrel.policy/x=y', hello);
    assert.notEqual(done.status, 0);
    assert.match(done.stderr, /carrel.policy\/x is not known/);
    return null;
  },
};

await play(tests, { only });
// What a test that failed has left.
for (const id of existsSync(root) ? readdirSync(root) : []) oci('delete', '--force', id);
finish();
