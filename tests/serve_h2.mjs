// How `carrel serve` speaks HTTP/2: with Node's client, and frame by frame (RFC 9113, with the numbers of
// its sections in the names of what is refused), where a client does what none should.
//
//   node tests/serve_h2.mjs FOLDER [--as USER_ID] [--carrel FILE] [--only REGEXP] [--verbose]
//
// FOLDER holds the components hhello, hecho and hstatus. The last line is `N passed, N failed, N skipped`.
import http2 from 'node:http2';
import net from 'node:net';
import path from 'node:path';
import { play_runs, read_options, set_up } from './carrel.mjs';
import { private_memory } from './wire.mjs';

const { options, folder } = read_options(
  'node tests/serve_h2.mjs FOLDER [--as USER_ID] [--carrel FILE] [--only REGEXP]',
  { verbose: { type: 'boolean', default: false } });
const { place, serve } = set_up(options, 'serve-h2-');

const servers = new Map();
const server = (name, ...flags) => {
  const key = [name, ...flags].join(' ');
  if (!servers.has(key)) servers.set(key, serve([...flags, place(path.join(folder, `${name}.wasm`))]));
  return servers.get(key);
};

const claim = (condition, what) => { if (!condition) throw Error(what); };
const same = (got, wanted, what = 'got') =>
  claim(JSON.stringify(got) === JSON.stringify(wanted), `${what} ${JSON.stringify(got)}, expected ${JSON.stringify(wanted)}`);
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

// --- Node's client -----------------------------------------------------------------------------------------

// Asks on a session: { status, headers, trailers, body, error }.
const ask = (session, headers, body, { trailers, ms = 20_000 } = {}) => new Promise(resolve => {
  const stream = session.request(headers, { endStream: body === undefined, waitForTrailers: !!trailers });
  const answer = { headers: {}, trailers: {}, informed: [] };
  const parts = [];
  const timer = setTimeout(() => { answer.error = 'no answer'; stream.destroy(); }, ms);
  stream.on('headers', got => answer.informed.push(got[':status']));
  stream.on('continue', () => { answer.informed.push(100); if (headers.expect) stream.end(body); });
  stream.on('response', got => { answer.status = got[':status']; answer.headers = got; });
  stream.on('trailers', got => { answer.trailers = { ...got }; });
  stream.on('data', data => parts.push(data));
  stream.on('error', error => { answer.error = error.code ?? error.message; });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.on('close', () => { clearTimeout(timer); resolve({ ...answer, code: stream.rstCode, body: Buffer.concat(parts) }); });
  if (body !== undefined && !headers.expect) stream.end(body);
});

const with_session = async (port, run) => {
  const session = http2.connect(`http://127.0.0.1:${port}`, { maxSessionMemory: 100 });
  session.on('error', () => {});
  try {
    return await run(session);
  } finally {
    session.destroy();
  }
};

const alive = async (one, target = '/') => {
  const { status } = await with_session(one.port, session => ask(session, { ':path': target }));
  same(status, 200, 'the server answers others with');
};

const tests = [];
const test = (name, run) => tests.push({ name, run });

