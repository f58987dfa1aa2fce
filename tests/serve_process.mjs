// `carrel serve --isolation=process`: a process for each request, what it shares with others (nothing that
// one of them brought), and what the server outlives.
//
//   node tests/serve_process.mjs FOLDER [--as USER_ID] [--carrel FILE] [--only REGEXP] [--verbose]
//
// FOLDER holds the components hhello, hecho and hstatus. The last line is `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { play_runs, read_options, set_up } from './carrel.mjs';
import { claim, connect, same, sleep, statuses, talk, unchunked } from './wire.mjs';

const { options, folder } = read_options(
  'node tests/serve_process.mjs FOLDER [--as USER_ID] [--carrel FILE] [--only REGEXP]',
  { verbose: { type: 'boolean', default: false } });
const { place, serve } = set_up(options, 'serve-process-');

const servers = new Map();
const server = (name, ...flags) => {
  const key = [name, ...flags].join(' ');
  if (!servers.has(key)) servers.set(key, serve(['--isolation', 'process', ...flags, place(path.join(folder, `${name}.wasm`))]));
  return servers.get(key);
};
const get = (target, ...lines) => ['GET ' + target + ' HTTP/1.1', 'Host: a', ...lines, '', ''].join('\r\n');
const status = async (one, target = '/') => statuses((await talk(one.port, get(target))).text);
const children = pid => fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter(Boolean).map(Number);
const cell = one => children(one.child.pid).at(-1); // of the shim's children, the one that serves

// Does the memory of a process hold `text`? undefined: it may not be looked at.
const holds = (pid, text) => {
  let memory;
  try { memory = fs.openSync(`/proc/${pid}/mem`, 'r'); } catch { return undefined; }
  for (const line of fs.readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n')) {
    const range = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line);
    if (!range) continue;
    const chunk = Buffer.alloc(1 << 20);
    const begin = Number.parseInt(range[1], 16), end = Number.parseInt(range[2], 16);
    if (end - begin > 1 << 30) { // the arena: only what is there
      const pages = fs.openSync(`/proc/${pid}/pagemap`, 'r'), entry = Buffer.alloc(8 << 17);
      for (let at = begin; at < end; at += 4096 << 17) {
        const size = fs.readSync(pages, entry, 0, entry.length, at / 4096 * 8);
        for (let i = 0; i < size; i += 8)
          if (entry[i + 7] & 0x80 && at + i * 512 < end) {
            const got = fs.readSync(memory, chunk, 0, 4096, at + i * 512);
            if (chunk.subarray(0, got).includes(text)) return true;
          }
      }
      fs.closeSync(pages);
      continue;
    }
    for (let at = begin; at < end; at += chunk.length) {
      const got = fs.readSync(memory, chunk, 0, Math.min(chunk.length, end - at), at);
      if (chunk.subarray(0, got).includes(text)) return true;
    }
  }
  return false;
};

const tests = [];
const test = (name, run) => tests.push({ name, run });

