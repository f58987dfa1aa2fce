// How `carrel serve` speaks HTTP/1.1, byte by byte: what is refused so that no request can be smuggled
// past or into another, what one connection may do to others, and what ends a request but no server.
//
//   node tests/serve.mjs FOLDER [--as USER_ID] [--carrel FILE] [--only REGEXP] [--verbose]
//
// FOLDER holds the components hhello, hecho and hstatus. The last line is `N passed, N failed, N skipped`.
import { execSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { play_runs, read_options, set_up } from './carrel.mjs';
import { lengthen } from './lengthen.mjs';
import { claim, connect, private_memory, same, sleep, statuses, talk, unchunked } from './wire.mjs';

const { options, folder } = read_options(
  'node tests/serve.mjs FOLDER [--as USER_ID] [--carrel FILE] [--only REGEXP]',
  { verbose: { type: 'boolean', default: false } });
const { work, carrel, user, place, serve } = set_up(options, 'serve-');
const here = path.dirname(fileURLToPath(import.meta.url));

const servers = new Map();
const server = (name, ...flags) => {
  const key = [name, ...flags].join(' ');
  const file = name.endsWith('.wasm') ? path.join(here, 'data', name) : path.join(folder, `${name}.wasm`);
  if (!servers.has(key)) servers.set(key, serve([...flags, place(file)]));
  return servers.get(key);
};

const get = (target, ...lines) => ['GET ' + target + ' HTTP/1.1', 'Host: a', ...lines, '', ''].join('\r\n');
const post = (body, ...lines) => ['POST / HTTP/1.1', 'Host: a', ...lines, '', body].join('\r\n');
const last = get('/last', 'Connection: close');

// The server still answers.
const alive = async (one, target = '/') => {
  const { text } = await talk(one.port, get(target, 'Connection: close'));
  same(statuses(text), [200], 'the server answers others with');
};

const tests = [];
const test = (name, run) => tests.push({ name, run });

// --- Refused: one answer, and nothing that follows is looked at ------------------------------------------

const refused = (name, status, text) => test(`refused: ${name}`, async () => {
  const one = await server('hecho');
  const got = await talk(one.port, text + post('smuggled', 'Content-Length: 8'));
  same(statuses(got.text), [status], 'statuses');
  claim(got.closed, 'the connection stays open');
  claim(!got.text.includes('smuggled'), 'what followed was answered');
});

refused('length and coding', 400, post('0\r\n\r\n', 'Content-Length: 5', 'Transfer-Encoding: chunked'));
refused('coding and length', 400, post('0\r\n\r\n', 'Transfer-Encoding: chunked', 'Content-Length: 5'));
refused('two lengths', 400, post('abc', 'Content-Length: 3', 'Content-Length: 5'));
refused('the same length twice', 400, post('abc', 'Content-Length: 3', 'Content-Length: 3'));
refused('a list of lengths', 400, post('abc', 'Content-Length: 3, 3'));
refused('a length with a sign', 400, post('abc', 'Content-Length: +3'));
refused('a negative length', 400, post('abc', 'Content-Length: -3'));
refused('a length in hexadecimal', 400, post('abc', 'Content-Length: 0x3'));
refused('an empty length', 400, post('abc', 'Content-Length:'));
refused('a length of 2^64 + 3', 400, post('abc', 'Content-Length: 18446744073709551619'));
refused('a coding that has no end', 400, post('abc', 'Transfer-Encoding: gzip'));
refused('an unknown coding', 501, post('0\r\n\r\n', 'Transfer-Encoding: gzip, chunked'));
refused('chunked before another coding', 400, post('abc', 'Transfer-Encoding: chunked, gzip'));
refused('chunked twice', 400, post('0\r\n\r\n', 'Transfer-Encoding: chunked, chunked'));
refused('something like chunked', 400, post('0\r\n\r\n', 'Transfer-Encoding: xchunked'));
refused('a vertical tab before chunked', 400, post('0\r\n\r\n', 'Transfer-Encoding: \x0bchunked'));
refused('a coding in 1.0', 400, 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n');
refused('a blank before the colon', 400, post('abc', 'Content-Length : 3'));
refused('a tab before the colon', 400, post('abc', 'Content-Length\t: 3'));
refused('a blank before the name', 400, post('abc', ' Content-Length: 3'));
refused('a folded line', 400, post('abc', 'X: a', ' b', 'Content-Length: 3'));
refused('lines that end in LF', 400, 'POST / HTTP/1.1\nHost: a\nContent-Length: 3\n\nabc');
refused('one line that ends in LF', 400, 'GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n');
refused('CR in a value', 400, get('/', 'X: a\rb'));
refused('NUL in a value', 400, get('/', 'X: a\0b'));
refused('NUL in a name', 400, get('/', 'X\0: a'));
refused('an empty name', 400, get('/', ': a'));
refused('a line without colon', 400, get('/', 'X'));
refused('no Host', 400, 'GET / HTTP/1.1\r\n\r\n');
refused('two Hosts', 400, 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
refused('a Host that is none', 400, 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n');
refused('a version of the future', 505, 'GET / HTTP/2.0\r\nHost: a\r\n\r\n');
refused('no version', 400, 'GET /\r\n\r\n');
refused('two blanks', 400, 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n');
refused('a method that is no token', 400, 'GE(T / HTTP/1.1\r\nHost: a\r\n\r\n');
refused('a target that is none', 400, 'GET a HTTP/1.1\r\nHost: a\r\n\r\n');
refused('a target of 20000 bytes', 414, get('/' + 'a'.repeat(20000)));
refused('a field of 70000 bytes', 431, get('/', 'X: ' + 'a'.repeat(70000)));
refused('300 fields', 431, get('/', ...Array.from({ length: 300 }, (_, i) => `X-${i}: a`)));
refused('an expectation of something else', 417, post('abc', 'Content-Length: 3', 'Expect: miracles'));
refused('a tunnel', 501, 'CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n');
refused('TLS', 400, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n');

// --- Bodies that are none: the response may have begun, but it never ends as if all were well -------------

const spoilt = (name, body) => test(`spoilt: ${name}`, async () => {
  const one = await server('hecho');
  const got = await talk(one.port, post(body + post('smuggled', 'Content-Length: 8'), 'Transfer-Encoding: chunked'));
  claim(got.closed, 'the connection stays open');
  claim(statuses(got.text).length <= 1, `statuses ${statuses(got.text)}`);
  claim(!got.text.endsWith('0\r\n\r\n') || !/200/.test(got.text) || !/smuggled/.test(got.text), 'the response says that all is well');
  await alive(one);
});
spoilt('a chunk size that is none', 'xyz\r\nabc\r\n0\r\n\r\n');
spoilt('a chunk size with 0x', '0x3\r\nabc\r\n0\r\n\r\n');
spoilt('a chunk size with a sign', '+3\r\nabc\r\n0\r\n\r\n');
spoilt('a chunk size beyond 2^64', '10000000000000003\r\nabc\r\n0\r\n\r\n');
spoilt('a chunk that is longer than it says', '3\r\nabcd\r\n0\r\n\r\n');
spoilt('a chunk that ends in LF', '3\r\nabc\n0\r\n\r\n');
spoilt('a size line that ends in LF', '3\nabc\r\n0\r\n\r\n');
spoilt('an extension of 20000 bytes', '3;' + 'a'.repeat(20000) + '\r\nabc\r\n0\r\n\r\n');
spoilt('a trailer of 70000 bytes', '3\r\nabc\r\n0\r\nX: ' + 'a'.repeat(70000) + '\r\n\r\n');
spoilt('a trailer that is folded', '3\r\nabc\r\n0\r\nX: a\r\n b\r\n\r\n');

// --- What has to work -------------------------------------------------------------------------------------

test('requests in a row are answered in their order', async () => {
  const one = await server('hhello');
  const { text } = await talk(one.port, get('/1') + get('/2') + get('/3') + last);
  same([...text.matchAll(/hello GET (\S+)/g)].map(found => found[1]), ['/1', '/2', '/3', '/last']);
});
test('hundreds in a row', async () => {
  const one = await server('hhello');
  const { text } = await talk(one.port, get('/x').repeat(500) + last);
  same(statuses(text).length, 501);
});
test('a byte at a time', async () => {
  const one = await server('hecho');
  const state = await connect(one.port);
  for (const byte of post('3\r\nabc\r\n0\r\n\r\n', 'Transfer-Encoding: chunked', 'Connection: close')) {
    state.send(byte);
    await sleep(1);
  }
  await state.until(got => got.closed);
  claim(unchunked(state.text) === 'abc', state.text);
  state.socket.destroy();
});
test('HEAD has no body', async () => {
  const one = await server('hhello');
  const { text } = await talk(one.port, 'HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n' + last);
  same(statuses(text), [200, 200]);
  claim(!text.includes('hello HEAD') && text.includes('Content-Length: 14'), text);
});
test('1.0 closes', async () => {
  const one = await server('hhello');
  const { text, closed } = await talk(one.port, 'GET /1 HTTP/1.0\r\n\r\n' + get('/2'));
  same(statuses(text), [200]);
  claim(closed && !/chunked/.test(text), 'the connection stays open');
});
test('1.0 with keep-alive goes on', async () => {
  const one = await server('hhello');
  const { text } = await talk(one.port, 'GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n' + last);
  same(statuses(text), [200, 200]);
  claim(/Connection: keep-alive/.test(text), text);
});
test('1.0 has no chunks', async () => {
  const one = await server('hstatus');
  const { text } = await talk(one.port, 'GET /slow HTTP/1.0\r\n\r\n');
  claim(!/chunked/i.test(text) && text.endsWith('\r\n\r\n012'), text);
});
test('100 (Continue) where the body is wanted', async () => {
  const one = await server('hecho');
  const state = await connect(one.port);
  state.send(post('', 'Content-Length: 3', 'Expect: 100-continue'));
  await state.until(got => /100 Continue\r\n\r\n/.test(got.text));
  same(statuses(state.text)[0], 100);
  state.send('abc');
  await state.until(got => got.text.endsWith('abc') || /\r\nabc\r\n/.test(got.text));
  same(statuses(state.text), [100, 200]);
  state.socket.destroy();
});
test('no 100 (Continue) where it is not, and then the connection ends', async () => {
  const one = await server('hhello');
  const { text, closed } = await talk(one.port, post('', 'Content-Length: 3', 'Expect: 100-continue'));
  same(statuses(text), [200]);
  claim(closed && /Connection: close/.test(text), text);
});
for (const [target, status] of [['/trap', 500], ['/loop', 504]])
  test(`no 100 (Continue) where ${status} is the answer, and then the connection ends`, async () => {
    const one = await server('hstatus', '--request-timeout', '2s');
    const { text, closed } = await talk(one.port, post(get('/s/200'), 'Content-Length: 3', 'Expect: 100-continue').replace('/', target));
    same(statuses(text), [status]);
    claim(closed && /Connection: close/.test(text), text);
  });
test('a body that nobody reads is passed over', async () => {
  const one = await server('hhello');
  const { text } = await talk(one.port, post('abc', 'Content-Length: 3') + post('3\r\nabc\r\n0\r\nX: y\r\n\r\n', 'Transfer-Encoding: chunked') + last);
  same(statuses(text), [200, 200, 200]);
});
test('trailers and extensions', async () => {
  const one = await server('hecho');
  const { text } = await talk(one.port, post('3;a=b\r\nabc\r\n003 ;c\r\ndef\r\n0\r\nX: y\r\n\r\n', 'Transfer-Encoding: chunked', 'Connection: close'));
  same(unchunked(text), 'abcdef');
});
test('an upgrade is not done', async () => {
  const one = await server('hhello');
  const { text } = await talk(one.port, get('/1', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__') + last);
  same(statuses(text), [200, 200]);
});
test('an absolute target', async () => {
  const one = await server('hhello');
  const { text } = await talk(one.port, 'GET http://b/x?y HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n');
  claim(text.includes('hello GET /x?y'), text);
});
test('empty lines before a request', async () => {
  const one = await server('hhello');
  const { text } = await talk(one.port, '\r\n\r\n' + last);
  same(statuses(text), [200]);
});
test('a response that is cut does not look whole', async () => {
  const one = await server('hstatus');
  const { text, closed } = await talk(one.port, get('/trapafter') + last);
  same(statuses(text), [200]);
  claim(closed && text.includes('partial') && !text.endsWith('0\r\n\r\n'), text);
});
test('a length that is not kept', async () => {
  const one = await server('hstatus');
  const { text, closed } = await talk(one.port, get('/badlen') + last);
  claim(closed && statuses(text).length === 1 && /content-length: 10/i.test(text), text);
});

// --- Slow and broken clients --------------------------------------------------------------------------------

test('half a request, and gone', async () => {
  const one = await server('hecho');
  for (let i = 0; i < 50; i++) {
    const state = await connect(one.port);
    state.send(post('abc', 'Content-Length: 100'));
    if (i % 2) await sleep(2);
    if (i % 3) state.socket.resetAndDestroy();
    else state.socket.destroy();
  }
  await alive(one);
});
test('a client that only sends is answered', async () => {
  const one = await server('hhello');
  const state = await connect(one.port);
  state.send(get('/1'));
  state.socket.end();
  await state.until(got => got.closed);
  same(statuses(state.text), [200]);
});
test('a client that does not read holds nobody up', async () => {
  const one = await server('hstatus');
  const slow = [];
  for (let i = 0; i < 4; i++) {
    const state = await connect(one.port);
    state.socket.pause();
    state.send(get('/big'));
    slow.push(state);
  }
  await sleep(100);
  await alive(one, '/s/200');
  for (const state of slow) state.socket.resume();
  await slow[0].until(got => got.text.endsWith('0\r\n\r\n'), 20000);
  claim(slow[0].text.length > 4 << 20, `${slow[0].text.length} bytes`);
  for (const state of slow) state.socket.destroy();
});
// The server does not count time while the kernel alone holds the answer: it holds little.
test('a client that takes its time gets the last bytes, too', async () => {
  const one = await server('hstatus');
  const state = await connect(one.port);
  state.socket.pause();
  state.send(get('/big'));
  await sleep(11000); // SERVE_END_TIME, and some
  state.socket.resume();
  await state.until(got => got.closed || got.text.endsWith('0\r\n\r\n'), 20000);
  claim(state.text.endsWith('0\r\n\r\n'), `${state.text.length} bytes, and no end`);
  state.socket.destroy();
});
// Kilobytes that only the processes below `pid` have; undefined where that cannot be seen.
test('ten thousand idle connections, and heads that never end', async () => {
  const one = await serve([place(path.join(folder, 'hhello.wasm'))]);
  await alive(one);
  const before = private_memory(one.child.pid);
  const states = [];
  const most = Number(execSync('ulimit -Hn', { shell: '/bin/sh' }).toString()) || Infinity; // of this program
  for (let i = 0; i < 10 && (i + 2) * 1000 < most; i++)
    states.push(...await Promise.all(Array.from({ length: 1000 }, () => connect(one.port))));
  for (const state of states.slice(0, 1000)) state.send('GET / HTTP/1.1\r\nX: ');
  await alive(one);
  for (const state of states.slice(0, 1000)) state.send('a');
  await alive(one);
  const grown = private_memory(one.child.pid) - before;
  claim(!(grown > 32 * 1024), `${grown} KB for ten thousand connections`);
  for (const state of states) state.socket.destroy();
  await alive(one);
});
test('a storm of connections that say nothing, and others that are answered', async () => {
  const one = await server('hhello');
  for (let i = 0; i < 20; i++) {
    const states = await Promise.all(Array.from({ length: 200 }, () => connect(one.port)));
    for (const state of states) state.socket.resetAndDestroy();
    await alive(one);
  }
});
test('the memory of an idle server, and after many requests', async () => {
  const one = await serve([place(path.join(folder, 'hhello.wasm'))]);
  await alive(one);
  const before = private_memory(one.child.pid);
  for (let i = 0; i < 20; i++)
    same(statuses((await talk(one.port, get('/x').repeat(500) + last)).text).length, 501);
  const grown = private_memory(one.child.pid) - before;
  claim(!(grown > 1024), `${grown} KB more after ten thousand requests`);
  claim(!(before > 4 * 1024), `${before} KB when idle`);
});
test('a head that does not come in time', async () => {
  const one = await server('hhello');
  const { text } = await talk(one.port, 'GET / HTTP/1.1\r\n', () => false, 25000);
  same(statuses(text), [408]);
});

// --- What ends a request, and no server -----------------------------------------------------------------------

test('many at once wait for each other', async () => {
  const one = await server('hstatus', '--max-requests', '4');
  const begun = Date.now();
  const all = await Promise.all(Array.from({ length: 16 }, () => talk(one.port, get('/slow', 'Connection: close'), undefined, 20000)));
  for (const { text } of all) same(statuses(text), [200]);
  claim(Date.now() - begun > 1200, 'more than four at once');
});
test('many at once do not', async () => {
  const one = await server('hstatus');
  const begun = Date.now();
  const all = await Promise.all(Array.from({ length: 32 }, () => talk(one.port, get('/slow', 'Connection: close'))));
  for (const { text } of all) same(statuses(text), [200]);
  claim(Date.now() - begun < 6000, `${Date.now() - begun} ms`);
});
test('a guest that computes for ever', async () => {
  const one = await server('hstatus', '--request-timeout', '2s');
  const busy = talk(one.port, get('/loop'), got => statuses(got.text).length);
  await sleep(200);
  await alive(one, '/s/200'); // it waits, but its time begins when it does
  same(statuses((await busy).text), [504]);
  await alive(one, '/s/200');
});
test('a function whose translation takes longer than a request has', async () => {
  const file = path.join(work, 'long.wasm');
  fs.writeFileSync(file, lengthen(fs.readFileSync(path.join(folder, 'hhello.wasm')), /(^row_hhello|incoming-handler.*#handle)$/, 4000000));
  // Time is counted in units of 67 ms: a fast machine is done before the second comes, if the first is late.
  let hurried, got = [200];
  for (let i = 0; i < 12 && got[0] === 200; i++) {
    hurried = await serve(['--request-timeout', '1ms', file]);
    got = statuses((await talk(hurried.port, last)).text);
  }
  same(got, [504]);
  claim(/interrupted: .*while a function was translated/.test(hurried.log), hurried.log);
  const patient = await serve(['--request-timeout', '60s', file]);
  same(statuses((await talk(patient.port, last)).text), [200]);
});
test('a guest that waits for too long', async () => {
  const one = await server('hstatus', '--request-timeout', '250ms');
  const { text, closed } = await talk(one.port, get('/slow') + last);
  same(statuses(text), [200]);
  claim(closed && !text.endsWith('0\r\n\r\n'), text);
  await alive(one, '/s/200');
});
test('traps, and all the memory that there is', async () => {
  const one = await server('hstatus');
  for (let i = 0; i < 20; i++) {
    same(statuses((await talk(one.port, get('/trap', 'Connection: close'))).text), [500]);
    await talk(one.port, get('/grow', 'Connection: close'));
  }
  await alive(one, '/s/200');
});
test('traps, while nobody reads standard error', async () => {
  const fifo = path.join(work, 'unread');
  execSync(`mkfifo ${fifo}`);
  const read = fs.openSync(fifo, fs.constants.O_RDWR | fs.constants.O_NONBLOCK), write = fs.openSync(fifo, 'w');
  const child = spawn(carrel, ['serve', '--addr', '127.0.0.1:0', place(path.join(folder, 'hstatus.wasm'))],
    { stdio: ['ignore', 'ignore', write], ...(user === undefined ? {} : { uid: user, gid: user }) });
  process.on('exit', () => child.kill('SIGKILL'));
  const ended = new Promise(resolve => child.once('exit', (code, signal) => resolve(code ?? signal)));
  const line = Buffer.alloc(4096);
  let size = 0;
  for (let i = 0; i < 400 && !size; i++) {
    await sleep(20);
    try { size = fs.readSync(read, line); } catch {} // not yet
  }
  const port = Number(/:(\d+)\n/.exec(line.toString('latin1', 0, size))[1]);
  try { for (;;) fs.writeSync(read, line); } catch {} // it is full
  for (let i = 0; i < 3; i++) same(statuses((await talk(port, get('/trap', 'Connection: close'))).text), [500]);
  child.kill('SIGTERM');
  same(await Promise.race([ended, sleep(8000)]), 0, 'it ended with');
});
for (const isolation of ['instance', 'none', 'process'])
  test(`refusals without end, which the shim is told of within its bound: ${isolation}`, async () => {
    const one = await server('proxy.wasm', '--isolation', isolation, '--max-requests', '4');
    const each = isolation === 'process' ? 1 : 81; // a process has one request
    const many = get('/', 'X-To: 127.0.0.1:1').repeat(80) + get('/', 'X-To: 127.0.0.1:1', 'Connection: close');
    for (const { text } of await Promise.all(Array.from({ length: 8 }, () => talk(one.port, many))))
      same(statuses(text), Array(each).fill(403));
  });
test('a body that is too long', async () => {
  const one = await server('hecho', '--max-body', '1K');
  same(statuses((await talk(one.port, post('', 'Content-Length: 2000'))).text), [413]);
  const cut = await talk(one.port, post('800\r\n' + 'a'.repeat(2048) + '\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'));
  claim(cut.closed && !cut.text.endsWith('0\r\n\r\n'), 'it was taken');
  await alive(one);
});
for (const [isolation, after] of [['instance', 200], ['process', 200], ['none', 418]])
  test(`what one request has left is ${after === 200 ? 'not ' : ''}there for the next: ${isolation}`, async () => {
    const one = await server('secrets.wasm', '--isolation', isolation, '--max-requests', '1');
    const got = [];
    for (let i = 0; i < 4; i++) got.push(...statuses((await talk(one.port, get('/', 'Connection: close'))).text));
    same(got, [200, after, after, after]);
  });
test('a worker that is killed is replaced', async () => {
  const one = await serve(['--workers', '2', place(path.join(folder, 'hhello.wasm'))]);
  const pid = one.child.pid;
  const children = () => fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ');
  const both = async () => {
    for (let i = 0; i < 500 && children().length !== 2; i++) await sleep(10);
    same(children().length, 2, 'workers');
  };
  await both(); // the first may serve before there is another
  await sleep(2500); // one that ends sooner would end all
  process.kill(Number(children()[0]), 'SIGKILL');
  await sleep(500);
  for (let i = 0; i < 10; i++) await alive(one);
  await both();
  one.child.ref(); // it is waited for
  const ended = new Promise(resolve => one.child.once('exit', (code, signal) => resolve(code ?? signal)));
  one.child.kill('SIGTERM');
  same(await ended, 0, 'it ended with');
});
test('workers of a caller that ignores SIGCHLD', async () => {
  const child = spawn('env', ['--ignore-signal=CHLD', carrel, 'serve', '--addr', '127.0.0.1:0', '--workers', '2', path.join(work, 'absent.wasm')], { stdio: 'ignore' });
  process.on('exit', () => child.kill('SIGKILL'));
  const code = await Promise.race([new Promise(resolve => child.once('exit', resolve)), sleep(8000)]);
  claim(code === 127 || code === 143, `it ended with ${code}`); // the first to end ends the other, maybe before it has begun
});
test('told to end, it ends what it has begun', async () => {
  const one = await serve([place(path.join(folder, 'hstatus.wasm'))]);
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
test('told to end as soon as it says that it serves', async () => {
  for (let i = 0; i < 8; i++) {
    const one = await serve([place(path.join(folder, 'hhello.wasm'))]);
    one.child.ref();
    const ended = new Promise(resolve => one.child.once('exit', (code, signal) => resolve(code ?? signal)));
    one.child.kill('SIGTERM');
    same(await ended, 0, 'it ended with');
  }
});

await play_runs(tests, options);