test('a request', async () => {
  const one = await server('hhello');
  const { status, headers, body } = await with_session(one.port, session => ask(session, { ':path': '/x?y' }));
  same([status, body.toString(), headers['content-length']], [200, 'hello GET /x?y\n', '15']);
});
test('hundreds on one connection', async () => {
  const one = await server('hhello');
  const all = await with_session(one.port, session =>
    Promise.all(Array.from({ length: 300 }, (_, i) => ask(session, { ':path': `/${i}` }))));
  all.forEach(({ body }, i) => same(body.toString(), `hello GET /${i}\n`));
});
test('many at once do not wait for each other', async () => {
  const one = await server('hstatus');
  const begun = Date.now();
  const all = await with_session(one.port, session =>
    Promise.all(Array.from({ length: 32 }, () => ask(session, { ':path': '/slow' }))));
  for (const { status } of all) same(status, 200);
  claim(Date.now() - begun < 6000, `${Date.now() - begun} ms`);
});
test('more than there are instances for', async () => {
  const one = await server('hstatus', '--max-requests', '2');
  const all = await with_session(one.port, session =>
    Promise.all(Array.from({ length: 12 }, () => ask(session, { ':path': '/s/200' }))));
  for (const { status } of all) same(status, 200);
});
test('bodies both ways, beyond every window', async () => {
  const one = await server('hecho');
  const sent = Buffer.alloc(3 << 20, 'abcdefg');
  const [first, second] = await with_session(one.port, session => Promise.all([1, 2].map(() =>
    ask(session, { ':path': '/', ':method': 'POST' }, sent))));
  claim(first.body.equals(sent) && second.body.equals(sent), `${first.body.length} and ${second.body.length} bytes`);
});
test('trailers of a request are taken', async () => {
  const one = await server('hecho');
  const { status, body } = await with_session(one.port, session =>
    ask(session, { ':path': '/', ':method': 'POST' }, 'abc', { trailers: { 'x-sum': '1' } }));
  same([status, body.toString()], [200, 'abc']);
});
test('trailers of a response', async () => {
  const one = await server('hstatus');
  const { trailers } = await with_session(one.port, session => ask(session, { ':path': '/trailers' }));
  claim(Object.keys(trailers).length > 0, JSON.stringify(trailers));
});
test('HEAD', async () => {
  const one = await server('hhello');
  const { status, headers, body } = await with_session(one.port, session => ask(session, { ':path': '/h', ':method': 'HEAD' }));
  same([status, headers['content-length'], body.length], [200, '14', 0]);
});
test('100 (Continue)', async () => {
  const one = await server('hecho');
  const { status, body, informed } = await with_session(one.port, session =>
    ask(session, { ':path': '/', ':method': 'POST', expect: '100-continue' }, 'abc'));
  same([status, body.toString(), informed.includes(100)], [200, 'abc', true]);
});
test('a trap is 500, and the others go on', async () => {
  const one = await server('hstatus');
  const [trap, slow] = await with_session(one.port, session =>
    Promise.all([ask(session, { ':path': '/trap' }), ask(session, { ':path': '/slow' })]));
  same([trap.status, slow.status, slow.body.toString()], [500, 200, '012']);
});
test('a response that is cut is reset', async () => {
  const one = await server('hstatus');
  const { code } = await with_session(one.port, session => ask(session, { ':path': '/trapafter' }));
  same(code, 2);
});
test('time that is over: 504', async () => {
  const one = await server('hstatus', '--request-timeout', '700ms');
  const { status } = await with_session(one.port, session => ask(session, { ':path': '/loop' }));
  same(status, 504);
});
test('a body that is too long: 413', async () => {
  const one = await server('hecho', '--max-body', '1K');
  const { status } = await with_session(one.port, session =>
    ask(session, { ':path': '/', ':method': 'POST', 'content-length': '2000' }, Buffer.alloc(2000)));
  same(status, 413);
});
test('a tunnel is refused', async () => {
  const one = await server('hhello');
  const { status } = await with_session(one.port, session => ask(session, { ':method': 'CONNECT', ':authority': 'a:80' }));
  same(status, 501);
});
test('a client that reads nothing holds nobody up', async () => {
  const one = await server('hstatus');
  await with_session(one.port, async session => {
    for (let i = 0; i < 8; i++) session.request({ ':path': '/big' }).pause();
    await sleep(100);
    await alive(one, '/s/200');
  });
  await alive(one, '/s/200');
});
test('told to end, it ends what it has begun', async () => {
  const one = await serve([place(path.join(folder, 'hstatus.wasm'))]);
  one.child.ref(); // it is waited for
  const ended = new Promise(resolve => one.child.once('exit', (code, signal) => resolve(code ?? signal)));
  await with_session(one.port, async session => {
    const slow = ask(session, { ':path': '/slow' });
    await sleep(100);
    one.child.kill('SIGTERM');
    same((await slow).body.toString(), '012');
    same(await ended, 0, 'it ended with');
  });
});

// --- Frame by frame --------------------------------------------------------------------------------------------

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const types = { DATA: 0, HEADERS: 1, PRIORITY: 2, RST_STREAM: 3, SETTINGS: 4, PUSH_PROMISE: 5, PING: 6, GOAWAY: 7, WINDOW_UPDATE: 8, CONTINUATION: 9 };
const errors = ['NO_ERROR', 'PROTOCOL_ERROR', 'INTERNAL_ERROR', 'FLOW_CONTROL_ERROR', 'SETTINGS_TIMEOUT', 'STREAM_CLOSED',
  'FRAME_SIZE_ERROR', 'REFUSED_STREAM', 'CANCEL', 'COMPRESSION_ERROR', 'CONNECT_ERROR', 'ENHANCE_YOUR_CALM'];
const END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8, PRIORITY = 32;

