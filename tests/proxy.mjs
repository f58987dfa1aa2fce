// A component that passes requests on (data/proxy.c), as a reverse and as a forward proxy, between Node's clients
// and servers: bodies of any size both ways at once, trailers, early responses, in memory that does not grow.
//
//   node tests/proxy.mjs [--as USER_ID] [--carrel FILE] [--isolation HOW] [--only REGEXP] [--verbose]
//
// The last line is `N passed, N failed, N skipped`.
import { createHash } from 'node:crypto';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { play_runs, read_options, set_up } from './carrel.mjs';
import { private_memory } from './wire.mjs';

const { options } = read_options('', { verbose: { type: 'boolean', default: false }, isolation: { type: 'string', default: 'instance' } });
const { place, serve } = set_up(options, 'proxy-');
const here = path.dirname(fileURLToPath(import.meta.url));

const claim = (condition, what) => { if (!condition) throw Error(what); };
const same = (got, wanted, what = 'got') =>
  claim(JSON.stringify(got) === JSON.stringify(wanted), `${what} ${JSON.stringify(got)}, expected ${JSON.stringify(wanted)}`);
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

// What requests are passed on to.
const upstream = http.createServer((request, response) => {
  const routes = {
    '/echo': () => {
      response.writeHead(200, { 'x-method': request.method, 'x-host': request.headers.host, trailer: 'x-sum' });
      const sum = createHash('sha256');
      request.on('data', data => { sum.update(data); if (!response.write(data)) { request.pause(); response.once('drain', () => request.resume()); } });
      request.on('end', () => { response.addTrailers({ 'x-sum': sum.digest('hex'), 'x-came': JSON.stringify(request.trailers) }); response.end(); });
    },
    '/later': () => { const came = []; request.on('data', data => came.push(data)); request.on('end', () => response.end(Buffer.concat(came))); },
    '/later/streamed': () => routes['/later'](),
    '/early': () => { response.writeHead(200, { 'content-length': 5 }); response.end('early'); request.resume(); },
    '/refuse': () => { response.writeHead(413, { connection: 'close' }); response.end('too much'); },
    '/break': () => { response.writeHead(200); response.write('half'); setTimeout(() => response.destroy(), 50); },
    '/of-six': () => { response.writeHead(200, { 'content-length': 6 }); response.end(request.method === 'HEAD' ? undefined : 'sixsix'); },
    '/unchanged': () => { response.writeHead(304, { 'content-length': 20 }); response.end(); },
    '/nothing': () => { response.writeHead(204); response.end(); },
    '/told': () => response.end(JSON.stringify(request.rawHeaders)),
    '/status': () => { response.writeHead(404, { 'x-a': ['b', 'c'] }); response.end('none'); request.resume(); },
  };
  (routes[request.url.split('?')[0]] ?? routes['/status'])();
});
await new Promise(resolve => upstream.listen(0, '127.0.0.1', resolve));
const to = `127.0.0.1:${upstream.address().port}`;

const start = (...flags) => serve(['--http', 'http://127.0.0.1:*', '--isolation', options.isolation, ...flags, place(path.join(here, 'data/proxy.wasm'))]);
let first;
const server = () => (first ??= start());

// Asks by way of the proxy; `produce(request)` writes the body. { status, headers, trailers, body, size, sum, error }
const ask = (port, target, { method = 'GET', headers = { 'x-to': to }, produce } = {}) => new Promise(resolve => {
  const answer = { size: 0, head: Buffer.alloc(0) };
  const sum = createHash('sha256');
  const done = error => resolve({ ...answer, error, sum: sum.digest('hex') });
  const request = http.request({ port, host: '127.0.0.1', path: target, method, headers, agent: false, timeout: 60_000 }, response => {
    answer.status = response.statusCode;
    answer.headers = response.headers;
    answer.at = Date.now();
    response.on('data', data => { answer.size += data.length; sum.update(data); if (answer.head.length < 100) answer.head = Buffer.concat([answer.head, data]); });
    response.on('end', () => { answer.trailers = response.trailers; done(response.complete ? undefined : 'cut'); });
    response.on('error', error => done(error.code));
  });
  request.on('error', error => { if (!answer.status) done(error.code); });
  request.on('timeout', () => request.destroy(Error('no answer')));
  if (produce) produce(request);
  else request.end();
});

// Writes `size` bytes, as fast as they are taken, and trailers.
const stream = (size, trailers) => request => {
  const piece = Buffer.alloc(1 << 16, 'abcdefg');
  let left = size;
  const sum = createHash('sha256');
  const go = () => {
    while (left > 0) {
      const data = piece.subarray(0, Math.min(left, piece.length));
      left -= data.length;
      sum.update(data);
      if (!request.write(data)) { request.once('drain', go); return; }
    }
    stream.sum = sum.digest('hex');
    if (trailers) request.addTrailers(trailers);
    request.end();
  };
  go();
};

