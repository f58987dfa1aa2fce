// Every method of the task service, its error codes and the order of events, against a shim without
// containerd. Usage: node service.mjs SHIM FOLDER (in a mount namespace of its own, as root).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, openSync, closeSync, readFileSync, readSync, readdirSync, readlinkSync, writeFileSync, writeSync, constants, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { alive, component, container, folder, fresh, host, lacks, playAll, program, refuses, shim } from './bed.mjs';
import { Client, drain, Images } from './driver.mjs';
import * as proto from './proto.mjs';

const tests = {
  async 'a component runs, and its events come in order'() {
    const c = await container(program.hello);
    assert.ok(alive(c.pid));
    assert.equal((await c.client.call('State', { id: c.id })).status, 1);
    const wait = c.client.call('Wait', { id: c.id });
    assert.equal((await c.client.call('Start', { id: c.id })).pid, c.pid);
    const ended = await wait;
    assert.equal(ended.exit_status, 0);
    assert.ok(Math.abs(ended.exited_at.seconds - Date.now() / 1000) < 30);
    assert.equal(await c.output[0], 'hello from a cell\n');
    const state = await c.client.call('State', { id: c.id });
    assert.deepEqual([state.status, state.exit_status, state.stdout, state.bundle], [3, 0, c.streams.stdout, c.bundle]);
    assert.equal((await c.client.call('Wait', { id: c.id })).exit_status, 0);
    const deleted = await c.end();
    assert.deepEqual([deleted.pid, deleted.exit_status], [c.pid, 0]);
    await host.events.until((e) => e.container_id === c.id && e.topic === '/tasks/delete');
    assert.deepEqual(host.events.topics(c.id), ['create', 'start', 'exit', 'delete']);
    const exit = host.events.seen.find((e) => e.container_id === c.id && e.topic === '/tasks/exit');
    assert.deepEqual([exit.id, exit.pid, exit.exit_status, exit.namespace, exit.type], [c.id, c.pid, 0, 'test', 'containerd.events.TaskExit']);
    assert.ok(!alive(c.pid));
  },

  async 'the guest\'s exit code, and a trap, are told'() {
    for (const [name, code, text] of [['exit7', 7, ''], ['trap', 134, 'carrel: unreachable']]) {
      const c = await container(program[name]);
      await c.client.call('Start', { id: c.id });
      assert.equal((await c.client.call('Wait', { id: c.id })).exit_status, code);
      assert.ok((await c.output[1]).startsWith(text), await c.output[1]);
      await c.end();
    }
  },

  async 'arguments, environment and both streams of output'() {
    const c = await container(program.both, { args: ['/module.wasm', 'x'], env: ['A=b'] });
    await c.client.call('Start', { id: c.id });
    await c.client.call('Wait', { id: c.id });
    assert.deepEqual(await Promise.all(c.output), ['word\n', 'word\n']);
    await c.end();
  },

  async 'standard input ends when containerd closes it'() {
    const streams = { stdin: host.fifo('in1'), stdout: host.fifo('in1-out') };
    const c = await container(program.echo, { streams });
    await c.client.call('Start', { id: c.id });
    const writer = openSync(streams.stdin, constants.O_WRONLY);
    writeSync(writer, 'some input');
    closeSync(writer);
    await sleep(50);
    assert.equal((await c.client.call('State', { id: c.id })).status, 2, 'a writer that comes and goes is no end');
    await c.client.call('CloseIO', { id: c.id, stdin: true });
    assert.equal((await c.client.call('Wait', { id: c.id })).exit_status, 0);
    assert.equal(await c.output[0], 'up\nsome input');
    await c.end();
  },

  async 'signals end it, and are reported as 128 and their number'() {
    for (const signal of [15, 9, 2]) {
      const c = await container(program.spin);
      await c.client.call('Start', { id: c.id });
      await c.client.call('Kill', { id: c.id, signal: 0 });
      await c.client.call('Kill', { id: c.id, signal: 28 });
      await c.client.call('Kill', { id: c.id, signal });
      assert.equal((await c.client.call('Wait', { id: c.id })).exit_status, 128 + signal);
      await refuses(c.client.call('Kill', { id: c.id, signal: 9 }), 5, /already finished/);
      assert.equal((await c.end()).exit_status, 128 + signal);
    }
  },

  async 'what cannot be is refused with the code that containerd knows'() {
    const c = await container(program.spin);
    const { client, id } = c;
    for (const method of ['State', 'Start', 'Delete', 'Wait', 'Kill', 'Pids', 'Pause', 'Resume', 'Update', 'Stats', 'CloseIO', 'ResizePty', 'Exec', 'Checkpoint'])
      await refuses(client.call(method, { id: 'nobody' }), 5);
    await refuses(client.call('Create', { id, bundle: c.bundle }), 6);
    await refuses(client.call('Create', { id: '', bundle: c.bundle }), 3);
    await refuses(client.call('Create', { id: 'x'.repeat(200), bundle: c.bundle }), 3);
    await refuses(client.call('Create', { id: 'restored', bundle: c.bundle, checkpoint: '/x' }), 12);
    await refuses(client.call('Checkpoint', { id }), 12);
    await refuses(client.call('Resume', { id }), 9);
    await refuses(client.call('Exec', { id, exec_id: 'e', spec: { type_url: 'x', value: '{}' } }), 9);
    await client.call('Start', { id });
    await refuses(client.call('Start', { id }), 9);
    await refuses(client.call('Delete', { id }), 9);
    await refuses(client.call('State', { id, exec_id: 'none' }), 5);
    await refuses(client.call('Kill', { id, signal: 1000 }), 3);
    await refuses(client.raw('Nothing', Buffer.alloc(0)), 12);
    await refuses(client.raw('State', Buffer.alloc(0), 'containerd.task.v9.Task'), 12);
    await refuses(client.raw('State', Buffer.from([0xff])), 3);
    await refuses(client.frame(2, proto.frame(2, 1, Buffer.alloc(0))), 3);
    await refuses(client.frame(101, proto.frame(101, 1, Buffer.from([0xff]))), 3);
    assert.equal((await client.call('Connect', { id: 'nobody' })).task_pid, 0);
    assert.equal((await client.call('Connect', { id })).task_pid, c.pid);
    await client.call('Shutdown', { id });
    assert.equal((await client.call('State', { id })).status, 2, 'a shutdown is for shims without containers');
    await client.call('Kill', { id, signal: 9 });
    await client.call('Wait', { id });
    await c.end();
  },

  async 'a component that cannot be is refused at Create'() {
    writeFileSync(path.join(folder, 'elf'), Buffer.from('\x7fELF and more'));
    const cases = [
      [null, {}, /is empty: put a component into its image; and cannot reach containerd at .*containerd.sock/],
      [program.hello, { args: ['/other.wasm'] }, /there is no component \/other.wasm .*: No such file or directory; and cannot reach/],
      [path.join(folder, 'elf'), {}, /no WebAssembly \(a Linux program needs another runtime\)/],
      [program.hello, { args: [] }, /no arguments/],
      [program.hello, { annotations: { 'carrel.policy/nte': 'all' } }, /carrel.policy\/nte is not known/],
      [program.hello, { annotations: { 'carrel.policy/net': 'connect=nowhere' } }, /carrel.policy\/net/],
      [program.hello, { annotations: { 'carrel.policy/dir': '/data' } }, /no bind mount has that target/],
      [program.hello, { annotations: { 'carrel.policy/memory': '0' } }, /carrel.policy\/memory/],
      [program.hello, { annotations: { 'carrel.policy/memory': '1' } }, /memory/],
      [program.hello, { group: '/a/../../b' }, /cgroupsPath/],
      [program.hello, { streams: { stdout: 'tcp://nowhere' } }, /file:\/\//],
    ];
    for (const [component, options, text] of cases) {
      const c = await container(component, { ...options, refused: true, late: true });
      await assert.rejects(c.created, (e) => { assert.match(e.message, text); return true; });
      await refuses(c.client.call('State', { id: c.id }), 5);
      await c.client.call('Shutdown', { id: c.id });
      await c.client.closed;
      await host.remove(c.id, c.bundle);
      assert.deepEqual(host.events.topics(c.id), []);
    }
  },

  async 'a component that no file is, is fetched from containerd'() {
    const component = readFileSync(program.hello), large = Buffer.concat([component, Buffer.from([0, 0x80, 0x80, 0xc0, 1, 4]), Buffer.from('name'), Buffer.alloc((3 << 20) - 5)]);
    const digest = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`, label = (bytes, kind = 'l.0') => ({ key: `containerd.io/gc.ref.content.${kind}`, value: digest(bytes) });
    const manifest = Buffer.from('manifest'), index = Buffer.from('index'), other = Buffer.from('\0as');
    const one = { image: 'img', target: manifest, blobs: [[manifest, [label(other, 'config'), label(component)]], [component], [other]] };
    const cases = [
      ['a layer', one, null],
      ['a layer in many messages', { ...one, blobs: [[manifest, [label(large)]], [large]] }, null],
      ['behind an index, beside one that is not there', { ...one, target: index, blobs: [[index, [label(other, 'm.0'), label(manifest, 'm.1')]], [manifest, [label(component)]], [component]] }, null],
      ['the same twice', { ...one, blobs: [[manifest, [label(component), label(component, 'l.1')]], [component]] }, null],
      ['heads, pings and padding in between', { ...one, noise: true }, null],
      ['no image of the container', { ...one, image: '' }, /the container has no image/],
      ['no such container', { ...one, image: undefined }, /the container has no image/],
      ['no such image', { ...one, target: undefined }, /containerd has no image img any more: fetch it again/],
      ['no component', { ...one, blobs: [[manifest, [label(other)]], [other]] }, /no layer of the image img is a component/],
      ['two', { ...one, blobs: [[manifest, [label(component), label(large, 'l.1')]], [component], [large]] }, /has 2 components/],
      ['too many', { ...one, blobs: [[manifest, Array.from({ length: 65 }, () => label(other))], [other]] }, /names more than 64 blobs/],
      ['a circle', { ...one, blobs: [[manifest, [label(manifest)]]] }, /no layer of the image img is a component/],
      ['other bytes than their digest', { ...one, spoilt: true }, /did not come whole/],
      ['a compressed answer', { ...one, compressed: true }, /compressed, or too large/],
      ['nonsense', { ...one, nonsense: true }, /answers nonsense/],
      ['no HTTP', { ...one, garbage: Buffer.alloc(100, 0xff) }, /frame that is too large/],
      ['a hang-up', { ...one, garbage: Buffer.alloc(0) }, /hung up|does not take/],
    ];
    for (const [what, content, text] of cases) {
      const containerd = new Images(host.address, content);
      await containerd.start();
      const c = await container(null, { refused: text !== null, late: text !== null, network: 'host' });
      if (text) {
        await assert.rejects(c.created, (e) => { assert.match(e.message, text, what); return true; });
        await c.client.call('Shutdown', { id: c.id });
        await c.client.closed;
        await host.remove(c.id, c.bundle);
      } else {
        await c.client.call('Start', { id: c.id });
        assert.equal((await c.client.call('Wait', { id: c.id })).exit_status, 0, what);
        assert.equal(await c.output[0], 'hello from a cell\n', what);
        await c.end();
        assert.ok(containerd.namespaces.every((n) => n === 'test'), what);
      }
      await containerd.stop();
    }
  },

  async 'a link in an image leads nowhere else'() {
    const { symlinkSync } = await import('node:fs');
    const id = fresh();
    const bundle = host.bundle(id, null);
    symlinkSync(program.hello, path.join(bundle, 'rootfs', 'module.wasm'));
    const client = await Client.connect(await host.start(id, bundle));
    await assert.rejects(client.call('Create', { id, bundle }), /there is no component/);
    await client.call('Shutdown', { id });
    await client.closed;
  },

  async 'created and never started, it is deleted'() {
    const c = await container(program.spin);
    const wait = c.client.call('Wait', { id: c.id });
    const deleted = await c.end();
    assert.equal(deleted.exit_status, 137);
    assert.equal((await wait).exit_status, 137);
    assert.ok(!alive(c.pid));
    await host.events.until((e) => e.container_id === c.id && e.topic === '/tasks/delete');
    assert.deepEqual(host.events.topics(c.id), ['create', 'exit', 'delete']);
  },

  async 'output that nobody has opened yet is not lost'() {
    const c = await container(program.hello, { late: true });
    await c.client.call('Start', { id: c.id });
    await c.client.call('Wait', { id: c.id });
    await sleep(300);
    assert.equal(await drain(c.streams.stdout), 'hello from a cell\n');
    await c.end();
  },

  async 'an end is told once the output was read, as who hears of it opens no FIFO any more; who asks hears of it at once'() {
    const c = await container(program.both, { late: true });
    await c.client.call('Start', { id: c.id });
    let told = false;
    const ended = c.client.call('Wait', { id: c.id }).then((answer) => { told = true; return answer; });
    for (let i = 0; i < 200 && alive(c.pid); i++) await sleep(5);
    await sleep(200);
    assert.deepEqual([told, (await c.client.call('State', { id: c.id })).status], [false, 3]);
    const died = Date.now() / 1000;
    const output = [c.streams.stdout, c.streams.stderr].map(drain);
    const { exited_at } = await ended;
    assert.deepEqual(await Promise.all(output), ['word\n', 'word\n']);
    assert.ok(exited_at.seconds + exited_at.nanos / 1e9 < died, 'it is told when it was');
    await c.end();
    await host.events.until((e) => e.container_id === c.id && e.topic === '/tasks/delete');
    assert.deepEqual(host.events.topics(c.id), ['create', 'start', 'exit', 'delete']);
  },

  async 'the time for which an end waits for a reader is not over while nobody runs'() {
    const c = await container(program.hello, { late: true });
    await c.client.call('Start', { id: c.id });
    let told = false;
    const ended = c.client.call('Wait', { id: c.id }).then(() => { told = true; });
    for (let i = 0; i < 200 && (await c.client.call('State', { id: c.id })).status !== 3; i++) await sleep(5);
    const shimPid = (await c.client.call('Connect', { id: c.id })).shim_pid;
    process.kill(shimPid, 'SIGSTOP');
    await sleep(2500);
    process.kill(shimPid, 'SIGCONT');
    await c.client.call('State', { id: c.id });
    assert.equal(told, false);
    assert.equal(await drain(c.streams.stdout), 'hello from a cell\n');
    await ended;
    await c.end();
  },

  async 'output that nobody ever reads does not keep the shim'() {
    const c = await container(program.hello, { late: true });
    await c.client.call('Start', { id: c.id });
    await c.client.call('Wait', { id: c.id });
    await c.end();
  },

  async 'a terminal: lines are edited and echoed, its window is resized, and it interrupts'() {
    const terminal = (name) => ({ stdin: host.fifo(`${name}-in`), stdout: host.fifo(`${name}-out`) });
    let streams = terminal('tty1');
    let c = await container(program.echo, { streams, terminal: true });
    const fds = (pid) => readdirSync(`/proc/${pid}/fd`).map((fd) => { try { return readlinkSync(`/proc/${pid}/fd/${fd}`); } catch { return ''; } });
    assert.deepEqual(fds(c.pid).filter((link) => /pts|ptmx/.test(link)), [], 'a terminal never enters a cell');
    await c.client.call('Start', { id: c.id });
    const shimPid = (await c.client.call('Connect', { id: c.id })).shim_pid;
    await c.client.call('ResizePty', { id: c.id, width: 91, height: 37 });
    assert.equal(execFileSync('stty', ['-F', fds(shimPid).find((link) => link.startsWith('/dev/pts/')), 'size']).toString(), '37 91\n');
    let writer = openSync(streams.stdin, constants.O_WRONLY);
    writeSync(writer, 'wrod\x7f\x7f\x7ford\n');
    closeSync(writer);
    await sleep(50);
    assert.equal((await c.client.call('State', { id: c.id })).status, 2, 'a client that goes is no end of the input');
    writer = openSync(streams.stdin, constants.O_WRONLY);
    writeSync(writer, '\x04');
    closeSync(writer);
    assert.equal((await c.client.call('Wait', { id: c.id })).exit_status, 0);
    const shown = await c.output[0];
    assert.match(shown, /word\r\n$/);
    assert.match(shown, /up\r\n/);
    assert.match(shown, /wrod.*ord\r\n/s, 'it echoes');
    await c.end();
    streams = terminal('tty2');
    c = await container(program.spin, { streams, terminal: true });
    await c.client.call('Start', { id: c.id });
    writer = openSync(streams.stdin, constants.O_WRONLY);
    writeSync(writer, '\x03');
    closeSync(writer);
    assert.equal((await c.client.call('Wait', { id: c.id })).exit_status, 130);
    await c.end();
    // Nobody reads: that keeps neither the exit nor the shim.
    streams = terminal('tty3');
    c = await container(program.hello, { streams, terminal: true, late: true });
    await c.client.call('Start', { id: c.id });
    await c.client.call('Wait', { id: c.id });
    await sleep(100);
    assert.equal(await drain(streams.stdout), 'hello from a cell\r\n');
    await c.end();
  },

  async 'files and programs take output'() {
    const file = path.join(folder, 'out.txt'), logged = path.join(folder, 'logged.txt');
    let c = await container(program.both, { streams: { stdout: `file://${file}`, stderr: `file://${file}` } });
    await c.client.call('Start', { id: c.id });
    await c.client.call('Wait', { id: c.id });
    await c.end();
    assert.equal(readFileSync(file, 'utf8'), 'word\nword\n');
    const logger = path.join(folder, 'logger.sh');
    writeFileSync(logger, `#!/bin/sh\necho "$CONTAINER_NAMESPACE $CONTAINER_ID $*" >${logged}\nexec 5>&-\ncat <&3 >>${logged}\ncat <&4 >>${logged}\n`, { mode: 0o755 });
    const address = `binary://${logger}?key=a%20value&two=2`;
    c = await container(program.both, { streams: { stdout: address, stderr: address } });
    await c.client.call('Start', { id: c.id });
    await c.client.call('Wait', { id: c.id });
    await c.end();
    for (let i = 0; i < 100 && readFileSync(logged, 'utf8').split('\n').length < 4; i++) await sleep(10);
    assert.equal(readFileSync(logged, 'utf8'), `test ${c.id} key a value two 2\nword\nword\n`);
  },

  async 'the longest names are in the events, too'() {
    const place = path.join(folder, ...Array.from({ length: 4 }, () => 'n'.repeat(200)));
    mkdirSync(place, { recursive: true });
    const [stdout, stderr] = ['out', 'err'].map((name) => `file://${place}/${name}`);
    const c = await container(program.both, { streams: { stdout, stderr } });
    await c.client.call('Start', { id: c.id });
    await c.client.call('Wait', { id: c.id });
    await c.end();
    const created = await host.events.until((e) => e.container_id === c.id && e.topic === '/tasks/create');
    assert.deepEqual([created.io.stdout, created.io.stderr, created.bundle, created.pid], [stdout, stderr, c.bundle, c.pid]);
    await host.events.until((e) => e.container_id === c.id && e.topic === '/tasks/delete');
  },

  async 'Pids, Stats, Update, Pause and Resume'() {
    if (lacks('memory', 'pids', 'cpu')) return lacks('memory', 'pids', 'cpu');
    const c = await container(program.spin, { resources: { memory: { limit: 256 << 20 }, pids: { limit: 16 }, cpu: { shares: 512 } } });
    const { client, id } = c;
    await client.call('Start', { id });
    assert.deepEqual((await client.call('Pids', { id })).processes.map((p) => p.pid), [c.pid]);
    let stats = (await client.call('Stats', { id })).stats;
    const read = () => proto.decode(proto.metrics[stats.type_url], stats.value);
    assert.ok(proto.metrics[stats.type_url], stats.type_url);
    const limit = () => read().memory.usage_limit ?? read().memory.usage.limit;
    assert.equal(read().pids.current, 1);
    assert.equal(limit(), 256 << 20);
    assert.equal(read().pids.limit, 16);
    await client.call('Update', { id, resources: { type_url: 'x', value: JSON.stringify({ memory: { limit: 128 << 20 } }) } });
    stats = (await client.call('Stats', { id })).stats;
    assert.equal(limit(), 128 << 20);
    await refuses(client.call('Update', { id, resources: { type_url: 'x', value: '[' } }), 3);
    await client.call('Pause', { id });
    assert.equal((await client.call('State', { id })).status, 4);
    await refuses(client.call('Pause', { id }), 9);
    const used = () => readFileSync(`/proc/${c.pid}/stat`, 'utf8').split(' ')[13];
    const before = used();
    await sleep(60);
    assert.equal(used(), before, 'it does not run');
    await client.call('Resume', { id });
    assert.equal((await client.call('State', { id })).status, 2);
    await client.call('Pause', { id });
    await client.call('Kill', { id, signal: 9 });
    assert.equal((await client.call('Wait', { id })).exit_status, 137);
    await c.end();
    await host.events.until((e) => e.container_id === id && e.topic === '/tasks/delete');
    assert.deepEqual(host.events.topics(id), ['create', 'start', 'paused', 'resumed', 'paused', 'exit', 'delete']);
    return null;
  },

  async 'a container that takes too much memory is told of'() {
    if (lacks('memory')) return lacks('memory');
    const streams = { stdin: host.fifo('eat-in') };
    const c = await container(program.eat, { streams, resources: { memory: { limit: 256 << 20, swap: 256 << 20 } } });
    await c.client.call('Start', { id: c.id });
    await c.client.call('Update', { id: c.id, resources: { type_url: 'x', value: JSON.stringify({ memory: { limit: 32 << 20, swap: 32 << 20 } }) } });
    const writer = openSync(streams.stdin, constants.O_WRONLY);
    writeSync(writer, 'eat');
    closeSync(writer);
    const ended = await c.client.call('Wait', { id: c.id });
    await c.end();
    assert.equal(ended.exit_status, 137);
    await host.events.until((e) => e.container_id === c.id && e.topic === '/tasks/delete');
    assert.deepEqual(host.events.topics(c.id), ['create', 'start', 'oom', 'exit', 'delete']);
    return null;
  },

  async 'a time limit, and fuel, by annotation'() {
    for (const [annotations, code] of [[{ 'carrel.policy/timeout': '50ms' }, 124], [{ 'carrel.policy/fuel': '1000' }, 134]]) {
      const c = await container(program.spin, { annotations });
      await c.client.call('Start', { id: c.id });
      assert.equal((await c.client.call('Wait', { id: c.id })).exit_status, code);
      await c.end();
    }
  },

  async 'a component that answers HTTP requests serves where an annotation says, and drains'() {
    const ask = (port, path = '/') => fetch(`http://127.0.0.1:${port}${path}`).then((r) => r.text());
    let c = await container(component('hhello'), { refused: true, late: true });
    await assert.rejects(c.created, /carrel.policy\/serve/);
    for (const [annotations, options, text] of [
      [{ 'carrel.policy/serve': '*:18321' }, {}, /network is new and empty/],
      [{ 'carrel.policy/serve': 'here' }, { network: 'host' }, /no address with a port/],
      [{ 'carrel.policy/serve': '*:18321' }, { network: 'host', program: program.hello }, /answers no HTTP requests/],
    ]) {
      c = await container(options.program ?? component('hhello'), { annotations, ...options, refused: true, late: true });
      await assert.rejects(c.created, (e) => { assert.match(e.message, text); return true; });
    }
    for (const signals of [[15], [9], [15, 15]]) {
      c = await container(component('hhello'), { network: 'host', annotations: { 'carrel.policy/serve': '127.0.0.1:18321', 'carrel.policy/request-timeout': '2s' } });
      await c.client.call('Start', { id: c.id });
      const socket = net.connect(18321, '127.0.0.1');
      socket.on('error', () => {});
      await new Promise((done) => socket.on('connect', done));
      assert.match(await ask(18321), /hello/i);
      // Half a request: it is at work while the first signal comes.
      if (signals.length > 1) { socket.write('GET / HTTP/1.1\r\nHost: a\r\n'); await sleep(100); }
      else socket.destroy();
      const wait = c.client.call('Wait', { id: c.id });
      for (const signal of signals) await c.client.call('Kill', { id: c.id, signal });
      assert.equal((await wait).exit_status, signals.length > 1 ? 143 : signals[0] === 9 ? 137 : 0);
      socket.destroy();
      await assert.rejects(ask(18321));
      await c.end();
    }
  },

  async 'what an annotation denies, nothing gives back'() {
    const server = createServer((request, response) => response.end('served'));
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    const origin = `127.0.0.1:${server.address().port}`, http = { 'carrel.policy/http': `http://${origin}` };
    // Answering requests: refused, whatever else is said.
    let c = await container(component('hhello'), { network: 'host', annotations: { 'carrel.policy/serve': '127.0.0.1:18322', 'carrel.policy/deny': 'http.in' }, refused: true, late: true });
    await assert.rejects(c.created, /carrel.policy\/deny denies http.in/);
    // Asking, by its capability and by its origin.
    for (const deny of ['http.out', `http://${origin}`, `http.in http://${origin}`]) {
      c = await container(component('fetch'), { network: 'host', args: ['/module.wasm', 'http', 'GET', origin, '/'], annotations: { ...http, 'carrel.policy/deny': deny } });
      await c.client.call('Start', { id: c.id });
      await c.client.call('Wait', { id: c.id });
      assert.doesNotMatch(await c.output[0], /^status 200$/m, deny);
      await c.end();
    }
    // A directory.
    const folder_ = path.join(folder, 'denied');
    mkdirSync(folder_, { recursive: true });
    writeFileSync(path.join(folder_, 'word'), 'word\n');
    c = await container(program.file, { mounts: [{ destination: '/d', type: 'bind', source: folder_, options: ['rbind'] }], annotations: { 'carrel.policy/dir': '/d', 'carrel.policy/deny': 'dir.read' } });
    await c.client.call('Start', { id: c.id });
    assert.notEqual((await c.client.call('Wait', { id: c.id })).exit_status, 0);
    assert.equal(await c.output[0], '');
    await c.end();
    server.close();
    server.closeAllConnections();
  },

  async 'how it serves is said by annotations, too'() {
    const annotations = { 'carrel.policy/serve': '127.0.0.1:18323', 'carrel.policy/max-body': '1K', 'carrel.policy/max-requests': '2', 'carrel.policy/request-timeout': '200ms', 'carrel.policy/walls': 'fresh', 'carrel.policy/timezone': 'UTC', 'carrel.policy/config': 'greeting=hello there\nempty=\n' };
    const c = await container(component('hecho'), { network: 'host', annotations });
    await c.client.call('Start', { id: c.id });
    const ask = (body) => fetch('http://127.0.0.1:18323/', { method: 'POST', body }).then((r) => r.status);
    assert.equal(await ask('x'.repeat(1000)), 200);
    assert.equal(await ask('x'.repeat(3000)), 413);
    const half = net.connect(18323, '127.0.0.1', () => half.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345'));
    half.on('error', () => {});
    half.resume();
    await new Promise((done) => half.on('close', done)); // its time is over
    assert.equal(await ask('x'), 200);
    await c.client.call('Kill', { id: c.id, signal: 9 });
    await c.client.call('Wait', { id: c.id });
    await c.end();
  },

  async 'sockets and their rules'() {
    const server = net.createServer((socket) => { socket.on('error', () => {}); socket.on('data', (data) => socket.end(data)); });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    const port = String(server.address().port);
    for (const [rules, deny, reaches] of [[`connect=127.0.0.1:${port}`, '', true], ['connect=127.0.0.1:1', '', false], [`connect=127.0.0.1:${port}`, 'net.tcp', false], [`connect=127.0.0.1:${port}`, 'connect=127.0.0.0/8:*', false]]) {
      const c = await container(component('tcpclient'), { network: 'host', args: ['/module.wasm', port, 'hello tcp'], annotations: { 'carrel.policy/net': rules, ...(deny && { 'carrel.policy/deny': deny }) } });
      await c.client.call('Start', { id: c.id });
      const code = (await c.client.call('Wait', { id: c.id })).exit_status;
      assert.equal(code === 0, reaches, `${rules} ${deny}: ${code} ${await c.output[0]} ${await c.output[1]}`);
      await c.end();
    }
    server.close();
  },

  async 'origins that an annotation names can be asked by HTTP, and no others'() {
    const server = createServer((request, response) => response.end('served'));
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    const origin = `127.0.0.1:${server.address().port}`;
    for (const [http, text] of [[`http://${origin}`, /^status 200$/m], ['http://127.0.0.1:1', /denied|refused|error|err=/i]]) {
      const c = await container(component('fetch'), { network: 'host', args: ['/module.wasm', 'http', 'GET', origin, '/'], annotations: { 'carrel.policy/http': http } });
      await c.client.call('Start', { id: c.id });
      await c.client.call('Wait', { id: c.id });
      assert.match(await c.output[0], text);
      assert.equal(/^status 200$/m.test(await c.output[0]), http.includes(origin));
      await c.end();
    }
    server.close();
    server.closeAllConnections();
  },

  async 'an exec calls an export, and nothing else'() {
    const greet = new URL('../data/echo.wasm', import.meta.url).pathname;
    const c = await container(program.spin);
    await c.client.call('Start', { id: c.id });
    await refuses(c.client.call('Exec', { id: c.id, exec_id: 'sh', spec: { type_url: 'x', value: JSON.stringify({ args: ['/bin/sh'], cwd: '/' }) } }), 3, /no Linux program/);
    await refuses(c.client.call('Exec', { id: c.id, exec_id: 'sh', spec: { type_url: 'x', value: 'x' } }), 3);
    await refuses(c.client.call('State', { id: c.id, exec_id: 'sh' }), 5);
    const stdout = host.fifo('exec-out'), output = drain(stdout);
    await c.client.call('Exec', { id: c.id, exec_id: 'e1', stdout, spec: { type_url: 'x', value: JSON.stringify({ args: ['_start()'], cwd: '/' }) } });
    assert.equal((await c.client.call('State', { id: c.id, exec_id: 'e1' })).status, 1);
    const started = await c.client.call('Start', { id: c.id, exec_id: 'e1' });
    assert.ok(alive(started.pid));
    const ended = c.client.call('Wait', { id: c.id, exec_id: 'e1' });
    await c.client.call('Kill', { id: c.id, exec_id: 'e1', signal: 15 });
    const code = (await ended).exit_status;
    assert.ok(code === 143 || code === 126 || code === 125, `${code}`);
    await output;
    await c.client.call('Delete', { id: c.id, exec_id: 'e1' });
    await refuses(c.client.call('State', { id: c.id, exec_id: 'e1' }), 5);
    await c.client.call('Kill', { id: c.id, signal: 9 });
    await c.client.call('Wait', { id: c.id });
    await c.end();
    void greet;
    await host.events.until((e) => e.container_id === c.id && e.topic === '/tasks/delete');
    assert.deepEqual(host.events.topics(c.id), ['create', 'start', 'exec-added', 'exec-started', 'exit', 'exit', 'delete']);
  },

  async 'an annotation calls an export of a component'() {
    const echo = new URL('../data/echo.wasm', import.meta.url).pathname;
    const c = await container(echo, { annotations: { 'carrel.policy/invoke': 'u8(7)' } });
    await c.client.call('Start', { id: c.id });
    const code = (await c.client.call('Wait', { id: c.id })).exit_status;
    assert.deepEqual([code, await c.output[0], await c.output[1]], [0, '7\n', '']);
    await c.end();
    // What an interface exports is called by its bare name, too.
    const nested = await container(component('words'), { annotations: { 'carrel.policy/invoke': 'run()' } });
    await nested.client.call('Start', { id: nested.id });
    assert.equal((await nested.client.call('Wait', { id: nested.id })).exit_status, 0);
    await nested.end();
    // What is no call, or of nothing that it exports, is so before it is started.
    for (const [call, text] of [['u8', /'u8' is no call/], ['', /is no call/], ['u9(7)', /exports no function 'u9'/], [' u88 (7)', /exports no function 'u88'/], ['()', /exports no function ''/]]) {
      const none = await container(echo, { annotations: { 'carrel.policy/invoke': call }, refused: true, late: true });
      await refuses(none.created, 3, text);
      await none.client.call('Shutdown', { id: none.id });
      await host.remove(none.id, none.bundle);
    }
  },

  async 'the audit of what was derived lies in the bundle'() {
    const c = await container(program.hello);
    for (let i = 0; i < 100 && !existsSync(path.join(c.bundle, 'carrel-audit.json')); i++) await sleep(20);
    const audit = JSON.parse(readFileSync(path.join(c.bundle, 'carrel-audit.json'), 'utf8'));
    assert.ok(JSON.stringify(audit).includes('stdout'));
    await c.end();
  },

  async 'the audit of what was derived is a line of the log'() {
    const c = await container(program.file), part = Buffer.alloc(65536), log = host.logs.at(-1);
    let line = null;
    for (let i = 0, text = ''; i < 500 && !line; i++) {
      try { text += part.toString('utf8', 0, readSync(log, part)); } catch (e) { assert.equal(e.code, 'EAGAIN'); await sleep(20); }
      line = text.match(/level=info msg="the component asks for: (.*); it is given: (.*); see (.*)" id=(\S+) /);
    }
    assert.ok(line, 'no such line');
    const [asked, given] = [line[1], line[2]].map((words) => words.split(' '));
    assert.ok(asked.includes('dir.read') && !given.includes('dir.read') && given.includes('stdout'), line[0]);
    assert.deepEqual(given.filter((word) => !asked.includes(word)), []);
    assert.deepEqual(line.slice(3), [path.join(c.bundle, 'carrel-audit.json'), c.id]);
    await c.end();
  },

  async 'a bind mount is a directory only if an annotation names it'() {
    const folders = ['one', 'two'].map((name) => path.join(folder, name));
    for (const name of folders) {
      mkdirSync(name, { recursive: true });
      writeFileSync(path.join(name, 'word'), `${path.basename(name)}\n`);
    }
    const mounts = folders.map((source) => ({ destination: `/${path.basename(source)}`, type: 'bind', source, options: ['rbind', 'ro'] }));
    for (const [annotations, code, text] of [[{}, 8, ''], [{ 'carrel.policy/dir': '/two' }, 0, 'two\n'], [{ 'carrel.policy/dir': ' /one:ro /two ' }, 0, 'one\n']]) {
      const c = await container(program.file, { mounts, annotations });
      await c.client.call('Start', { id: c.id });
      assert.equal((await c.client.call('Wait', { id: c.id })).exit_status, code);
      assert.equal(await c.output[0], text);
      await c.end();
    }
  },

  async 'a pod: one shim, a process that holds its namespaces, containers that come and go'() {
    const annotations = { 'io.kubernetes.cri.container-type': 'sandbox', 'io.kubernetes.cri.sandbox-id': 'pod1' };
    const pod = await container(null, { annotations, args: ['/pause'], streams: {} });
    await pod.client.call('Start', { id: pod.id });
    assert.match(readFileSync(`/proc/${pod.pid}/cmdline`, 'utf8'), /carrel-pause/);
    for (const name of ['net', 'ipc', 'uts'])
      assert.notEqual((await import('node:fs')).readlinkSync(`/proc/${pod.pid}/ns/${name}`), (await import('node:fs')).readlinkSync(`/proc/self/ns/${name}`), name);
    await refuses(pod.client.call('Exec', { id: pod.id, exec_id: 'e', spec: { type_url: 'x', value: '{}' } }), 12);
    const inner = [];
    for (const i of [1, 2]) {
      const id = `pod1-${i}`;
      const bundle = host.bundle(id, program.spin, { annotations: { 'io.kubernetes.cri.container-type': 'container', 'io.kubernetes.cri.sandbox-id': 'pod1' }, network: `/proc/${pod.pid}/ns/net` });
      assert.equal(await host.start(id, bundle), pod.address, 'the same shim');
      await pod.client.call('Create', { id, bundle });
      await pod.client.call('Start', { id });
      inner.push({ id, bundle });
    }
    await pod.client.call('Kill', { id: 'pod1-1', signal: 9 });
    assert.equal((await pod.client.call('Wait', { id: 'pod1-1' })).exit_status, 137);
    await pod.client.call('Delete', { id: 'pod1-1' });
    await pod.client.call('Shutdown', { id: 'pod1-1' });
    await host.remove('pod1-1', inner[0].bundle);
    assert.equal((await pod.client.call('State', { id: 'pod1-2' })).status, 2, 'the other is still there');
    await pod.client.call('Kill', { id: 'pod1-2', signal: 9 });
    await pod.client.call('Wait', { id: 'pod1-2' });
    await pod.client.call('Delete', { id: 'pod1-2' });
    await pod.client.call('Kill', { id: pod.id, signal: 15 });
    assert.equal((await pod.client.call('Wait', { id: pod.id })).exit_status, 143);
    await pod.end();
  },

  async 'kill -9 of the shim: its cells die, and delete removes the rest'() {
    const c = await container(program.spin);
    await c.client.call('Start', { id: c.id });
    const shimPid = (await c.client.call('Connect', { id: c.id })).shim_pid;
    process.kill(shimPid, 'SIGKILL');
    await c.client.closed;
    for (let i = 0; i < 200 && alive(c.pid); i++) await sleep(5);
    assert.ok(!alive(c.pid));
    const deleted = await host.remove(c.id, c.bundle);
    assert.equal(deleted.exit_status, 137);
    assert.ok(!existsSync(c.address.replace('unix://', '')));
  },

  async 'kill -9 of a cell is an end like another'() {
    const c = await container(program.spin);
    await c.client.call('Start', { id: c.id });
    process.kill(c.pid, 'SIGKILL');
    assert.equal((await c.client.call('Wait', { id: c.id })).exit_status, 137);
    await c.end();
  },

  async 'events wait for a containerd that is restarted, and are told again if refused'() {
    const c = await container(program.spin);
    await c.client.call('Start', { id: c.id });
    await host.events.until((e) => e.container_id === c.id && e.topic === '/tasks/start');
    await host.events.stop();
    await c.client.call('Kill', { id: c.id, signal: 15 });
    await c.client.call('Wait', { id: c.id });
    await c.client.call('Delete', { id: c.id });
    await sleep(150);
    host.events.refuse = 2;
    await host.events.start();
    await host.events.until((e) => e.container_id === c.id && e.topic === '/tasks/delete');
    assert.deepEqual(host.events.topics(c.id), ['create', 'start', 'exit', 'delete']);
    await c.client.call('Shutdown', { id: c.id });
    await c.client.closed;
  },

  async 'what the program says of itself'() {
    assert.match(execFileSync(shim, ['-v']).toString(), /^containerd-shim-carrel-v1:\n  Version:/);
    const info = proto.decode({ name: [1, 's'], version: [2, { version: [1, 's'] }] }, execFileSync(shim, ['-info'], { input: '' }));
    assert.equal(info.name, 'io.containerd.carrel.v1');
    assert.match(info.version.version, /^\d/);
    for (const args of [['-wrong'], ['-id'], []]) assert.throws(() => execFileSync(shim, args, { stdio: 'ignore' }));
  },

  async 'version 3: a bootstrap in JSON, and the same service under its name'() {
    const c = await container(program.hello, { version: 3 });
    assert.deepEqual(Object.keys(JSON.parse(c.address)), ['version', 'address', 'protocol']);
    assert.equal(JSON.parse(c.address).version, 3);
    await c.client.call('Start', { id: c.id });
    assert.equal((await c.client.call('Wait', { id: c.id })).exit_status, 0);
    await c.client.call('Delete', { id: c.id });
    await c.client.call('Shutdown', { id: c.id });
    await c.client.closed;
  },

  async 'what is no frame ends its connection, and no other'() {
    const c = await container(program.spin);
    for (const bytes of [Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.alloc(100, 0xff)]) {
      const socket = net.connect(c.address.replace('unix://', ''));
      socket.on('error', () => {});
      const closed = new Promise((done) => socket.on('close', done));
      socket.on('connect', () => socket.end(bytes));
      socket.resume();
      await closed;
    }
    const slow = await Client.connect(c.address);
    for (const byte of proto.frame(1, 1, proto.encode(proto.request, { service: 'containerd.task.v2.Task', method: 'Connect', payload: '' }))) {
      slow.socket.write(Buffer.from([byte]));
      await sleep(0);
    }
    slow.close();
    await c.client.call('Kill', { id: c.id, signal: 9 });
    assert.equal((await c.client.call('State', { id: c.id })).id, c.id);
    await c.client.call('Wait', { id: c.id });
    await c.end();
  },
};

await playAll(tests);