const frame = (type, flags, stream, payload = Buffer.alloc(0)) => {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = typeof type === 'number' ? type : types[type];
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  Buffer.from(payload).copy(bytes, 9);
  return bytes;
};
const u32 = number => { const bytes = Buffer.alloc(4); bytes.writeUInt32BE(number >>> 0); return bytes; };
const setting = (id, value) => Buffer.concat([Buffer.from([0, id]), u32(value)]);
// HPACK without tables and Huffman: each field a literal that is not indexed (RFC 7541, 6.2.2).
const text = string => {
  const bytes = Buffer.from(string, 'latin1');
  claim(bytes.length < 127 + 128, 'too long for this test');
  return Buffer.concat([Buffer.from(bytes.length < 127 ? [bytes.length] : [127, bytes.length - 127]), bytes]);
};
const block = fields => Buffer.concat(fields.map(([name, value]) => Buffer.concat([Buffer.from([0]), text(name), text(value)])));
const good = [[':method', 'GET'], [':scheme', 'http'], [':path', '/s/200'], [':authority', 'a']];
const posting = [[':method', 'POST'], ...good.slice(1)];
const head = (fields = good, flags = END_STREAM | END_HEADERS, stream = 1) => frame('HEADERS', flags, stream, block(fields));
const begin = Buffer.concat([preface, frame('SETTINGS', 0, 0)]);

// Sends, and takes frames until `done`, or the connection ends, or time is over.
const exchange = (port, bytes, done = () => false, ms = 3000) => new Promise(resolve => {
  const socket = net.connect({ port, host: '127.0.0.1' });
  const state = { frames: [], closed: false, rest: Buffer.alloc(0), socket };
  const end = () => { clearTimeout(timer); socket.destroy(); resolve(state); };
  const timer = setTimeout(end, ms);
  socket.on('data', data => {
    state.rest = Buffer.concat([state.rest, data]);
    while (state.rest.length >= 9 && state.rest.length >= 9 + state.rest.readUIntBE(0, 3)) {
      const size = state.rest.readUIntBE(0, 3);
      const type = Object.keys(types)[state.rest[3]], payload = state.rest.subarray(9, 9 + size);
      const one = { type, flags: state.rest[4], stream: state.rest.readUInt32BE(5) & 0x7fffffff, payload };
      if (type === 'RST_STREAM') one.error = errors[payload.readUInt32BE(0)];
      if (type === 'GOAWAY') one.error = errors[payload.readUInt32BE(4)];
      state.frames.push(one);
      state.rest = state.rest.subarray(9 + size);
    }
    if (done(state)) end();
  });
  socket.on('error', () => { state.closed = true; end(); });
  socket.on('close', () => { state.closed = true; end(); });
  socket.write(Buffer.isBuffer(bytes) ? bytes : Buffer.concat(bytes));
});

const show = state => state.frames.map(one => `${one.type}${one.stream ? `:${one.stream}` : ''}${one.error ? `=${one.error}` : ''}`).join(' ');
const answered = stream => state => state.frames.some(one => one.stream === stream && one.flags & END_STREAM && (one.type === 'HEADERS' || one.type === 'DATA'));