const tests = [];
const test = (name, run) => tests.push({ name, run });

test('status and fields', async () => {
  const { status, headers, head } = await ask((await server()).port, '/status?x');
  same([status, headers['x-a'], head.toString()], [404, 'b, c', 'none']);
});
test('a length that is told of no body', async () => {
  for (const [method, target, wanted] of [['GET', '/of-six', [200, '6', 6]], ['HEAD', '/of-six', [200, '6', 0]],
    ['GET', '/unchanged', [304, '20', 0]], ['HEAD', '/unchanged', [304, '20', 0]], ['GET', '/nothing', [204, undefined, 0]]]) {
    const { status, headers, size } = await ask((await server()).port, target, { method });
    same([status, headers?.['content-length'], size], wanted, `${method} ${target}`);
  }
});
test('method, body, and trailers both ways', async () => {
  const { status, headers, trailers, size, sum } = await ask((await server()).port, '/echo',
    { method: 'PUT', headers: { 'x-to': to, trailer: 'x-mine', 'transfer-encoding': 'chunked' }, produce: stream(100_000, { 'x-mine': 'yes' }) });
  same([status, headers['x-method'], headers['x-host'], size], [200, 'PUT', to, 100_000]);
  same([trailers['x-sum'], JSON.parse(trailers['x-came'])], [sum, { 'x-mine': 'yes' }]);
});
test('a forward proxy: the target is the whole address', async () => {
  const { status, headers, size } = await ask((await server()).port, `http://${to}/echo`, { method: 'POST', headers: { host: to }, produce: stream(10) });
  same([status, headers['x-host'], size], [200, to, 10]);
});
test('200 MB both ways at once, in little memory', async () => {
  const one = await start('--memory', '256M');
  await ask(one.port, '/status');
  const before = options.as ? 0 : private_memory(one.child.pid);
  let most = 0;
  const timer = setInterval(() => { most = Math.max(most, options.as ? 0 : (private_memory(one.child.pid) ?? before) - before); }, 100);
  const { size, sum, trailers } = await ask(one.port, '/echo', { method: 'POST', headers: { 'x-to': to, 'transfer-encoding': 'chunked' }, produce: stream(200 << 20) });
  clearInterval(timer);
  same([size, sum, trailers['x-sum']], [200 << 20, stream.sum, sum]);
  claim(most < 8 * 1024, `${most} KB more than when idle`);
});
test('a response before the request is whole', async () => {
  let sent = false;
  const { status, head } = await ask((await server()).port, '/early', {
    method: 'POST', headers: { 'x-to': to, 'transfer-encoding': 'chunked' },
    produce: request => { request.write('a'); setTimeout(() => { sent = true; request.end(); }, 1500); } });
  same([status, head.toString(), sent], [200, 'early', false]);
});
test('a request that is refused half-way', async () => {
  const { status } = await ask((await server()).port, '/refuse', { method: 'POST', headers: { 'x-to': to, 'transfer-encoding': 'chunked' }, produce: stream(8 << 20) });
  claim(status === 413 || status === 502, `status ${status}`);
});
test('a response that breaks off does not look whole', async () => {
  const { status, head, error } = await ask((await server()).port, '/break');
  same([status, head.toString(), error !== undefined], [200, 'half', true]);
});
// Of the fields that the upstream got, those of the trace; the component passes none on.
const trace = async headers => {
  const { head } = await ask((await server()).port, '/told', { headers: { 'x-to': to, 'x-bare': '1', ...headers } });
  const raw = JSON.parse(head.toString() || '[]');
  return raw.flatMap((name, i) => i % 2 === 0 && name.startsWith('trace') ? [name, raw[i + 1]] : []);
};
const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
test('trace context is passed on', async () => {
  same(await trace({}), []);
  same(await trace({ traceparent: parent }), ['traceparent', parent]);
  same(await trace({ traceparent: parent, tracestate: ['a=1', 'b=2'] }), ['traceparent', parent, 'tracestate', 'a=1,b=2']);
  same(await trace({ tracestate: 'a=1' }), []);
  same(await trace({ traceparent: parent.replace('00-', 'cc-') + '-more' }), ['traceparent', parent.replace('00-', 'cc-') + '-more']);
  for (const none of [parent.toUpperCase(), parent + '-x', parent.replace('00-', 'ff-'), parent.slice(0, -1),
    '00-00000000000000000000000000000000-b7ad6b7169203331-01', '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01'])
    same(await trace({ traceparent: none, tracestate: 'a=1' }), [], none);
  same(await trace({ traceparent: [parent, parent] }), [], 'two of them');
});
test('nobody there: 502', async () => same((await ask((await server()).port, '/', { headers: { 'x-to': '127.0.0.1:1' } })).status, 502));
test('an origin that is not allowed: 403', async () =>
  same((await ask((await server()).port, '/', { headers: { 'x-to': 'example.com' } })).status, 403));
