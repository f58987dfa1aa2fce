// `carrel serve` with TLS: what is offered, what is refused, and what ends only itself.
//
//   node tests/serve_tls.mjs FOLDER [--as USER_ID] [--carrel FILE] [--only REGEXP] [--verbose]
//
// Connections go to 127.0.0.1: older releases of node try one address of a name, which may be ::1.
// FOLDER holds the components hhello, hecho and hstatus. The last line is `N passed, N failed, N skipped`.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { play_runs, read_options, set_up } from './carrel.mjs';

const { options, folder } = read_options(
  'node tests/serve_tls.mjs FOLDER [--as USER_ID] [--carrel FILE] [--only REGEXP]',
  { verbose: { type: 'boolean', default: false } });
const { work, place, give, run, serve } = set_up(options, 'serve-tls-');

const make = name => {
  const files = { cert: path.join(work, `${name}.pem`), key: path.join(work, `${name}.key`) };
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
    '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', files.key, '-out', files.cert], { stdio: 'ignore' });
  Object.values(files).forEach(give);
  return files;
};
const own = make('own'), other = make('other');
const ca = fs.readFileSync(own.cert);
const flags = ['--tls-cert', own.cert, '--tls-key', own.key];
const component = name => place(path.join(folder, `${name}.wasm`));

const servers = new Map();
const server = name => {
  if (!servers.has(name)) servers.set(name, serve([...flags, component(name)]));
  return servers.get(name);
};

const claim = (condition, what) => { if (!condition) throw Error(what); };
const same = (got, wanted, what = 'got') =>
  claim(JSON.stringify(got) === JSON.stringify(wanted), `${what} ${JSON.stringify(got)}, expected ${JSON.stringify(wanted)}`);
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

// Asks by HTTP/1.1: { status, body, protocol }.
const ask = (port, target = '/', { body, method = body ? 'POST' : 'GET', ...more } = {}) => new Promise((resolve, reject) => {
  const request = https.request({ host: 'localhost', family: 4, port, path: target, method, ca, agent: false, timeout: 15_000, ...more }, response => {
    const parts = [];
    response.on('data', data => parts.push(data));
    response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(parts), protocol: response.socket.getProtocol() }));
    response.on('error', reject);
  });
  request.on('timeout', () => request.destroy(Error('no answer')));
  request.on('error', reject);
  request.end(body);
});
const ask2 = (port, headers, body) => new Promise((resolve, reject) => {
  const session = http2.connect(`https://localhost:${port}`, { ca, family: 4, maxSessionMemory: 100 });
  session.on('error', reject);
  const stream = session.request(headers, { endStream: !body });
  const parts = [];
  let status;
  stream.on('response', got => { status = got[':status']; });
  stream.on('data', data => parts.push(data));
  stream.on('error', reject);
  stream.on('close', () => { session.destroy(); resolve({ status, body: Buffer.concat(parts) }); });
  if (body) stream.end(body);
});

const tests = [];
const test = (name, what) => tests.push({ name, run: what });

test('HTTP/1.1', async () => {
  const { status, body, protocol } = await ask((await server('hhello')).port, '/x');
  same([status, body.toString(), protocol], [200, 'hello GET /x\n', 'TLSv1.3']);
});
test('TLS 1.2', async () => same((await ask((await server('hhello')).port, '/', { maxVersion: 'TLSv1.2' })).protocol, 'TLSv1.2'));
test('HTTP/2, by ALPN', async () => {
  const { status, body } = await ask2((await server('hhello')).port, { ':path': '/x' });
  same([status, body.toString()], [200, 'hello GET /x\n']);
});
for (const [name, asks] of [['HTTP/1.1', (port, body) => ask(port, '/', { body })], ['HTTP/2', (port, body) => ask2(port, { ':path': '/', ':method': 'POST' }, body)]])
  test(`megabytes both ways: ${name}`, async () => {
    const sent = Buffer.alloc(5 << 20, 'abcdefg');
    const { body } = await asks((await server('hecho')).port, sent);
    claim(body.equals(sent), `${body.length} bytes`);
  });