// Works: the stream is answered.
const works = (name, frames, stream = 1) => test(`works: ${name}`, async () => {
  const one = await server('hstatus');
  const state = await exchange(one.port, [begin, ...frames], answered(stream));
  claim(answered(stream)(state), show(state));
});
// The whole connection ends, with this error or, where that is not told any more, without a word.
const ends = (name, error, frames, first = begin) => test(`ends the connection: ${name}`, async () => {
  const one = await server('hstatus');
  const state = await exchange(one.port, [first, ...frames]);
  const goaway = state.frames.find(({ type }) => type === 'GOAWAY');
  claim(state.closed, `the connection stays open: ${show(state)}`);
  claim(error === null || !goaway || [error].flat().includes(goaway.error), `${show(state)}, expected ${error}`);
  await alive(one, '/s/200');
});
// The stream ends, or the connection; the guest never saw the request, or its body never ended well.
const resets = (name, error, frames, stream = 1) => test(`resets the stream: ${name}`, async () => {
  const one = await server('hecho');
  const reset = state => state.frames.some(one => (one.type === 'RST_STREAM' && one.stream === stream) || one.type === 'GOAWAY');
  const state = await exchange(one.port, [begin, ...frames], reset);
  const got = state.frames.filter(({ error: is }) => is).map(({ error: is }) => is);
  claim([error].flat().some(is => got.includes(is)), `${show(state)}, expected ${error}`);
  claim(!state.frames.some(({ type, flags }) => type === 'DATA' && flags & END_STREAM), 'it was answered');
  await alive(one, '/');
});
const refused = (name, status, fields) => test(`refused: ${name}`, async () => {
  const one = await server('hstatus');
  const state = await exchange(one.port, [begin, head(fields)], state => answered(1)(state) || state.frames.some(({ error }) => error));
  const got = state.frames.find(({ type, stream }) => type === 'HEADERS' && stream === 1);
  // `:status` is a literal with an indexed name (RFC 7541): its digits stand in the block as they are, or it is
  // one of the table's.
  const table = { 0x88: 200, 0x89: 204, 0x8a: 206, 0x8b: 304, 0x8c: 400, 0x8d: 404, 0x8e: 500 };
  claim(got, show(state));
  const said = table[got.payload[0]] ?? Number(huffman_digits(got.payload));
  same(said, status, 'status');
  await alive(one, '/s/200');
});
// Three digits of RFC 7541's code: 0 to 2 take five bits, the others six.
const huffman_digits = payload => {
  const at = payload.indexOf(0x48) + 1, size = payload[at] & 0x7f;
  if (!(payload[at] & 0x80)) return payload.subarray(at + 1, at + 1 + size).toString();
  let bits = [...payload.subarray(at + 1, at + 1 + size)].map(byte => byte.toString(2).padStart(8, '0')).join(''), digits = '';
  while (digits.length < 3) {
    const five = Number.parseInt(bits.slice(0, 5), 2), short = five < 3;
    digits += short ? five : Number.parseInt(bits.slice(0, 6), 2) - 0x19 + 3;
    bits = bits.slice(short ? 5 : 6);
  }
  return digits;
};

// What is allowed, and seldom done.
works('a request', [head()]);
works('a head in pieces (6.10)', [frame('HEADERS', END_STREAM, 1, block(good.slice(0, 2))), frame('CONTINUATION', 0, 1, block(good.slice(2, 3))), frame('CONTINUATION', END_HEADERS, 1, block(good.slice(3)))]);
works('padding (6.1, 6.2)', [frame('HEADERS', END_HEADERS | PADDED, 1, Buffer.concat([Buffer.from([5]), block(posting), Buffer.alloc(5)])), frame('DATA', END_STREAM | PADDED, 1, Buffer.concat([Buffer.from([200]), Buffer.from('abc'), Buffer.alloc(200)]))]);
works('priority that is out of date (5.3)', [frame('HEADERS', END_STREAM | END_HEADERS | PRIORITY, 1, Buffer.concat([u32(0), Buffer.from([16]), block(good)])), frame('PRIORITY', 0, 3, Buffer.concat([u32(1), Buffer.from([1])]))]);
works('a frame of a type that nobody knows (4.1)', [frame(0xee, 0xff, 0, 'abc'), frame(0xee, 0, 1, 'abc'), head()]);
works('settings that nobody knows (6.5.2)', [frame('SETTINGS', 0, 0, setting(0xfe, 1)), head()]);
works('the table of HPACK made empty', [frame('SETTINGS', 0, 0, setting(1, 0)), head()]);
works('the greatest window', [frame('SETTINGS', 0, 0, setting(4, 0x7fffffff)), head()]);
works('a window that opens later (6.9)', [frame('SETTINGS', 0, 0, setting(4, 0)), head(), frame('WINDOW_UPDATE', 0, 1, u32(1000))]);
works('streams whose numbers leave some out (5.1.1)', [head(good, 5, 1), head(good, 5, 101)], 101);
works('no :authority but host (8.3.1)', [head([...good.slice(0, 3), ['host', 'a']])]);
works('the same host twice', [head([...good, ['host', 'a']])]);
works('te: trailers (8.2.2)', [head([...good, ['te', 'trailers']])]);
works('cookies in pieces (8.2.3)', [head([...good, ['cookie', 'a=b'], ['cookie', 'c=d']])]);
works('an empty body', [head(posting, END_HEADERS), frame('DATA', END_STREAM, 1)]);
works('a body in empty pieces', [head(posting, END_HEADERS), frame('DATA', 0, 1), frame('DATA', 0, 1, 'a'), frame('DATA', END_STREAM, 1)]);
works('a length that is kept', [head([...posting, ['content-length', '3']], END_HEADERS), frame('DATA', END_STREAM, 1, 'abc')]);
works('trailers', [head(posting, END_HEADERS), frame('DATA', 0, 1, 'abc'), head([['x-sum', '1']], END_STREAM | END_HEADERS)]);
test('a stream with a number that was passed over is not looked at (5.1.1)', async () => {
  const one = await server('hstatus');
  const state = await exchange(one.port, [begin, head(good, 5, 5), head(good, 5, 3)], () => false, 500);
  claim(answered(5)(state) && !answered(3)(state), show(state));
});
test('works: PING is answered with the same (6.7)', async () => {
  const one = await server('hstatus');
  const pong = state => state.frames.some(({ type, flags, payload }) => type === 'PING' && flags & ACK && payload.toString() === 'abcdefgh');
  claim(pong(await exchange(one.port, [begin, frame('PING', 0, 0, 'abcdefgh')], pong)), 'no answer');
});
test('works: SETTINGS are acknowledged (6.5.3)', async () => {
  const one = await server('hstatus');
  const done = state => state.frames.some(({ type, flags }) => type === 'SETTINGS' && flags & ACK);
  claim(done(await exchange(one.port, [begin], done)), 'no answer');
});