test('a client that goes away ends what was asked for it', async () => {
  const one = await server();
  for (let i = 0; i < 10; i++) {
    const request = http.request({ port: one.port, path: '/echo', method: 'POST', headers: { 'x-to': to } });
    request.on('error', () => {});
    request.write('abc');
    await sleep(20);
    request.destroy();
  }
  same((await ask(one.port, '/status')).status, 404);
});
test('many at once', async () => {
  const one = await server();
  const all = await Promise.all(Array.from({ length: 20 }, () => ask(one.port, '/echo', { method: 'POST', produce: stream(300_000) })));
  for (const { status, size } of all) same([status, size], [200, 300_000]);
});
if (options.isolation !== 'process')
  test('by HTTP/2, many on one connection', async () => {
    const session = http2.connect(`http://127.0.0.1:${(await server()).port}`);
    const sizes = await Promise.all(Array.from({ length: 10 }, () => new Promise((resolve, reject) => {
    const stream = session.request({ ':path': '/echo', ':method': 'POST', 'x-to': to });
    let size = 0;
    stream.on('data', data => { size += data.length; });
    stream.on('error', reject);
    stream.on('end', () => resolve(size));
    stream.end(Buffer.alloc(500_000));
  })));
  session.destroy();
  same(sizes, Array(10).fill(500_000));
});

// nginx before it and behind it: what it sends on is read, and what is sent on it reads.
test('between nginx and nginx', async () => {
  if (spawnSync('nginx', ['-v']).error) return 'nginx is not there';
  const one = await server();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'proxy-nginx-'));
  fs.chmodSync(folder, 0o755);
  const [front, back] = [path.join(folder, 'front'), path.join(folder, 'back')];
  // Ports of which nobody else knows anything: taken, and given back at once.
  const port = () => new Promise(resolve => { const probe = http.createServer().listen(0, '127.0.0.1', () => { const { port: is } = probe.address(); probe.close(() => resolve(is)); }); });
  const ports = { front: await port(), back: await port() };
  fs.writeFileSync(path.join(folder, 'conf'), `daemon off; pid ${folder}/pid; error_log /dev/null; events {}
    http { access_log off; client_body_temp_path ${front}; proxy_temp_path ${back}; client_max_body_size 100m;
      fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
      upstream carrel { server 127.0.0.1:${one.port}; keepalive 8; }
      server { listen 127.0.0.1:${ports.front};
        location / { proxy_pass http://carrel; proxy_http_version 1.1; proxy_set_header Connection ""; }
        location /later/streamed { proxy_pass http://carrel; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_request_buffering off; } }
      server { listen 127.0.0.1:${ports.back}; location / { root ${folder}; } location /say { return 200 "said $request_method $http_x_a\\n"; } } }`);
  fs.writeFileSync(path.join(folder, 'big'), Buffer.alloc(20 << 20, 'abcdefg'));
  const nginx = spawn('nginx', ['-c', path.join(folder, 'conf')], { stdio: 'ignore' });
  process.on('exit', () => { nginx.kill(); fs.rmSync(folder, { recursive: true, force: true }); });
  const behind = { 'x-to': `127.0.0.1:${ports.back}`, 'x-a': 'b' };
  let got = {};
  for (let i = 0; i < 50 && got.status !== 200; i++, await sleep(50)) got = await ask(ports.front, '/say', { headers: behind });
  same([got.status, got.head?.toString()], [200, 'said GET b\n']);
  for (let i = 0; i < 20; i++) same((await ask(ports.front, '/say', { headers: behind })).status, 200);
  same((await ask(ports.front, '/big', { headers: behind })).size, 20 << 20);
  // The answers begin when the body has ended: with any server behind it, nginx 1.22 at times stops passing on a
  // body whose answer has begun. Both ways at once is shown by the tests that have no nginx.
  for (const target of ['/later', '/later/streamed']) {
    const answer = await ask(ports.front, target, { method: 'POST', produce: stream(5 << 20) });
    same([answer.status, answer.size, answer.sum], [200, 5 << 20, stream.sum]);
  }
  nginx.kill();
});

await play_runs(tests, options, { jobs: 1 });