test('one request a connection, which says so', async () => {
  const one = await server('hhello');
  const { text, closed } = await talk(one.port, get('/1') + get('/2'));
  same([...text.matchAll(/hello GET (\S+)/g)].map(found => found[1]), ['/1']);
  claim(closed && /\r\nConnection: close\r\n/.test(text), text);
});
test('a body both ways', async () => {
  const one = await server('hecho');
  const body = 'abcdefgh'.repeat(100000);
  const { text } = await talk(one.port, ['POST / HTTP/1.1', 'Host: a', `Content-Length: ${body.length}`, '', body].join('\r\n'));
  same(statuses(text), [200]);
  claim(unchunked(text) === body, 'another body');
});
test('many at once', async () => {
  const one = await server('hhello', '--max-requests', '4');
  const all = await Promise.all(Array.from({ length: 40 }, () => talk(one.port, get('/'), undefined, 30000)));
  same(all.map(({ text }) => statuses(text)[0]), Array(40).fill(200));
});
test('a trap, a loop, all the memory that there is: the server goes on', async () => {
  const one = await server('hstatus', '--request-timeout', '1s');
  for (let i = 0; i < 3; i++) same(await status(one, '/trap'), [500]);
  same(await status(one, '/loop'), [504]);
  await talk(one.port, get('/grow'));
  same(await status(one, '/s/200'), [200]);
  claim(/a request ended in a trap/.test(one.log), one.log);
});
test('a process that is killed ends one request', async () => {
  const one = await server('hstatus', '--max-requests', '2');
  const busy = await connect(one.port);
  busy.send(get('/slow'));
  await busy.until(got => got.text.length);
  const [copy] = children(cell(one));
  const other = await connect(one.port);
  other.send(get('/slow'));
  await other.until(got => got.text.length);
  spawnSync('kill', ['-9', String(copy)]);
  await busy.until(got => got.closed);
  claim(busy.closed && !busy.text.endsWith('0\r\n\r\n'), 'it goes on');
  await other.until(got => got.text.endsWith('0\r\n\r\n'));
  claim(/1\r\n2\r\n0\r\n\r\n$/.test(other.text), other.text);
  same(await status(one, '/s/200'), [200]);
});
test('heads that do not come whole hold no process', async () => {
  const one = await server('hhello', '--max-requests', '1');
  const slow = await Promise.all(Array.from({ length: 50 }, () => connect(one.port)));
  for (const each of slow) each.send('GET /slow HTTP/1.1\r\nHost: a\r\n');
  await sleep(100);
  same(children(cell(one)), [], 'processes');
  same(await status(one), [200]);
  slow[0].send('\r\n');
  await slow[0].until(got => got.closed);
  claim(/hello GET \/slow/.test(slow[0].text), slow[0].text);
  for (const each of slow) each.socket.destroy();
});
test('HTTP/2 is sent away', async () => {
  const one = await server('hhello');
  const { text } = await talk(one.port, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
  claim(Buffer.from(text, 'latin1').subarray(-17).equals(Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 13])), text);
});
test('nothing of a request is left with the server', async () => {
  const one = await server('hecho', '--max-requests', '8');
  const secret = `secret-${Math.random()}-${Date.now()}`;
  const { text } = await talk(one.port,
    ['POST / HTTP/1.1', 'Host: a', `X-Secret: ${secret}`, `Content-Length: ${secret.length}`, '', secret].join('\r\n'));
  claim(text.endsWith(secret) || unchunked(text) === secret, text);
  claim(holds(cell(one), secret) !== true, 'it is in the memory that the next process is copied from');
  claim(holds(cell(one), 'carrel') !== false, 'nothing is found at all'); // what is surely there
});
test('told to end, it ends what it has begun', async () => {
  const one = await serve(['--isolation', 'process', place(path.join(folder, 'hstatus.wasm'))]);
  const idle = await connect(one.port);
  const busy = await connect(one.port);
  busy.send(get('/slow'));
  await busy.until(got => got.text.length);
  one.child.ref(); // it is waited for
  const ended = new Promise(resolve => one.child.once('exit', (code, signal) => resolve(code ?? signal)));
  one.child.kill('SIGTERM');
  await busy.until(got => got.text.endsWith('0\r\n\r\n'));
  claim(/1\r\n2\r\n0\r\n\r\n$/.test(busy.text), busy.text);
  same(await ended, 0, 'it ended with');
  await idle.until(got => got.closed);
  claim(idle.closed, 'an idle connection stays open');
});
test('numbers of all processes, while all are busy', async () => {
  const one = await serve(['--isolation', 'process', '--max-requests', '1', '--metrics', '127.0.0.1:0', place(path.join(folder, 'hstatus.wasm'))]);
  const watch = { port: Number(/health at http:\/\/127\.0\.0\.1:(\d+)/.exec(one.log)[1]) };
  same(await status(one, '/s/200'), [200]);
  same(await status(one, '/s/404'), [404]);
  const busy = await connect(one.port);
  busy.send(get('/slow'));
  await busy.until(got => got.text.length);
  const { text } = await talk(watch.port, get('/metrics'));
  for (const wanted of ['carrel_requests_total{code="2xx"} 1\n', 'carrel_requests_total{code="4xx"} 1\n'])
    claim(text.includes(wanted), text);
  busy.socket.destroy();
});
test('what it does not go with', async () => {
  const { status: code, stderr } = spawnSync(options.carrel, ['serve', '--isolation', 'process', '--max-requests', '1000', 'x.wasm']);
  same(code, 125, 'exit code');
  claim(/at most 250/.test(String(stderr)), String(stderr));
});

await play_runs(tests, options);