const goaways = state => state.frames.filter(({ type }) => type === 'GOAWAY').map(({ payload, error }) => [payload.readUInt32BE(0), error]);
// Told to end while a request is under way, which ends once the client is told so for good.
const leaves = (name, answer, third) => test(name, async () => {
  const one = await serve([place(path.join(folder, 'hecho.wasm'))]);
  one.child.ref();
  const gone = new Promise(resolve => one.child.once('exit', (code, signal) => resolve(code ?? signal)));
  const said = new Set(), once = (what, run) => { if (!said.has(what)) { said.add(what); run(); } };
  const state = await exchange(one.port, [begin, head(posting, END_HEADERS), frame('DATA', 0, 1, 'abc')], state => {
    const ping = state.frames.find(({ type, flags }) => type === 'PING' && !(flags & ACK));
    if (state.frames.some(({ stream }) => stream === 1)) once('SIGTERM', () => one.child.kill('SIGTERM'));
    if (ping) once('answer', () => state.socket.write(answer(ping)));
    if (goaways(state).length === 2) once('end', () => state.socket.write(frame('DATA', END_STREAM, 1)));
    return false;
  }, 20_000);
  claim(answered(1)(state) && state.closed, show(state));
  same(goaways(state), [[0x7fffffff, 'NO_ERROR'], [third ? 3 : 1, 'NO_ERROR']], 'GOAWAY');
  same(answered(3)(state), third, 'the request that came after the first GOAWAY was answered');
  same(await gone, 0, 'it ended with');
});
const second = head(good, END_STREAM | END_HEADERS, 3), pong = ({ payload }) => frame('PING', ACK, 0, payload);
leaves('works: who is warned may still ask (6.8)', ping => Buffer.concat([second, pong(ping)]), true);
leaves('works: who has seen the warning may not (6.8)', ping => Buffer.concat([pong(ping), second]), false);
leaves('works: who does not answer has no longer than a request (6.8)', () => frame('DATA', END_STREAM, 1), false);