test('many at once', async () => {
  const one = await server('hstatus');
  const all = await Promise.all(Array.from({ length: 40 }, () => ask(one.port, '/slow')));
  for (const { body } of all) same(body.toString(), '012');
});
const fails = (name, what) => test(`refused: ${name}`, async () => {
  const one = await server('hhello');
  const got = await what(one.port).then(() => undefined, error => error);
  claim(got, 'it was answered');
  same((await ask(one.port)).status, 200);
});
fails('TLS 1.1', port => ask(port, '/', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }));
fails('a protocol that nobody speaks', port => ask(port, '/', { ALPNProtocols: ['spdy/3'] }));
fails('no TLS', port => fetch(`http://127.0.0.1:${port}/`));
test('half a request, and gone', async () => {
  const one = await server('hecho');
  for (let i = 0; i < 20; i++) {
    const socket = tls.connect({ port: one.port, host: 'localhost', family: 4, ca });
    socket.on('error', () => {});
    await new Promise(resolve => socket.once('secureConnect', resolve));
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc');
    if (i % 2) await sleep(5);
    socket.destroy();
  }
  same((await ask(one.port)).status, 200);
});
test('a client that ends its half first is answered', async () => {
  const one = await server('hstatus');
  const socket = tls.connect({ port: one.port, host: 'localhost', family: 4, ca, allowHalfOpen: true });
  let text = '';
  socket.on('data', data => { text += data; });
  await new Promise(resolve => socket.once('secureConnect', resolve));
  socket.end('GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await new Promise(resolve => { socket.once('close', resolve); socket.once('end', resolve); setTimeout(resolve, 5000); });
  claim(/^HTTP\/1.1 200/.test(text) && text.includes('2'), text);
});
test('three hundred that never shake hands', async () => {
  const one = await server('hhello');
  const sockets = Array.from({ length: 300 }, () => net.connect({ port: one.port, host: 'localhost', family: 4 }));
  for (const socket of sockets) socket.on('error', () => {}).write('\x16\x03\x01');
  await sleep(100);
  same((await ask(one.port)).status, 200);
  for (const socket of sockets) socket.destroy();
  same((await ask(one.port)).status, 200);
});
test('two workers', async () => {
  const one = await serve(['--workers', '2', ...flags, component('hhello')]);
  for (let i = 0; i < 6; i++) same((await ask(one.port)).status, 200);
  one.child.ref(); // it is waited for
  const ended = new Promise(resolve => one.child.once('exit', (code, signal) => resolve(code ?? signal)));
  one.child.kill('SIGTERM');
  same(await ended, 0, 'it ended with');
});
test('told to end, it ends what it has begun', async () => {
  const one = await serve([...flags, component('hstatus')]);
  one.child.ref(); // it is waited for
  const ended = new Promise(resolve => one.child.once('exit', (code, signal) => resolve(code ?? signal)));
  let text = '';
  const whole = new Promise((resolve, reject) => https.get({ host: 'localhost', family: 4, port: one.port, path: '/slow', ca, agent: false }, response => {
    one.child.kill('SIGTERM'); // now that it has begun
    response.on('data', data => { text += data; });
    response.on('end', resolve);
    response.on('error', reject);
  }).on('error', reject));
  await whole;
  same(text, '012');
  same(await ended, 0, 'it ended with');
});
const begins_not = (name, says, ...given) => test(`does not begin: ${name}`, async () => {
  const result = await run(['serve', '--addr', '127.0.0.1:0', ...given, component('hhello')]);
  claim(result.code > 100 && says.test(result.stderr), `exit ${result.code}: ${result.stderr}`);
});
begins_not('a certificate without a key', /give both --tls-cert and --tls-key/, '--tls-cert', own.cert);
begins_not('a key that is another\'s', /not that of the certificate/, '--tls-cert', own.cert, '--tls-key', other.key);
begins_not('a certificate that is none', /has no certificate/, '--tls-cert', own.key, '--tls-key', own.key);
begins_not('a key that is none', /has no private key/, '--tls-cert', own.cert, '--tls-key', own.cert);
begins_not('a file that is not there', /cannot open the certificate/, '--tls-cert', '/nowhere', '--tls-key', own.key);
test('curl believes the certificate, and no other', () => {
  const curl = (port, file) => spawnSync('curl', ['-s', '--cacert', file, '-w', '%{http_version}', `https://localhost:${port}/c`]);
  return server('hhello').then(({ port }) => {
    if (spawnSync('curl', ['--version']).error) return;
    same(curl(port, own.cert).stdout.toString(), 'hello GET /c\n2');
    same(curl(port, other.cert).status, 60);
  });
});

await play_runs(tests, options);
