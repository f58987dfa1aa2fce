// What the tests of the task service share: shims with one container each, what they are refused, and what they
// leave behind. Arguments of the program that imports it: SHIM FOLDER [WORD...].
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { CallError, Client, drain, Host } from './driver.mjs';
import { finish, play } from './play.mjs';
import { programs } from './programs.mjs';

export const [shim, folder, ...only] = process.argv.slice(2);
export const program = programs(path.join(folder, 'programs'));
export const host = new Host(folder, shim);
await host.events.start();

// A component of tests/components, as the build made it.
export const component = (name) => path.join(path.dirname(shim), 'test/components', `${name}.wasm`);
export const alive = (pid) => existsSync(`/proc/${pid}`) && !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
export const refuses = (promise, code, text) => assert.rejects(promise, (e) => {
  assert.ok(e instanceof CallError, `${e}`);
  assert.equal(e.code, code, e.message);
  if (text) assert.match(e.message, text);
  return true;
});
let number = 0;
export const fresh = () => `c${++number}`;
const shims = new Set();

// A shim with one container, from `start` to Create; `end` deletes and shuts down.
export async function container(component, options = {}) {
  const id = fresh();
  const bundle = host.bundle(id, component, options);
  const address = await host.start(id, bundle, options.version);
  const client = await Client.connect(address.startsWith('{') ? JSON.parse(address).address : address, options.version);
  shims.add((await client.call('Connect', { id })).shim_pid);
  const streams = options.streams ?? { stdout: host.fifo(`${id}-out`), stderr: host.fifo(`${id}-err`) };
  const output = [streams.stdout, streams.stderr].map((file) => !file || file.includes(':') || options.late ? Promise.resolve('') : drain(file));
  const c = { id, bundle, client, address, output, streams };
  c.created = client.call('Create', { id, bundle, rootfs: options.rootfs ?? [], terminal: options.terminal ?? false, ...streams });
  if (options.refused) return c;
  c.pid = (await c.created).pid;
  c.end = async () => {
    const deleted = await client.call('Delete', { id });
    await client.call('Shutdown', { id });
    await client.closed;
    assert.ok(!existsSync(address.replace('unix://', '')), 'the socket is gone');
    await host.remove(id, bundle);
    return deleted;
  };
  return c;
}

// Why a test of limits by one of the words cannot be: version 2 of control groups has only the controllers that no
// hierarchy of version 1 has taken. null: it can be.
export function lacks(...words) {
  const file = '/sys/fs/cgroup/cgroup.controllers';
  const has = existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ') : words;
  const missing = words.filter((word) => !has.includes(word));
  return missing.length ? `version 2 of control groups has no ${missing.join(', ')} here` : null;
}

// Groups that are left.
function groups() {
  const places = existsSync('/sys/fs/cgroup/cgroup.controllers') ? ['/sys/fs/cgroup'] : readdirSync('/sys/fs/cgroup').map((n) => `/sys/fs/cgroup/${n}`);
  return places.filter((place) => existsSync(`${place}/${host.group}`)).flatMap((place) => readdirSync(`${place}/${host.group}`, { withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => `${place}/${host.group}/${e.name}`));
}

const known = new Set();
// A test with its end: what takes longer hangs.
const timed = (test, seconds) => async () => {
  let timer;
  const late = new Promise((_, fail) => { timer = setTimeout(() => fail(new Error(`no end within ${seconds} s`)), seconds * 1000); });
  return Promise.race([test(), late]).finally(() => clearTimeout(timer));
};
function no_groups_left() {
  const left = groups().filter((g) => !known.has(g));
  for (const g of left) known.add(g);
  assert.deepEqual(left, [], 'control groups are left');
}
// Plays them, and ends the program.
export async function playAll(tests, seconds = 20) {
  await play(Object.fromEntries(Object.entries(tests).map(([name, test]) => [name, timed(test, seconds)])), { only, after: no_groups_left });
  // What a test that failed has left.
  for (const pid of shims) {
    if (alive(pid)) process.kill(pid, 'SIGKILL');
  }
  await host.events.stop();
  host.end();
  finish();
}