// What ends the connection.
ends('a preface that goes wrong (3.4)', null, [], Buffer.from('PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n'));
ends('no SETTINGS first (3.4)', 'PROTOCOL_ERROR', [head()], preface);
ends('a frame that is too large (4.2)', 'FRAME_SIZE_ERROR', [frame('DATA', 0, 1, Buffer.alloc(16385))]);
ends('a broken block (4.3)', 'COMPRESSION_ERROR', [frame('HEADERS', END_STREAM | END_HEADERS, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))]);
ends('an index that is not there', 'COMPRESSION_ERROR', [frame('HEADERS', END_STREAM | END_HEADERS, 1, Buffer.from([0xfe]))]);
ends('a table of HPACK larger than allowed', 'COMPRESSION_ERROR', [frame('HEADERS', END_STREAM | END_HEADERS, 1, Buffer.concat([Buffer.from([0x3f, 0xe1, 0xff, 0x03]), block(good)]))]);
ends('DATA of no stream (6.1)', 'PROTOCOL_ERROR', [frame('DATA', 0, 0, 'abc')]);
ends('DATA of a stream that is idle (5.1)', ['PROTOCOL_ERROR', 'STREAM_CLOSED'], [frame('DATA', 0, 7, 'abc')]);
ends('padding longer than the frame (6.1)', 'PROTOCOL_ERROR', [head(posting, END_HEADERS), frame('DATA', PADDED, 1, Buffer.from([200, 1, 2]))]);
ends('HEADERS of no stream (6.2)', 'PROTOCOL_ERROR', [head(good, 5, 0)]);
ends('a stream with an even number (5.1.1)', 'PROTOCOL_ERROR', [head(good, 5, 2)]);
ends('something between the pieces of a head (6.10)', 'PROTOCOL_ERROR', [frame('HEADERS', END_STREAM, 1, block(good)), frame('PING', 0, 0, 'abcdefgh')]);
ends('a piece of no head (6.10)', 'PROTOCOL_ERROR', [frame('CONTINUATION', END_HEADERS, 1, block(good))]);
ends('a piece of another head (6.10)', 'PROTOCOL_ERROR', [frame('HEADERS', END_STREAM, 1, block(good)), frame('CONTINUATION', END_HEADERS, 3)]);
ends('RST_STREAM of no stream (6.4)', 'PROTOCOL_ERROR', [frame('RST_STREAM', 0, 0, u32(8))]);
ends('RST_STREAM of a stream that is idle (6.4)', 'PROTOCOL_ERROR', [frame('RST_STREAM', 0, 1, u32(8))]);
ends('RST_STREAM of another size (6.4)', 'FRAME_SIZE_ERROR', [head(posting, END_HEADERS), frame('RST_STREAM', 0, 1, 'abc')]);
ends('SETTINGS of a stream (6.5)', 'PROTOCOL_ERROR', [frame('SETTINGS', 0, 1)]);
ends('SETTINGS of another size (6.5)', 'FRAME_SIZE_ERROR', [frame('SETTINGS', 0, 0, 'abc')]);
ends('an acknowledgement that says something (6.5)', 'FRAME_SIZE_ERROR', [frame('SETTINGS', ACK, 0, setting(1, 1))]);
ends('ENABLE_PUSH that is neither (6.5.2)', 'PROTOCOL_ERROR', [frame('SETTINGS', 0, 0, setting(2, 2))]);
ends('a window beyond 2^31 (6.5.2)', 'FLOW_CONTROL_ERROR', [frame('SETTINGS', 0, 0, setting(4, 0x80000000))]);
ends('frames smaller than allowed (6.5.2)', 'PROTOCOL_ERROR', [frame('SETTINGS', 0, 0, setting(5, 16383))]);
ends('frames larger than allowed (6.5.2)', 'PROTOCOL_ERROR', [frame('SETTINGS', 0, 0, setting(5, 0x1000000))]);
ends('a promise of a client (8.4)', 'PROTOCOL_ERROR', [frame('PUSH_PROMISE', END_HEADERS, 1, Buffer.concat([u32(2), block(good)]))]);
ends('PING of a stream (6.7)', 'PROTOCOL_ERROR', [frame('PING', 0, 1, 'abcdefgh')]);
ends('PING of another size (6.7)', 'FRAME_SIZE_ERROR', [frame('PING', 0, 0, 'abc')]);
ends('GOAWAY of a stream (6.8)', 'PROTOCOL_ERROR', [frame('GOAWAY', 0, 1, Buffer.alloc(8))]);
ends('a window that grows by nothing (6.9)', 'PROTOCOL_ERROR', [frame('WINDOW_UPDATE', 0, 0, u32(0))]);
ends('a window that grows beyond 2^31 (6.9.1)', 'FLOW_CONTROL_ERROR', [frame('WINDOW_UPDATE', 0, 0, u32(0x7fffffff)), frame('WINDOW_UPDATE', 0, 0, u32(0x7fffffff))]);
ends('WINDOW_UPDATE of another size (6.9)', 'FRAME_SIZE_ERROR', [frame('WINDOW_UPDATE', 0, 0, 'abc')]);
ends('WINDOW_UPDATE of a stream that is idle (5.1)', 'PROTOCOL_ERROR', [frame('WINDOW_UPDATE', 0, 9, u32(1))]);
ends('more pieces of a head than anybody needs', ['ENHANCE_YOUR_CALM', 'PROTOCOL_ERROR', 'INTERNAL_ERROR', 'COMPRESSION_ERROR'], [frame('HEADERS', END_STREAM, 1, block(good)), ...Array.from({ length: 3000 }, () => frame('CONTINUATION', 0, 1, block([['x', 'a'.repeat(100)]])))]);
ends('thousands of streams that are reset at once', ['ENHANCE_YOUR_CALM', 'INTERNAL_ERROR'], Array.from({ length: 3000 }, (_, i) => Buffer.concat([head(good, 5, 2 * i + 1), frame('RST_STREAM', 0, 2 * i + 1, u32(8))])));
ends('thousands of PINGs, and nobody who reads', ['ENHANCE_YOUR_CALM', 'INTERNAL_ERROR'], [Buffer.concat(Array.from({ length: 60_000 }, () => frame('PING', 0, 0, 'abcdefgh'))), frame('PING', 0, 0, 'abc')]);

