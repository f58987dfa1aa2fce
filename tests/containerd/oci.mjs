// The commands of an OCI runtime, as conmon gives them, and under podman where that is installed.
// Usage: node oci.mjs SHIM FOLDER [WORD...] (in a mount namespace of its own, as root).
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
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
const command = (pid) => { try { return readFileSync(`/proc/${pid}/comm`, 'utf8'); } catch { return null; } }; // null: it is gone
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
    assert.ok(Math.abs(Date.parse(created.created) - Date.now()) < 60_000, created.created);
    delete created.created;
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
    fails(/does not exist/, 'exec', 'x', 'f()');
    fails(/commands are/, 'walk');
    fails(/--wrong is not known/, 'state', '--wrong');
    fails(/needs a value/, 'create', '--bundle');
    fails(/is too long for a socket/, '--root', path.join(folder, 'r'.repeat(100)), 'state', 'x');
    assert.match(ok('--version'), /^carrel-oci version/);
    assert.match(spawnSync(carrel, ['oci', 'state', 'x'], { encoding: 'utf8' }).stderr, /container x does not exist/);
  },
  async 'what podman and CRI-O give to runc is taken: descriptors are closed, which is said'() {
    const log = path.join(folder, 'fds.json'), words = path.join(folder, 'fds-words');
    writeFileSync(words, 'secret');
    const b = bundle(program.spin), fd = openSync(words, 'r');
    const flags = ['--log', log, '--log-format', 'json', '--systemd-cgroup', '--rootless', 'auto', 'create', '--bundle', b.directory, '--pid-file', b.pidFile, '--no-pivot', '--no-new-keyring', '--preserve-fds', '2'];
    const child = spawn(runtime, ['--root', root, ...flags, b.id], { stdio: ['ignore', 'ignore', 'ignore', fd, fd] });
    assert.equal(await new Promise((done) => child.on('exit', done)), 0);
    closeSync(fd);
    assert.deepEqual(JSON.parse(readFileSync(log, 'utf8')), { level: 'warning', msg: '--preserve-fds 2: a component is given no descriptors: they are closed' });
    ok('start', b.id);
    const { pid } = state(b.id), holders = [pid, ...JSON.parse(ok('ps', '-f', 'json', b.id))];
    for (const one of holders) assert.deepEqual(readdirSync(`/proc/${one}/fd`).filter((n) => readlinkSync(`/proc/${one}/fd/${n}`) === words), []);
    const other = bundle(program.spin), streams = create(other, '--preserve-fds=0');
    assert.equal(await streams.created, 0, streams.err);
    for (const wrong of ['x', '-1', '1x', '', '99999999999999999999']) fails(/write the number of descriptors/, 'create', '--bundle', b.directory, `--preserve-fds=${wrong}`, 'x');
    assert.match(spawnSync(runtime, ['--root', root, 'exec', '--preserve-fds', '1', b.id, '/bin/sh'], { encoding: 'utf8' }).stderr, /they are closed\n.*no Linux program/);
    const listed = JSON.parse(ok('list', '--format', 'json'));
    assert.deepEqual(listed.map((l) => [l.id, l.status]).sort(), [[b.id, 'running'], [other.id, 'created']].sort());
    assert.deepEqual(ok('list', '-q').trim().split('\n').sort(), [b.id, other.id].sort());
    assert.match(ok('list'), /^ID +PID +STATUS +CREATED +BUNDLE\n/);
    assert.equal(spawnSync(runtime, ['--root', '/nowhere', 'list', '-f', 'json'], { encoding: 'utf8' }).stdout, '[]\n');
    fails(/json or table/, 'list', '-f', 'xml');
    for (const one of [b, other]) ok('delete', '--force', one.id);
    await streams.ended;
  },
  async 'what runs in a container, and what it takes'() {
    const b = bundle(program.spin, { linux: { cgroupsPath: `/${groups}/told`, namespaces: [{ type: 'pid' }], resources: { memory: { limit: 256 << 20 }, pids: { limit: 16 } } } }), streams = create(b);
    await streams.created;
    // A helper of the shim's may still be there.
    const cells = () => readFileSync(`/proc/${state(b.id).pid}/task/${state(b.id).pid}/children`, 'utf8').trim().split(' ').map(Number).filter((pid) => command(pid) === 'carrel-engine\n');
    ok('start', b.id);
    assert.deepEqual(JSON.parse(ok('ps', '--format', 'json', b.id)), cells());
    assert.equal(ok('ps', b.id), `PID\n${cells()[0]}\n`);
    fails(/json or table/, 'ps', '--format', 'xml', b.id);
    const stats = () => JSON.parse(ok('events', '--stats', b.id));
    const told = stats();
    assert.deepEqual([told.type, told.id, told.data.memory.usage.limit, told.data.pids], ['stats', b.id, 256 << 20, { current: 1, limit: 16 }]);
    await sleep(50);
    assert.ok(stats().data.cpu.usage.total > told.data.cpu.usage.total);
    const resources = path.join(b.directory, 'resources.json');
    writeFileSync(resources, JSON.stringify({ memory: { limit: 128 << 20 } }));
    ok('update', '--resources', resources, b.id);
    assert.equal(stats().data.memory.usage.limit, 128 << 20);
    const typed = spawnSync(runtime, ['--root', root, 'update', '-r', '-', b.id], { input: '{"memory":{"limit":134217728},"pids":{"limit":8}}', encoding: 'utf8' });
    assert.equal(typed.status, 0, typed.stderr);
    assert.equal(stats().data.pids.limit, 8);
    fails(/no JSON object/, 'update', '--resources', '/dev/null', b.id);
    fails(/name a file/, 'update', b.id);
    fails(/number of seconds/, 'events', '--interval', 'x', b.id);
    const events = spawn(runtime, ['--root', root, 'events', '--interval', '1s', b.id], { stdio: ['ignore', 'pipe', 'inherit'] });
    let lines = '';
    events.stdout.on('data', (part) => { lines += part; });
    const ended = new Promise((done) => events.on('close', done));
    await until(() => lines.endsWith('\n'));
    ok('delete', '--force', b.id);
    await streams.ended;
    assert.equal(await ended, 0);
    assert.ok(lines.trim().split('\n').every((line) => JSON.parse(line).type === 'stats'), lines);
    const features = JSON.parse(ok('features'));
    assert.deepEqual([features.ociVersionMin, features.hooks, features.linux.cgroup.v2], ['1.0.0', [], true]);
  },
  async 'an exec calls an export, with streams, signals and an exit code of its own'() {
    const words = path.join(folder, 'exec-words');
    writeFileSync(words, 'some words\n');
    const b = bundle(program.echo), held = spawn('sleep', ['100'], { stdio: ['ignore', 'pipe', 'ignore'] });
    stdin = held.stdout; // it never ends
    const streams = create(b);
    stdin = 'ignore';
    await streams.created;
    fails(/does not run/, 'exec', b.id, '_start()');
    ok('start', b.id);
    fails(/no Linux program/, 'exec', b.id, '/bin/sh', '-c', 'true');
    fails(/say what to call/, 'exec', b.id);
    const exec = (...args) => spawnSync(runtime, ['--root', root, 'exec', ...args], { encoding: 'utf8', input: 'typed', timeout: 10000 });
    let done = exec(b.id, '_start()');
    assert.deepEqual([done.status, done.stdout, done.stderr], [0, 'up\ntyped', '']);
    const large = 'x'.repeat(300000);
    done = spawnSync(runtime, ['--root', root, 'exec', b.id, '_start()'], { encoding: 'utf8', input: large, timeout: 10000 });
    assert.deepEqual([done.status, done.stdout.length], [0, 3 + large.length]);
    const file = path.join(b.directory, 'process.json'), pidFile = path.join(b.directory, 'exec.pid');
    writeFileSync(file, JSON.stringify({ args: ['_start()'], cwd: '/', env: [], user: { uid: 0, gid: 0 }, terminal: false }));
    const cells = () => JSON.parse(ok('ps', '--format', 'json', b.id)).length;
    // What whoever started it left open is not held as long as the cell runs: the other end sees that.
    for (const [signal, code] of [['SIGTERM', 143], ['SIGKILL', null]]) {
      const child = spawn(runtime, ['--root', root, '--log', path.join(folder, 'exec.log'), 'exec', '--preserve-fds', '2', '--pid-file', pidFile, '--process', file, b.id], { stdio: ['pipe', 'pipe', 'inherit', 'pipe', 'pipe'] });
      const closed = Promise.all([3, 4].map((n) => new Promise((end) => child.stdio[n].resume().on('close', end).on('error', end))));
      const ended = new Promise((end) => child.on('exit', (status) => end(status)));
      await new Promise((begun) => child.stdout.once('data', begun));
      await closed;
      assert.deepEqual([Number(readFileSync(pidFile, 'utf8')), cells()], [child.pid, 2]);
      child.kill(signal);
      assert.equal(await ended, code);
      await until(() => cells() === 1);
    }
    // Detached: what was started is somebody else's child then, and ends as the cell does.
    const detached = spawnSync(runtime, ['--root', root, 'exec', '--detach', '--pid-file', pidFile, '-p', file, b.id], { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
    assert.equal(detached.status, 0, detached.stderr);
    await until(() => !alive(Number(readFileSync(pidFile, 'utf8'))));
    ok('delete', '--force', b.id);
    held.kill();
    await streams.ended;
  },
  // As CRI-O does: the pid file is the container's, the log is in Kubernetes' form, the exit code in a file.
  async 'under conmon, as CRI-O starts it'() {
    if (!found('conmon')) return 'conmon is not installed';
    const place = path.join(folder, 'conmon'), [exits, kept, sockets] = ['exits', 'kept', 'sockets'].map((name) => path.join(place, name));
    for (const one of [exits, kept, sockets]) mkdirSync(one, { recursive: true });
    const conmon = (b, ...flags) => new Promise((done) => {
      const log = path.join(place, `${b.id}.log`);
      const child = spawn('conmon', ['--api-version', '1', '--bundle', b.directory, '--cid', b.id, '--cuuid', b.id, '--name', b.id, '--runtime', runtime, `--runtime-arg=--root=${root}`, '--runtime-arg=--log-level=info', '--systemd-cgroup', '--no-pivot', '--no-new-keyring',
        '--log-path', log, '--log-level', 'info', ...(flags.length ? [] : ['--exit-dir', exits, '--persist-dir', kept]), '--socket-dir-path', sockets, '--container-pidfile', b.pidFile, '--conmon-pidfile', `${b.pidFile}.conmon`, ...flags], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'], env: { ...process.env, _OCI_SYNCPIPE: '3' } });
      const told = { text: '', log, exit: path.join(exits, b.id) };
      child.stdio[3].on('data', (part) => { told.text += part; if (told.text.includes('\n')) done(told); });
      child.stdio[3].on('close', () => done(told));
    });
    const hello = bundle(program.both);
    let told = await conmon(hello);
    assert.equal(JSON.parse(told.text.split('\n')[0]).data, Number(readFileSync(hello.pidFile, 'utf8')), told.text);
    assert.equal(state(hello.id).status, 'created');
    ok('start', hello.id);
    await until(() => existsSync(told.exit));
    assert.equal(readFileSync(told.exit, 'utf8'), '0');
    assert.match(readFileSync(told.log, 'utf8'), /stdout F word\n[^]*stderr F word|stderr F word\n[^]*stdout F word/);
    assert.equal(state(hello.id).status, 'stopped');
    ok('delete', hello.id);
    const spin = bundle(program.spin);
    told = await conmon(spin);
    ok('start', spin.id);
    const process_ = path.join(spin.directory, 'process.json'), called = { ...spin, pidFile: `${spin.pidFile}.exec`, id: spin.id };
    writeFileSync(process_, JSON.stringify({ args: ['_start()'], cwd: '/', env: [], terminal: false }));
    const executed = await conmon(called, '--exec', '--exec-process-spec', process_);
    const pid = JSON.parse(executed.text.split('\n')[0]).data;
    assert.equal(pid, Number(readFileSync(called.pidFile, 'utf8')), executed.text);
    assert.equal(JSON.parse(ok('ps', '--format', 'json', spin.id)).length, 2);
    process.kill(pid, 'SIGKILL'); // as after ExecSync's time
    await until(() => JSON.parse(ok('ps', '--format', 'json', spin.id)).length === 1);
    await until(() => /exit_code|\n.*\n/.test(executed.text));
    assert.match(executed.text, /: ?137\b/);
    ok('kill', spin.id, 'TERM');
    await until(() => existsSync(told.exit));
    assert.equal(readFileSync(told.exit, 'utf8'), '143');
    ok('delete', '--force', spin.id);
    // What does not start says why, in the log that whoever started conmon reads.
    const wrong = bundle(program.hello, { annotations: { 'carrel.policy/x': '' } });
    told = await conmon(wrong);
    assert.match(told.text, /"data": ?-1.*carrel.policy\/x is not known/);
    return null;
  },
  async 'the process of a pod of CRI-O'() {
    const b = bundle(program.hello, { args: ['/pause'], annotations: { 'io.kubernetes.cri-o.ContainerType': 'sandbox' } }), streams = create(b);
    assert.equal(await streams.created, 0, streams.err);
    ok('start', b.id);
    assert.equal(state(b.id).status, 'running');
    ok('kill', b.id, 'TERM');
    await streams.ended;
    await until(() => state(b.id).status === 'stopped');
    ok('delete', b.id);
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
    for (const [verb, how] of [['pause', 'paused'], ['unpause', 'running']]) {
      done = podman(verb, 'spins');
      assert.equal(done.status, 0, done.stderr);
      assert.equal(podman('inspect', '-f', '{{.State.Status}}', 'spins').stdout, `${how}\n`);
    }
    done = podman('exec', 'spins', '/bin/sh');
    assert.notEqual(done.status, 0);
    assert.match(done.stderr, /no Linux program/);
    done = podman('exec', 'spins', '_end()');
    assert.equal(done.status, 125, done.stderr);
    assert.match(done.stderr, /exports no function '_end'/);
    done = podman('update', '--memory', '128m', 'spins');
    assert.equal(done.status, 0, done.stderr);
    done = podman('kill', 'spins');
    assert.equal(done.status, 0, done.stderr);
    assert.equal(podman('wait', 'spins').stdout, '137\n');
    done = podman('rm', '-f', 'spins');
    assert.equal(done.status, 0, done.stderr);
    done = podman('run', '-d', '-i', '--name', 'echoes', ...flags, image('echo', program.echo));
    assert.equal(done.status, 0, done.stderr);
    done = podman('exec', '-i', 'echoes', '_start()');
    assert.deepEqual([done.status, done.stdout], [0, 'up\n'], done.stderr);
    podman('rm', '-f', '-t', '0', 'echoes');
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
