// The task service out of order: calls twice, too early, too late and while others are under way; what hosts do to a
// container's streams, groups and mounts. Usage: node hostile.mjs SHIM FOLDER (as service.mjs).
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, readSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { alive, component, container, folder, fresh, host, playAll, program, refuses } from './bed.mjs';
import { Client, drain } from './driver.mjs';
import * as proto from './proto.mjs';

const spec = (...args) => ({ type_url: 'x', value: JSON.stringify({ args, cwd: '/' }) });
const until = async (what, text) => { for (let i = 0; i < 1000 && !(await what()); i++) await sleep(5); assert.ok(await what(), text); };
const version2 = existsSync('/sys/fs/cgroup/cgroup.controllers');
// Ends a container that may be in any state.
async function finish(c) {
  await c.client.call('Kill', { id: c.id, signal: 9 }).catch(() => {});
  await c.client.call('Wait', { id: c.id });
  return c.end();
}
const told = async (c, list) => {
  await host.events.until((e) => e.container_id === c.id && e.topic === '/tasks/delete');
  assert.deepEqual(host.events.topics(c.id), list);
};

const tests = {
  async 'every signal that ends is told as 128 and its number; those that do not, do not'() {
    const harmless = [17, 23, 28], stops = [18, 19, 20];
    const signals = Array.from({ length: 64 }, (_, i) => i + 1).filter((s) => !stops.includes(s));
    const one = async (signal) => {
      const c = await container(program.spin);
      await c.client.call('Start', { id: c.id });
      await c.client.call('Kill', { id: c.id, signal });
      if (harmless.includes(signal)) {
        assert.equal((await c.client.call('State', { id: c.id })).status, 2, `${signal}`);
        await c.client.call('Kill', { id: c.id, signal: 9 });
      }
      const { exit_status } = await c.client.call('Wait', { id: c.id });
      assert.equal(exit_status, 128 + (harmless.includes(signal) ? 9 : signal));
      await c.end();
    };
    for (let i = 0; i < signals.length; i += 8) await Promise.all(signals.slice(i, i + 8).map(one));
  },

  async 'stopped and continued by signals, and ended while stopped'() {
    const c = await container(program.spin);
    await c.client.call('Start', { id: c.id });
    const state = () => readFileSync(`/proc/${c.pid}/stat`, 'utf8').split(' ')[2];
    await c.client.call('Kill', { id: c.id, signal: 20 });
    await until(() => state() === 'T');
    await c.client.call('Kill', { id: c.id, signal: 18 });
    await until(() => state() !== 'T');
    await c.client.call('Kill', { id: c.id, signal: 19 });
    await c.client.call('Kill', { id: c.id, signal: 15 });
    assert.equal((await c.client.call('Wait', { id: c.id })).exit_status, 143);
    await c.end();
  },

  async 'the first signal that ends it is the one that is told'() {
    const c = await container(program.spin);
    await c.client.call('Start', { id: c.id });
    const kills = [15, 9, 2, 15].map((signal) => c.client.call('Kill', { id: c.id, signal }).catch((e) => assert.equal(e.code, 5)));
    assert.equal((await c.client.call('Wait', { id: c.id })).exit_status, 143);
    await Promise.all(kills);
    await c.end();
  },

  async 'two of a name at once: one is created'() {
    const id = fresh(), bundle = host.bundle(id, program.spin), client = await Client.connect(await host.start(id, bundle));
    const made = await Promise.allSettled([1, 2, 3].map(() => client.call('Create', { id, bundle })));
    assert.deepEqual(made.map((m) => m.status === 'fulfilled' ? 'made' : m.reason.code).sort(), [6, 6, 'made']);
    await client.call('Delete', { id });
    await client.call('Create', { id, bundle });
    await client.call('Delete', { id });
    await refuses(client.call('Delete', { id }), 5);
    await client.call('Shutdown', { id });
    await client.closed;
    await host.remove(id, bundle);
  },

  async 'what is being prepared is not there yet, can be deleted, and nothing is left of it if its client goes'() {
    for (const deleted of [false, true]) {
      const id = fresh(), bundle = host.bundle(id, program.hello), address = await host.start(id, bundle), first = await Client.connect(address);
      const created = first.call('Create', { id, bundle }).catch(() => {});
      const early = await Promise.allSettled(['Start', 'Kill', 'State', 'Wait', 'Pause', 'Stats', 'CloseIO', ...(deleted ? ['Delete'] : [])].map((m) => first.call(m, { id, signal: 9 })));
      for (const one of early) assert.ok(one.status === 'fulfilled' || [5, 9].includes(one.reason.code), `${one.reason}`);
      first.close();
      await created;
      const client = await Client.connect(address);
      if (deleted) {
        assert.equal(early.at(-1).status, 'fulfilled');
        await refuses(client.call('State', { id }), 5);
        assert.deepEqual(host.events.topics(id), []);
      } else {
        await until(async () => (await client.call('Connect', { id })).task_pid > 0);
        await client.call('Delete', { id });
      }
      await client.call('Shutdown', { id });
      await client.closed;
      await host.remove(id, bundle);
    }
  },

  async 'killed, waited for and deleted before it was started; started too late'() {
    const c = await container(program.spin), { client, id } = c;
    await refuses(client.call('Pause', { id }), 9);
    const waits = [1, 2, 3].map(() => client.call('Wait', { id }));
    await client.call('Kill', { id, signal: 15 });
    for (const wait of waits) assert.equal((await wait).exit_status, 143);
    await refuses(client.call('Start', { id }), 9);
    await refuses(client.call('Kill', { id, signal: 15 }), 5);
    await refuses(client.call('Pause', { id }), 9);
    await refuses(client.call('Exec', { id, exec_id: 'e', spec: spec('_start()') }), 9);
    assert.equal((await client.call('Pids', { id })).processes.length, 0);
    await client.call('CloseIO', { id, stdin: true });
    await client.call('ResizePty', { id, width: 1, height: 1 });
    await c.end();
    await told(c, ['create', 'exit', 'delete']);
  },

  async 'a start and the end of it at once: start is told before exit'() {
    const one = async () => {
      const c = await container(program.exit7), { client, id } = c;
      const [, ended, ...twice] = await Promise.allSettled([client.call('Start', { id }), client.call('Wait', { id }), client.call('Start', { id }), client.call('Start', { id })]);
      assert.equal(ended.value.exit_status, 7);
      for (const t of twice) assert.equal(t.reason.code, 9);
      await c.end();
      await told(c, ['create', 'start', 'exit', 'delete']);
    };
    for (let i = 0; i < 3; i++) await Promise.all([one(), one(), one(), one()]);
  },

  async 'paused twice, resumed twice, killed between; nothing is executed in what is paused'() {
    const c = await container(program.spin), { client, id } = c;
    await client.call('Start', { id });
    const pauses = await Promise.allSettled([client.call('Pause', { id }), client.call('Pause', { id })]);
    assert.deepEqual(pauses.map((p) => p.reason?.code), [undefined, 9]);
    await refuses(client.call('Exec', { id, exec_id: 'e', spec: spec('_start()') }), 9, /paused: resume it first/);
    await client.call('Stats', { id });
    await client.call('Update', { id, resources: { type_url: 'x', value: '{}' } });
    await client.call('Resume', { id });
    await refuses(client.call('Resume', { id }), 9);
    await client.call('Pause', { id });
    const both = await Promise.allSettled([client.call('Kill', { id, signal: 15 }), client.call('Resume', { id }), client.call('Wait', { id })]);
    assert.equal(both[2].value.exit_status, 143);
    await refuses(client.call('Resume', { id }), 9);
    await c.end();
  },

  async 'paused, and the shim is killed: delete removes what is frozen'() {
    const c = await container(program.spin);
    await c.client.call('Start', { id: c.id });
    const shim = (await c.client.call('Connect', { id: c.id })).shim_pid;
    await c.client.call('Pause', { id: c.id });
    process.kill(shim, 'SIGKILL');
    await c.client.closed;
    const deleted = await host.remove(c.id, c.bundle);
    assert.deepEqual([deleted.exit_status, deleted.pid], [137, c.pid]);
    await until(() => !alive(c.pid));
  },

  async 'execs: twice of a name, too many, deleted while they run, and ended with the container'() {
    const c = await container(program.spin), { client, id } = c;
    await client.call('Start', { id });
    const made = await Promise.allSettled(Array.from({ length: 12 }, (_, i) => client.call('Exec', { id, exec_id: `e${i % 6}`, spec: spec('_start()') })));
    assert.equal(made.filter((m) => m.status === 'fulfilled').length, 6);
    for (const m of made) assert.ok(m.status === 'fulfilled' || m.reason.code === 6, `${m.reason}`);
    for (const i of [0, 1, 2]) await client.call('Start', { id, exec_id: `e${i}` });
    await refuses(client.call('Start', { id, exec_id: 'e0' }), 9);
    await refuses(client.call('Delete', { id, exec_id: 'e0' }), 9);
    await client.call('Delete', { id, exec_id: 'e5' }); // created only
    await client.call('ResizePty', { id, exec_id: 'e0', width: 2 ** 31, height: 0 });
    await client.call('CloseIO', { id, exec_id: 'e0', stdin: true });
    await client.call('Kill', { id, exec_id: 'e1', signal: 15 });
    assert.equal((await client.call('Wait', { id, exec_id: 'e1' })).exit_status, 143);
    assert.equal((await client.call('State', { id, exec_id: 'e1' })).exit_status, 143);
    await refuses(client.call('Kill', { id, exec_id: 'e1', signal: 15 }), 5);
    assert.equal((await client.call('State', { id })).status, 2);
    const ends = [0, 2, 3].map((i) => client.call('Wait', { id, exec_id: `e${i}` }));
    await client.call('Kill', { id, signal: 15 });
    assert.equal((await client.call('Wait', { id })).exit_status, 143);
    for (const end of ends) assert.equal((await end).exit_status, 137);
    await client.call('Delete', { id, exec_id: 'e0' });
    await c.end();
  },

  async 'a signal to all reaches execs'() {
    const c = await container(program.spin), { client, id } = c;
    await client.call('Start', { id });
    await client.call('Exec', { id, exec_id: 'e', spec: spec('_start()') });
    await client.call('Start', { id, exec_id: 'e' });
    const ended = client.call('Wait', { id, exec_id: 'e' });
    await client.call('Kill', { id, signal: 10, all: true });
    assert.equal((await ended).exit_status, 138);
    assert.equal((await client.call('Wait', { id })).exit_status, 138);
    await c.end();
  },

  async 'every process of many is listed, with its exec'() {
    const c = await container(program.spin), { client, id } = c, most = 40;
    await client.call('Start', { id });
    const names = Array.from({ length: most }, (_, i) => `${'n'.repeat(100)}${i}`);
    for (let i = 0; i < most; i += 8) await Promise.all(names.slice(i, i + 8).map((exec_id) => client.call('Exec', { id, exec_id, spec: spec('_start()') })));
    const { processes } = await client.call('Pids', { id });
    assert.equal(processes.length, most + 1);
    assert.equal(new Set(processes.map((p) => p.pid)).size, most + 1);
    const infos = processes.map((p) => p.info).filter(Boolean); // by the name that containerd's clients know
    assert.deepEqual([...new Set(infos.map((i) => i.type_url))], ['containerd.runc.v1.ProcessDetails']);
    assert.deepEqual(infos.map((i) => proto.decode({ exec_id: [1, 's'] }, i.value).exec_id).sort(), [...names].sort());
    await finish(c);
  },

  async 'calls that wait and are forgotten are no bound for those that come'() {
    const c = await container(program.spin), { id } = c;
    await c.client.call('Start', { id });
    for (let round = 0; round < 7; round++) { // 700 calls, of which 512 have a place
      const client = await Client.connect(c.address);
      for (let i = 0; i < 100; i++) client.call('Wait', { id }).catch(() => {});
      await client.call('State', { id });
      client.close();
      await client.closed;
    }
    const ended = c.client.call('Wait', { id });
    await c.client.call('Kill', { id, signal: 9 });
    assert.equal((await ended).exit_status, 137);
    await c.end();
  },

  async 'updates: each resource, and what is none'() {
    const c = await container(program.spin), { client, id } = c;
    await client.call('Start', { id });
    const update = (resources) => client.call('Update', { id, resources: { type_url: 'types.containerd.io/opencontainers/runtime-spec/1/LinuxResources', value: typeof resources === 'string' ? resources : JSON.stringify(resources) } });
    const read = (hierarchy, file) => readFileSync(`/sys/fs/cgroup/${version2 ? '' : `${hierarchy}/`}${host.group}/${id}/${file}`, 'utf8').trim();
    const controllers = version2 ? read('', 'cgroup.controllers') : '';
    const has = (name) => !version2 || controllers.includes(name);
    if (has('memory')) {
      await update({ memory: { limit: 96 << 20, reservation: 48 << 20, swap: 96 << 20 } });
      assert.equal(read('memory', version2 ? 'memory.max' : 'memory.limit_in_bytes'), `${96 << 20}`);
      assert.equal(read('memory', version2 ? 'memory.low' : 'memory.soft_limit_in_bytes'), `${48 << 20}`);
      await update({ memory: { limit: -1, swap: -1 } });
      assert.ok(version2 ? read('', 'memory.max') === 'max' : Number(read('memory', 'memory.limit_in_bytes')) > 2 ** 60);
    }
    if (has('pids')) {
      await update({ pids: { limit: 7 } });
      assert.equal(read('pids', 'pids.max'), '7');
      await update({ pids: { limit: -1 } });
      assert.equal(read('pids', 'pids.max'), 'max');
    }
    if (has('cpu ') || !version2) {
      await update({ cpu: { shares: 2048, quota: 50000, period: 100000 } });
      assert.equal(version2 ? read('', 'cpu.max') : `${read('cpu', 'cpu.cfs_quota_us')} ${read('cpu', 'cpu.cfs_period_us')}`, '50000 100000');
      await update({ cpu: { quota: -1 } });
    }
    if (has('cpuset')) {
      await update({ cpu: { cpus: '0', mems: '0' } });
      assert.equal(read('cpuset', 'cpuset.cpus'), '0');
      assert.match(readFileSync(`/proc/${c.pid}/status`, 'utf8'), /Cpus_allowed_list:\t0\n/, 'it is bound where it runs');
      await assert.rejects(update({ cpu: { cpus: '4000' } }), /cannot set the limits/);
    }
    if (version2) await refuses(update({ unified: { 'cgroup.freeze': '1' } }), 3, /no file of a controller/);
    else await refuses(update({ unified: { 'memory.high': '1' } }), 3, /version 1/);
    for (const wrong of ['', '[]', '1', 'null', '{"a":', `${'['.repeat(100)}${']'.repeat(100)}`]) await refuses(update(wrong), 3);
    for (const none of ['{}', '{"memory":null,"cpu":{"cpus":""}}', '{"unknown":{"x":1}}']) await update(none);
    // A limit of another type than the specification's would not be in force.
    for (const wrong of ['{"memory":{"limit":"x"}}', '{"cpu":[]}', '{"pids":{"limit":{}}}', '{"cpu":{"shares":-1}}', '{"memory":{"limit":1e9}}', '{"unified":7}'])
      await refuses(update(wrong), 3, /of another type/);
    await refuses(client.call('Update', { id, resources: Buffer.from([0xff]) }).catch((e) => { throw e; }), 3);
    await finish(c);
  },

  async 'limits of the specification stand before it starts'() {
    const cpus = readFileSync('/proc/self/status', 'utf8').match(/Cpus_allowed_list:\t(\d+)/)[1];
    if (version2) return 'this host has version 2 of control groups';
    const c = await container(program.spin, { resources: { cpu: { cpus, mems: '0', shares: 100, quota: 20000, period: 50000 }, memory: { limit: 64 << 20 }, pids: { limit: 3 } } });
    const of = (file) => readFileSync(`/sys/fs/cgroup/${file.split('.')[0]}/${host.group}/${c.id}/${file}`, 'utf8').trim();
    assert.deepEqual([of('cpuset.cpus'), of('cpu.shares'), of('cpu.cfs_quota_us'), of('cpu.cfs_period_us'), of('pids.max')], [cpus, '100', '20000', '50000', '3']);
    assert.match(readFileSync(`/proc/${c.pid}/cgroup`, 'utf8'), new RegExp(`:cpuset:/${host.group}/${c.id}\n`));
    await finish(c);
    return null;
  },

  async 'a client that stops reading, and one that goes, do not end the guest'() {
    const streams = { stdin: host.fifo('gone-in'), stdout: host.fifo('gone-out') };
    const c = await container(program.echo, { streams, late: true });
    const reader = openSync(streams.stdout, constants.O_RDONLY | constants.O_NONBLOCK);
    await c.client.call('Start', { id: c.id });
    const space = Buffer.alloc(100);
    let text = '';
    await until(() => { try { text += space.toString('utf8', 0, readSync(reader, space)); } catch { /* nothing yet */ } return text === 'up\n'; });
    closeSync(reader); // the only one
    const writer = openSync(streams.stdin, constants.O_WRONLY);
    writeSync(writer, 'words\n');
    await sleep(50);
    assert.equal((await c.client.call('State', { id: c.id })).status, 2);
    const output = drain(streams.stdout); // another comes
    closeSync(writer);
    await c.client.call('CloseIO', { id: c.id, stdin: true });
    assert.equal((await c.client.call('Wait', { id: c.id })).exit_status, 0);
    assert.equal(await output, 'words\n');
    await c.end();
  },

  async 'a full FIFO that nobody reads: the guest waits, and is ended all the same'() {
    const streams = { stdin: host.fifo('full-in'), stdout: host.fifo('full-out') };
    const c = await container(program.echo, { streams, late: true });
    await c.client.call('Start', { id: c.id });
    const writer = openSync(streams.stdin, constants.O_WRONLY | constants.O_NONBLOCK);
    for (let i = 0; i < 100; i++) {
      try { writeSync(writer, 'x'.repeat(4096)); } catch { await sleep(1); }
    }
    await c.client.call('Kill', { id: c.id, signal: 15 });
    assert.equal((await c.client.call('Wait', { id: c.id })).exit_status, 143);
    closeSync(writer);
    await c.end();
  },

  async 'loggers that are not there, end at once, or never read'() {
    const script = (name, text) => { const file = path.join(folder, name); writeFileSync(file, text, { mode: 0o755 }); return `binary://${file}`; };
    for (const [address, text] of [['binary:///nowhere/logger', /cannot start \/nowhere\/logger: No such file/], [script('no-program', 'no program'), /cannot start .*: Exec format error/], [`binary://${folder}`, /cannot start .*: Permission denied/]]) {
      const c = await container(program.both, { streams: { stdout: address, stderr: address }, refused: true });
      await assert.rejects(c.created, text);
      await c.client.call('Shutdown', { id: c.id });
      await c.client.closed;
      await host.remove(c.id, c.bundle);
    }
    const dies = script('dies', '#!/bin/sh\nexit 3\n'), waits = script('waits', '#!/bin/sh\nexec 5>&-\nexec sleep 2\n');
    for (const address of [dies, waits]) {
      const c = await container(program.both, { streams: { stdout: address, stderr: address } });
      await c.client.call('Start', { id: c.id });
      await c.client.call('Wait', { id: c.id });
      await c.end();
    }
  },

  async 'a logger that is not ready keeps its own container waiting, and no other'() {
    const slow = path.join(folder, 'slow');
    writeFileSync(slow, '#!/bin/sh\nsleep 1\nexec 5>&-\ncat <&3 >/dev/null\n', { mode: 0o755 });
    const annotations = { 'io.containerd.runc.v2.group': 'slowly' }, c = await container(program.spin, { annotations });
    const id = fresh(), bundle = host.bundle(id, program.hello, { annotations });
    await host.start(id, bundle);
    const began = Date.now(), created = c.client.call('Create', { id, bundle, stdout: `binary://${slow}`, stderr: `binary://${slow}` });
    await c.client.call('Start', { id: c.id });
    assert.ok(Date.now() - began < 900, 'the other was answered meanwhile');
    await created;
    assert.ok(Date.now() - began >= 900, 'it was waited for');
    await c.client.call('Delete', { id });
    await host.remove(id, bundle);
    await finish(c);
  },

  async 'a logger whose file does not answer, as on a server that is gone, is waited for with bounds, and by its own container'() {
    const place = path.join(folder, 'leased'), logger = path.join(place, 'logger');
    mkdirSync(place);
    execFileSync('mount', ['-t', 'tmpfs', 'none', place]);
    writeFileSync(logger, '#!/bin/sh\nexec 5>&-\ncat <&3 >/dev/null\n', { mode: 0o755 });
    // Whoever opens a file that is leased for writing waits for it to be given back: for 45 s, as the kernel has it.
    const holder = spawn('perl', ['-e', '$SIG{IO} = "IGNORE"; $| = 1; open(F, "+<", $ARGV[0]) && fcntl(F, 1024, 1) or die "$!"; print "held\\n"; sleep 100', logger], { stdio: ['ignore', 'pipe', 'inherit'] });
    const gone = new Promise((done) => holder.on('exit', done));
    const annotations = { 'io.containerd.runc.v2.group': 'leased' }, c = await container(program.spin, { annotations });
    try {
      assert.equal(await Promise.race([gone, new Promise((done) => holder.stdout.once('data', (text) => done(`${text}`)))]), 'held\n');
      const id = fresh(), bundle = host.bundle(id, program.hello, { annotations });
      await host.start(id, bundle);
      let refused = false;
      const created = assert.rejects(c.client.call('Create', { id, bundle, stdout: `binary://${logger}`, stderr: `binary://${logger}` }), /was not ready within 5 s/).then(() => { refused = true; });
      await c.client.call('Start', { id: c.id });
      assert.equal((await c.client.call('State', { id: c.id })).status, 2);
      assert.equal(refused, false, 'the other was answered meanwhile');
      await created;
      await host.remove(id, bundle);
    } finally {
      holder.kill();
      await gone;
      await finish(c);
      execFileSync('umount', ['-l', place]);
    }
  },

  async 'delete unmounts what is in the bundle, and nothing that root.path or a link names'() {
    const place = path.join(folder, 'operators');
    mkdirSync(place);
    execFileSync('mount', ['-t', 'tmpfs', 'none', place]);
    const mounted = (at) => readFileSync('/proc/self/mountinfo', 'utf8').split('\n').some((line) => line.split(' ')[4] === at);
    for (const root of [place, `../../${path.basename(place)}`, 'rootfs', null]) {
      const id = fresh(), bundle = host.bundle(id, program.hello), config = path.join(bundle, 'config.json'), own = path.join(bundle, 'rootfs');
      if (root) writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, 'utf8')), root: { path: root } }));
      else rmSync(config);
      execFileSync('mount', ['-t', 'tmpfs', 'none', own]);
      await host.remove(id, bundle);
      assert.deepEqual([mounted(place), mounted(own)], [true, false], `${root}`);
      rmSync(own, { recursive: true });
      symlinkSync(place, own);
      await host.remove(id, bundle);
      assert.ok(mounted(place), `${root}, and a link`);
    }
    execFileSync('umount', [place]);
  },

  async 'a root file system of overlays, as snapshotters give them'() {
    const place = path.join(folder, 'overlay');
    execFileSync('mkdir', ['-p', place]);
    execFileSync('mount', ['-t', 'tmpfs', 'none', place]); // what a snapshotter's disk is: no overlay itself
    const part = (name, file) => { const at = path.join(place, name); mkdirSync(at, { recursive: true }); if (file) copyFileSync(file, path.join(at, 'module.wasm')); return at; };
    const lower = part('lower', program.hello), above = part('above', program.exit7), empty = part('empty'), upper = part('upper', program.hello), work = part('work');
    const overlay = (...options) => [{ type: 'overlay', source: 'overlay', options }];
    const cases = [
      [overlay(`lowerdir=${lower}:${empty}`), 0],
      [overlay(`lowerdir=${above}:${lower}`), 7],
      [overlay('index=off', `workdir=${work}`, `upperdir=${upper}`, `lowerdir=${above}`), 0],
      [[{ type: 'bind', source: above, options: ['rbind', 'ro'] }], 7],
    ];
    for (const [rootfs, code] of cases) {
      const c = await container(null, { rootfs });
      await c.client.call('Start', { id: c.id });
      assert.equal((await c.client.call('Wait', { id: c.id })).exit_status, code);
      await c.end();
    }
    for (const [rootfs, text] of [[overlay('lowerdir=/nowhere'), /cannot mount the root file system \(overlay\)/], [[{ type: 'x'.repeat(100), source: 'x' }], /malformed/], [overlay('x'.repeat(5000)), /more than \d+ bytes/], [[{ type: 'bind', source: '/nowhere', options: ['bind'] }], /cannot mount/]]) {
      const c = await container(null, { rootfs, refused: true, late: true });
      await assert.rejects(c.created, text);
      await c.client.call('Shutdown', { id: c.id });
      await c.client.closed;
      await host.remove(c.id, c.bundle);
    }
    assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes('/bundles/'), 'no mount is left');
    execFileSync('umount', [place]);
  },

  async 'annotations and specifications that are malformed'() {
    const cases = [
      [{ annotations: { 'carrel.policy/net': 5 } }, /carrel.policy\/net/],
      [{ annotations: { 'carrel.policy/net': null } }, /carrel.policy\/net/],
      [{ annotations: { 'carrel.policy/dir': { a: 1 } } }, /carrel.policy\/dir/],
      [{ annotations: { 'carrel.policy/': '' } }, /is not known/],
      [{ annotations: { 'carrel.policy/NET': 'all' } }, /is not known/],
      [{ annotations: { 'carrel.policy/net ': 'all' } }, /is not known/],
      [{ annotations: { 'carrel.policy/net': `connect=${'a'.repeat(3 << 20)}` } }, /bytes|connect/],
      [{ annotations: { 'carrel.policy/net': 'connect=1.2.3.4:5 '.repeat(200) } }, /more than 128 rules/],
      [{ annotations: { 'carrel.policy/memory': '-1' } }, /carrel.policy\/memory/],
      [{ annotations: { 'carrel.policy/memory': '99999999999999999999G' } }, /carrel.policy\/memory/],
      [{ annotations: { 'carrel.policy/fuel': '1e9' } }, /carrel.policy\/fuel/],
      [{ annotations: { 'carrel.policy/timeout': '0' } }, /carrel.policy\/timeout/],
      [{ annotations: { 'carrel.policy/degrade': 'everything' } }, /there is no wall/],
      [{ annotations: { 'carrel.policy/walls': 'thin' } }, /is not `fresh`/],
      [{ annotations: { 'carrel.policy/config': 'a=1\na=2' } }, /two settings/],
      [{ annotations: { 'carrel.policy/timezone': '../../etc/passwd' } }, /timezone/],
      [{ annotations: { 'carrel.policy/dir': '/x' }, mounts: [{ destination: null }, null, 7, { destination: '/x', type: null, options: [null, 3] }] }, /no bind mount has that target/],
      [{ args: ['/module.wasm', 7] }, /is no text/],
      [{ args: ['x'.repeat(3 << 20)] }, /bytes/],
      [{ env: [null] }, /is no text/],
      [{ args: ['/'] }, /no component|no regular file/],
      [{ args: ['../../../../bin/sh'] }, /no component/],
      [{ group: 'x'.repeat(300) }, /cgroupsPath/],
      [{ network: '/proc/self/ns/mnt', annotations: { 'carrel.policy/net': 'connect=1.1.1.1:1' } }, /network namespace/],
    ];
    for (const [options, text] of cases) {
      const c = await container(program.hello, { ...options, refused: true, late: true });
      await assert.rejects(c.created, (e) => { assert.match(e.message, text, JSON.stringify(options).slice(0, 100)); return true; });
      await c.client.call('Shutdown', { id: c.id });
      await c.client.closed;
      await host.remove(c.id, c.bundle);
    }
    // Twice the same key: the last one counts, as for containerd, which writes it.
    const id = fresh(), bundle = host.bundle(id, program.spin, { annotations: { 'carrel.policy/fuel': '1000' } }), file = path.join(bundle, 'config.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"carrel.policy/fuel":"1000"', '"carrel.policy/fuel":"1000","carrel.policy/fuel":"x"'));
    const client = await Client.connect(await host.start(id, bundle));
    await assert.rejects(client.call('Create', { id, bundle }), /carrel.policy\/fuel: 'x'/);
    await client.call('Shutdown', { id });
    await client.closed;
    await host.remove(id, bundle);
    for (const text of ['', '[]', '{', 'null', '{"process":{}}', `{"annotations":{"a":${'['.repeat(200)}${']'.repeat(200)}}}`]) {
      const made = fresh(), at = host.bundle(made, program.hello);
      writeFileSync(path.join(at, 'config.json'), text);
      let started;
      try { started = await Client.connect(await host.start(made, at)); } catch (e) { assert.match(`${e}`, /no JSON object|start:/); continue; }
      await assert.rejects(started.call('Create', { id: made, bundle: at }));
      await started.call('Shutdown', { id: made });
      await started.closed;
      await host.remove(made, at);
    }
  },

  async 'targets of mounts are paths, however they are written; recursively read-only is read-only'() {
    const source = path.join(folder, 'target');
    mkdirSync(source, { recursive: true });
    writeFileSync(path.join(source, 'word'), 'there\n');
    for (const [destination, target] of [['/data/', '/data'], ['/data', '/data/'], ['//x/./data', '/x/data'], ['/a/../data', '/data:ro'], ['/data', '/data//:ro']]) {
      const c = await container(program.file, { mounts: [{ destination, type: 'bind', source, options: ['rbind', 'rro'] }], annotations: { 'carrel.policy/dir': target } });
      await until(() => existsSync(path.join(c.bundle, 'carrel-audit.json')));
      assert.doesNotMatch(readFileSync(path.join(c.bundle, 'carrel-audit.json'), 'utf8'), /"dir\.write"[^}]*"granted": *true/);
      await c.client.call('Start', { id: c.id });
      assert.equal((await c.client.call('Wait', { id: c.id })).exit_status, 0, `${destination} ${target}`);
      assert.equal(await c.output[0], 'there\n');
      await c.end();
    }
  },

  async 'options of the runtime are policy; what they are not is refused'() {
    const file = path.join(folder, 'runtime.toml'), spin = program.spin;
    const options = (message, type_url = 'runtimeoptions.v1.Options') => proto.encode(proto.any, { type_url, value: proto.encode({ path: [2, 's'], body: [3, 's'] }, message) });
    const create = async (given, annotations = {}) => {
      const id = fresh(), bundle = host.bundle(id, spin, { annotations }), client = await Client.connect(await host.start(id, bundle));
      const made = await client.call('Create', { id, bundle, options: given }).then(() => null, (e) => e);
      return { id, bundle, client, made };
    };
    const end = async ({ id, bundle, client }) => { await client.call('Shutdown', { id }); await client.closed; await host.remove(id, bundle); };
    const code = async (given, annotations) => {
      const c = await create(given, annotations);
      assert.equal(c.made, null, `${c.made}`);
      await c.client.call('Start', { id: c.id });
      const { exit_status } = await c.client.call('Wait', { id: c.id });
      await c.client.call('Delete', { id: c.id });
      await end(c);
      return exit_status;
    };
    writeFileSync(file, '# of this runtime\nfuel = 1000 # units\ndeny = ["net", "env"]\n');
    assert.equal(await code(options({ path: file })), 134);
    assert.equal(await code(options({ path: file }), { 'carrel.policy/fuel': '1000000000000' }), 134, 'the smaller limit holds');
    assert.equal(await code(options({ body: "timeout = '50ms'" })), 124);
    const refused = [
      [options({ path: '/nowhere/x' }), /cannot read the options of the runtime/],
      [options({ path: folder }), /no file, or too large/],
      [options({ body: 'nothing = "x"' }), /an option nothing, which is not known/],
      [options({ body: '[table]\n' }), /line 1: no key/],
      [options({ body: 'a = "x' }), /line 1: a string without its end/],
      [options({ body: '\nfuel = "a"' }), /carrel.policy\/fuel/],
      [options({ body: 'fuel = 1\nfuel = 2' }), /line 2: a key that is there twice/],
      [options({}, 'other.Options'), /type 'other.Options', which carrel does not know/],
      [Buffer.from([0xff]), /no protocol buffer/],
    ];
    for (const [given, text] of refused) {
      const c = await create(given);
      assert.match(`${c.made}`, text);
      assert.equal(c.made.code === 3 || c.made.code === 9, true, `${c.made.code}`);
      await end(c);
    }
  },

  async 'a namespace that is none is refused'() {
    for (const [network, text] of [['/nowhere', /network namespace \/nowhere is none/], ['/proc/self/ns/uts', /is none: it is something else/]]) {
      const c = await container(program.hello, { network, refused: true, late: true });
      await assert.rejects(c.created, text);
      await c.client.call('Shutdown', { id: c.id });
      await c.client.closed;
      await host.remove(c.id, c.bundle);
    }
  },

  async 'a call ends when the time is over that its caller gave, and leaves its place'() {
    const c = await container(program.spin), { client, id } = c;
    await client.call('Start', { id });
    const stream = client.stream;
    client.stream += 2;
    const body = proto.encode(proto.request, { service: client.service, method: 'Wait', payload: proto.encode({ id: [1, 's'] }, { id }), timeout_nano: 30e6 });
    await refuses(client.frame(stream, proto.frame(stream, 1, body)), 4, /time/);
    assert.equal((await client.call('State', { id })).status, 2);
    await finish(c);
  },

  async 'the end of a container is told after those of its execs'() {
    const c = await container(program.spin), { client, id } = c;
    await client.call('Start', { id });
    await client.call('Exec', { id, exec_id: 'e', spec: spec('_start()') });
    await client.call('Start', { id, exec_id: 'e' });
    await client.call('Kill', { id, signal: 9 });
    await client.call('Wait', { id });
    await c.end();
    await host.events.until((e) => e.container_id === id && e.topic === '/tasks/delete');
    assert.deepEqual(host.events.seen.filter((e) => e.container_id === id && e.topic === '/tasks/exit').map((e) => e.id), ['e', id]);
  },

  async 'a service that is not there is named'() {
    const c = await container(program.spin);
    await refuses(c.client.raw('CreateSandbox', Buffer.alloc(0), 'containerd.runtime.sandbox.v1.Sandbox'), 12, /containerd.runtime.sandbox.v1.Sandbox\/CreateSandbox is not implemented/);
    await finish(c);
  },

  async 'what is used is told before, while and after it runs'() {
    const c = await container(program.spin), { client, id } = c;
    const stats = async () => { const { stats: s } = await client.call('Stats', { id }); assert.equal(s.type_url, version2 ? 'io.containerd.cgroups.v2.Metrics' : 'io.containerd.cgroups.v1.Metrics'); return proto.decode(proto.metrics[s.type_url], s.value); };
    await stats();
    await client.call('Start', { id });
    const used = async () => { const s = await stats(); return s.cpu.usage?.total ?? s.cpu.usage_usec; };
    const before = await used();
    await until(async () => await used() > before);
    await client.call('Kill', { id, signal: 9 });
    await client.call('Wait', { id });
    await stats();
    await c.end();
  },

  async 'a server that drains ends by a second signal, or with its requests'() {
    const annotations = { 'carrel.policy/serve': '127.0.0.1:18331', 'carrel.policy/request-timeout': '20s' };
    for (const second of [15, 9]) {
      const c = await container(component('hecho'), { network: 'host', annotations });
      await c.client.call('Start', { id: c.id });
      const { connect } = await import('node:net');
      const half = connect(18331, '127.0.0.1', () => half.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345'));
      half.on('error', () => {});
      half.resume();
      await new Promise((done) => half.once('connect', done));
      await sleep(100);
      await c.client.call('Kill', { id: c.id, signal: 15 });
      await sleep(50);
      if ((await c.client.call('State', { id: c.id })).status === 2) await c.client.call('Kill', { id: c.id, signal: second });
      assert.equal((await c.client.call('Wait', { id: c.id })).exit_status, 143);
      half.destroy();
      await c.end();
    }
  },
};

await playAll(tests, 120);