// What ends a request.
resets('a window that grows by nothing (6.9)', 'PROTOCOL_ERROR', [head(posting, END_HEADERS), frame('WINDOW_UPDATE', 0, 1, u32(0))]);
resets('a window that grows beyond 2^31 (6.9.1)', 'FLOW_CONTROL_ERROR', [head(posting, END_HEADERS), frame('WINDOW_UPDATE', 0, 1, u32(0x7fffffff)), frame('WINDOW_UPDATE', 0, 1, u32(0x7fffffff))]);
resets('DATA behind its end (5.1)', 'STREAM_CLOSED', [head(good, END_HEADERS | END_STREAM), frame('DATA', 0, 1, 'abc')]);
resets('a stream that depends on itself', 'PROTOCOL_ERROR', [frame('HEADERS', END_HEADERS | PRIORITY, 1, Buffer.concat([u32(1), Buffer.from([16]), block(posting)]))]);
for (const [name, fields] of Object.entries({
  'no :method (8.3.1)': good.slice(1),
  'no :scheme (8.3.1)': [good[0], ...good.slice(2)],
  'no :path (8.3.1)': [...good.slice(0, 2), good[3]],
  'an empty :path (8.3.1)': [...good.slice(0, 2), [':path', ''], good[3]],
  'a :path with a blank': [...good.slice(0, 2), [':path', '/a b'], good[3]],
  'a :path with a line': [...good.slice(0, 2), [':path', '/ HTTP/1.1\r\nx: y'], good[3]],
  ':path twice (8.3)': [...good, [':path', '/']],
  'a pseudo-field of a response (8.3)': [...good, [':status', '200']],
  'a pseudo-field that nobody knows (8.3)': [...good, [':x', 'y']],
  'a pseudo-field behind others (8.3)': [['x', 'y'], ...good],
  'a name in capitals (8.2.1)': [...good, ['X', 'y']],
  'a name with a blank (8.2.1)': [...good, ['x y', 'z']],
  'a name with a line': [...good, ['x\r\ny', 'z']],
  'a value with a line (8.2.1)': [...good, ['x', 'y\r\nz: a']],
  'a value with LF alone': [...good, ['x', 'y\nz: a']],
  'a value with NUL (8.2.1)': [...good, ['x', 'y\0']],
  'connection (8.2.2)': [...good, ['connection', 'close']],
  'transfer-encoding (8.2.2)': [...good, ['transfer-encoding', 'chunked']],
  'upgrade (8.2.2)': [...good, ['upgrade', 'h2c']],
  'keep-alive (8.2.2)': [...good, ['keep-alive', 'x']],
  'te: gzip (8.2.2)': [...good, ['te', 'gzip']],
  'two lengths': [...good, ['content-length', '0'], ['content-length', '0']],
  'a length that is no number': [...good, ['content-length', '+3']],
})) resets(name, 'PROTOCOL_ERROR', [head(fields)]);
resets('a body longer than it says (8.1.1)', 'PROTOCOL_ERROR', [head([...posting, ['content-length', '2']], END_HEADERS), frame('DATA', END_STREAM, 1, 'abc')]);
resets('a body shorter than it says (8.1.1)', 'PROTOCOL_ERROR', [head([...posting, ['content-length', '4']], END_HEADERS), frame('DATA', END_STREAM, 1, 'abc')]);
resets('a pseudo-field in trailers (8.1)', 'PROTOCOL_ERROR', [head(posting, END_HEADERS), head([[':path', '/']], END_STREAM | END_HEADERS)]);
resets('trailers that do not end the stream (8.1)', 'PROTOCOL_ERROR', [head(posting, END_HEADERS), head([['x', 'y']], END_HEADERS)]);

refused('another host than :authority', 400, [...good, ['host', 'b']]);
refused('300 fields', 431, [...good, ...Array.from({ length: 300 }, (_, i) => [`x${i}`, 'y'])]);
refused('an expectation of something else', 417, [[':method', 'POST'], ...good.slice(1), ['expect', 'miracles']]);

// --- Many ------------------------------------------------------------------------------------------------------

test('five hundred idle connections, and streams whose head never ends', async () => {
  const one = await server('hhello');
  const sockets = Array.from({ length: 500 }, () => net.connect({ port: one.port, host: '127.0.0.1' }));
  for (const socket of sockets) {
    socket.on('error', () => {});
    socket.write(Buffer.concat([begin, frame('HEADERS', 0, 1, block(good))]));
  }
  await sleep(200);
  await alive(one);
  for (const socket of sockets) socket.destroy();
  await alive(one);
});

// Two seconds of what costs its sender nothing, from four clients who read nothing: others are answered, and the
// server's memory stays what it was, but for what four connections may have.
const flood = (name, piece, first = []) => test(`flood: ${name}`, async () => {
  const one = await serve([place(path.join(folder, 'hstatus.wasm'))]);
  await alive(one, '/s/200');
  const before = private_memory(one.child.pid);
  const end = Date.now() + 2000;
  const clients = Array.from({ length: 4 }, () => {
    const socket = net.connect({ port: one.port, host: '127.0.0.1' });
    let number = 0;
    const more = () => {
      while (Date.now() < end && !socket.destroyed)
        if (!socket.write(Buffer.concat(Array.from({ length: 200 }, () => piece(number++))))) return;
    };
    socket.on('error', () => {}).on('drain', more);
    socket.pause();
    socket.write(Buffer.concat([begin, ...first]));
    more();
    return socket;
  });
  for (let answers = 0; Date.now() < end || answers < 3; answers++) {
    await alive(one, '/s/200');
    await sleep(50);
  }
  const grown = private_memory(one.child.pid) - before;
  for (const socket of clients) socket.destroy();
  claim(!(grown > 16 * 1024), `${grown} KB more`);
  await alive(one, '/s/200');
});
const stream_of = number => (number * 2 + 1) & 0x7fffffff;
flood('requests that are reset at once (CVE-2023-44487)', number => Buffer.concat([head(good, END_STREAM | END_HEADERS, stream_of(number)), frame('RST_STREAM', 0, stream_of(number), u32(8))]));
flood('requests, and nobody who reads', number => head(good, END_STREAM | END_HEADERS, stream_of(number)));
flood('SETTINGS', () => frame('SETTINGS', 0, 0, setting(3, 100)));
flood('SETTINGS that change the table', number => frame('SETTINGS', 0, 0, setting(1, number % 2 ? 4096 : 0)));
flood('SETTINGS that move every window', number => frame('SETTINGS', 0, 0, setting(4, number % 2 ? 65535 : 1)), [head()]);
flood('PING', () => frame('PING', 0, 0, Buffer.alloc(8)));
flood('PRIORITY', number => frame('PRIORITY', 0, stream_of(number), Buffer.concat([u32(0), Buffer.from([15])])));
flood('WINDOW_UPDATE', () => frame('WINDOW_UPDATE', 0, 0, u32(1)));
flood('pieces of a head with nothing in them (CVE-2024-27316)', () => frame('CONTINUATION', 0, 1), [frame('HEADERS', 0, 1, block(good))]);
flood('DATA with nothing in it (CVE-2019-9518)', () => frame('DATA', 0, 1), [head(posting, END_HEADERS)]);
flood('DATA that nobody reads', () => frame('DATA', 0, 1, Buffer.alloc(1024)), [head(posting, END_HEADERS)]);
flood('frames of no known kind', () => frame(0xfa, 0, 0, Buffer.alloc(100)));
flood('streams that are reset by mistakes (CVE-2025-8671)', number => Buffer.concat([head(posting, END_HEADERS, stream_of(number)), frame('WINDOW_UPDATE', 0, stream_of(number), u32(0))]));

test('a window of one byte, and one that is never opened', async () => {
  const one = await server('hstatus');
  const tiny = [begin, frame('SETTINGS', 0, 0, setting(4, 1)), ...Array.from({ length: 50 }, (_, i) => head([[':method', 'GET'], [':scheme', 'http'], [':path', '/big'], [':authority', 'a']], END_STREAM | END_HEADERS, stream_of(i)))];
  const sockets = Array.from({ length: 4 }, () => net.connect({ port: one.port, host: '127.0.0.1' }));
  for (const socket of sockets) socket.on('error', () => {}).write(Buffer.concat(tiny));
  await sleep(300);
  for (let i = 0; i < 3; i++) await alive(one, '/s/200');
  for (const socket of sockets) socket.destroy();
  await alive(one, '/s/200');
});

await play_runs(tests, options);
