// Requests that go out, in real cells: fetch.c against servers on this host, honest, hostile, and nginx, with
// and without TLS; and answer.c, what the WIT text says of responses.
//
//   node tests/http/out.mjs [--carrel FILE] [--as USER_ID] [--only REGEXP] [--jobs N] [--verbose]
//
// The last line is `N passed, N failed, N skipped`.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { play_all, read_options, set_up } from '../carrel.mjs';
import { load_scenarios } from '../wasi/build.mjs';

const { options } = read_options('', { jobs: { type: 'string', default: '2' }, verbose: { type: 'boolean', default: false } });
const { work, run } = set_up(options, 'http-out-');
const { scenarios, build } = load_scenarios(work, path.dirname(fileURLToPath(import.meta.url)));
const fetch = build(scenarios.get('fetch'), 1);

// The cases of error-code, by their place.
const codes = ['DNS-timeout', 'DNS-error', 'destination-not-found', 'destination-unavailable', 'destination-IP-prohibited',
  'destination-IP-unroutable', 'connection-refused', 'connection-terminated', 'connection-timeout', 'connection-read-timeout',
  'connection-write-timeout', 'connection-limit-reached', 'TLS-protocol-error', 'TLS-certificate-error', 'TLS-alert-received',
  'HTTP-request-denied', 'HTTP-request-length-required', 'HTTP-request-body-size', 'HTTP-request-method-invalid',
  'HTTP-request-URI-invalid', 'HTTP-request-URI-too-long', 'HTTP-request-header-section-size', 'HTTP-request-header-size',
  'HTTP-request-trailer-section-size', 'HTTP-request-trailer-size', 'HTTP-response-incomplete',
  'HTTP-response-header-section-size', 'HTTP-response-header-size', 'HTTP-response-body-size',
  'HTTP-response-trailer-section-size', 'HTTP-response-trailer-size', 'HTTP-response-transfer-coding',
  'HTTP-response-content-coding', 'HTTP-response-timeout', 'HTTP-upgrade-failed', 'HTTP-protocol-error', 'loop-detected',
  'configuration-error', 'internal-error'];

const sum = bytes => bytes.reduce((all, byte) => Math.imul(all ^ byte, 16777619) >>> 0, 2166136261);
const body = bytes => `body ${bytes.length} ${sum(Buffer.from(bytes))}\n`;

// --- Certificates -----------------------------------------------------------------------------------
const openssl = (...args) => {
  const result = spawnSync('openssl', args, { cwd: work, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`openssl ${args.join(' ')}: ${result.stderr}`);
};
const authority = name => openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', `${name}.key`,
  '-out', `${name}.pem`, '-subj', `/CN=${name}`);
const certificate = (name, by, names, days = '2') => {
  fs.writeFileSync(path.join(work, `${name}.ext`), `subjectAltName=${names}\n`);
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
  openssl('x509', '-req', '-in', `${name}.csr`, '-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-CAcreateserial', '-days', days,
    '-extfile', `${name}.ext`, '-out', `${name}.pem`);
  return { key: fs.readFileSync(path.join(work, `${name}.key`)), cert: fs.readFileSync(path.join(work, `${name}.pem`)) };
};
authority('ours');
authority('theirs');
const good = certificate('good', 'ours', 'DNS:localhost,IP:127.0.0.1');
const wrong = certificate('wrong', 'ours', 'DNS:other.example');
const unknown = certificate('unknown', 'theirs', 'DNS:localhost');
const expired = certificate('expired', 'ours', 'DNS:localhost', '-1');
fs.chmodSync(path.join(work, 'ours.pem'), 0o644);
const trust = { SSL_CERT_FILE: path.join(work, 'ours.pem') };

// --- Servers ----------------------------------------------------------------------------------------
const listening = server => new Promise(resolve => {
  server.listen(0, '127.0.0.1', () => { server.unref(); resolve(server.address().port); });
});

const honest = (request, response) => {
  let size = 0;
  const { pathname } = new URL(request.url, 'http://x');
  request.on('data', data => { size += data.length; });
  request.on('end', () => {
    response.setHeader('X-Size', size);
    response.setHeader('X-From', request.headers['x-from'] ?? '');
    if (pathname === '/trailers') {
      response.setHeader('Trailer', 'x-sum');
      response.write('text');
      response.addTrailers({ 'X-Sum': '42' });
    }
    if (pathname === '/early') response.writeEarlyHints({ link: '</a>; rel=preload' });
    if (pathname === '/big') { response.end(Buffer.alloc(50 << 20, 'xyz')); return; }
    if (pathname === '/te') response.setHeader('X-Hop', `${request.headers.te}, ${request.headers.connection}`);
    if (pathname === '/status') response.statusCode = 418;
    if (pathname === '/redirect') { response.statusCode = 302; response.setHeader('Location', '/'); }
    if (pathname === '/slow') { response.write('a'); setTimeout(() => response.end('b'), 3000).unref(); return; }
    if (pathname === '/late') { setTimeout(() => response.end('late'), 3000).unref(); return; }
    response.end(pathname === '/trailers' || request.method === 'HEAD' ? undefined : `${request.method} ${request.url}`);
  });
};
const port = await listening(http.createServer(honest));
// One that counts its connections.
const counting = http.createServer({ keepAliveTimeout: 20_000 }, honest);
let connections = 0;
counting.on('connection', () => { connections++; });
const counted = await listening(counting);
const secure = async (settings, server = https.createServer({ ...settings }, honest)) => {
  server.on('tlsClientError', () => {});
  return listening(server);
};
const ports = {
  good: await secure(good), wrong: await secure(wrong), unknown: await secure(unknown), expired: await secure(expired),
  client: await secure({ ...good, requestCert: true, rejectUnauthorized: true, maxVersion: 'TLSv1.2' }),
  // By a callback: with a list alone, Node 18 takes whom it has no protocol in common with.
  h2: await secure(good, tls.createServer({ ...good, ALPNCallback: ({ protocols }) => protocols.find(name => name === 'h2') }, s => s.end())),
};
// nginx, with the certificate that is good: a server of others behind requests that go out. undefined: it is not there.
const nginx = async () => {
  if (spawnSync('nginx', ['-v']).error) return undefined;
  const probe = net.createServer();
  const number = await listening(probe);
  await new Promise(resolve => probe.close(resolve)); // nobody else knows of it
  const folder = path.join(work, 'nginx');
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, 'big'), Buffer.alloc(20 << 20, 'xyz'));
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${folder}/${name};`).join(' ');
  fs.writeFileSync(path.join(folder, 'conf'), `daemon off; pid ${folder}/pid; error_log /dev/null; worker_processes 1; events {}
    http { access_log off; ${places} add_header X-Size 0; add_header X-From $http_x_from;
      server { listen 127.0.0.1:${number} ssl; ssl_certificate ${work}/good.pem; ssl_certificate_key ${work}/good.key; root ${folder};
        location /say { return 200 "$request_method $request_uri $ssl_server_name"; } } }`);
  fs.chmodSync(work, 0o755);
  const child = spawn('nginx', ['-c', path.join(folder, 'conf')], { stdio: 'ignore' });
  process.on('exit', () => child.kill());
  for (let i = 0; i < 200; i++) {
    const there = await new Promise(resolve => {
      const socket = net.connect(number, '127.0.0.1', () => { socket.destroy(); resolve(true); }).on('error', () => resolve(false));
    });
    if (there) return number;
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  throw new Error('nginx does not begin');
};
const real = await nginx();
// What a hostile server says, whatever it is asked; then it ends, or falls silent.
const saying = (text, { silent = false, reset = false } = {}) => listening(net.createServer(socket => {
  socket.on('error', () => {});
  socket.once('data', () => {
    socket.write(text, () => { if (reset) socket.resetAndDestroy(); else if (!silent) socket.end(); });
  });
}));
// Ends a TLS connection in the middle, by TCP alone.
const cutting = text => secure(good, tls.createServer(good, socket => {
  socket.on('error', () => {});
  socket.once('data', () => socket.write(text, () => socket._parent?.destroy() ?? socket.destroy()));
}));

// One that is stopped, and has more connections than wait for it: to others it does not answer (tcp(7), backlog).
const stopped = () => new Promise((resolve, reject) => {
  const text = "require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () { console.log(this.address().port); })";
  const child = spawn(process.execPath, ['-e', text], { stdio: ['ignore', 'pipe', 'inherit'] });
  process.on('exit', () => child.kill('SIGKILL'));
  child.on('error', reject);
  child.stdout.once('data', data => {
    child.kill('SIGSTOP');
    const number = Number(data);
    let waiting = 0;
    for (let i = 0; i < 8; i++)
      net.connect(number, '127.0.0.1', () => { if (++waiting === 2) resolve(number); }).on('error', () => {});
  });
});
const full = await stopped();

// --- What is expected -------------------------------------------------------------------------------
const at = number => `127.0.0.1:${number}`;
const ok = (status, text, size = 0) => `status ${status}\nfield X-Size: ${size}\nfield X-From: fetch\n${body(Buffer.from(text))}`;
const get = (name, scheme, where, target, expected, more = {}) =>
  ({ ...more, name, args: [scheme, more.method ?? 'GET', where, target, ...(more.args ?? [])], expected });
const error = (where, code, alert) => `error ${where} ${codes.indexOf(code)}${alert ? ` ${alert}` : ''}\n`;
const hostile = async (name, text, code, more = {}) =>
  get(`hostile: ${name}`, 'http', at(await saying(text, more)), '/', error(more.where ?? 'response', code), { ends: true, ...more });
const head = 'HTTP/1.1 200 OK\r\n';

const section = path.join(work, 'section.json');
fs.writeFileSync(section, JSON.stringify({ version: 1, components: { [path.basename(fetch)]: { allow: { http: 'https://localhost:*' } } } }));
fs.chmodSync(section, 0o644);

const tests = [
  get('a request', 'http', at(port), '/a?b', ok(200, 'GET /a?b')),
  get('no path', 'http', at(port), '', ok(200, 'GET /')),
  get('a query alone', 'http', at(port), '?q', ok(200, 'GET /?q')),
  get('HEAD', 'http', at(port), '/', ok(200, ''), { method: 'HEAD' }),
  get('another method', 'http', at(port), '/', ok(200, 'PROPFIND /'), { method: 'PROPFIND' }),
  get('a body', 'http', at(port), '/', ok(200, 'POST /', 70000), { method: 'POST', args: ['70000'] }),
  get('a large body, in little memory', 'http', at(port), '/', ok(200, 'PUT /', 200000000),
    { method: 'PUT', args: ['200000000'], flags: ['--memory', '32M'] }),
  get('a large response, in little memory', 'http', at(port), '/big', ok(200, Buffer.alloc(50 << 20, 'xyz')), { flags: ['--memory', '32M'] }),
  get('another status', 'http', at(port), '/status', ok(418, 'GET /status')),
  get('a redirect is not followed', 'http', at(port), '/redirect', ok(302, 'GET /redirect')),
  get('early hints are passed over', 'http', at(port), '/early', ok(200, 'GET /early')),
  get('trailers', 'http', at(port), '/trailers', `${ok(200, 'text')}trailer X-Sum: 42\n`),
  get('TE is of the connection, and said to be', 'http', at(port), '/te',
    ok(200, 'GET /te').replace(/(?=body)/, 'field X-Hop: trailers, TE\n')),
  get('a host by name', 'http', `localhost:${port}`, '/', ok(200, 'GET /')),
  get('connections are used again', 'http', at(counted), '/', ok(200, 'GET /').repeat(5),
    { args: ['0', '0', '0', '0', '5'], after: () => connections === 1 ? '' : `${connections} connections` }),
  get('first byte in time', 'http', at(port), '/late', error('response', 'connection-read-timeout'), { args: ['0', '0', '300', '0'] }),
  get('bytes in time', 'http', at(port), '/slow', `${ok(200, 'a')}${error('body', 'connection-read-timeout')}`, { args: ['0', '0', '0', '300'] }),
  get('connected in time', 'http', at(full), '/', error('response', 'connection-timeout'), { args: ['0', '300', '0', '0'] }),
  get('refused', 'http', at(1), '/', error('response', 'connection-refused')),
  get('CONNECT', 'http', at(port), '/', error('response', 'HTTP-request-method-invalid'), { method: 'CONNECT' }),

  get('TLS', 'https', `localhost:${ports.good}`, '/a', ok(200, 'GET /a')),
  get('TLS: allowed by what a policy says of this component alone', 'https', `localhost:${ports.good}`, '/a', ok(200, 'GET /a'), { flags: ['--policy', section] }),
  get('TLS: an address', 'https', at(ports.good), '/a', ok(200, 'GET /a')),
  get('TLS: a large response', 'https', `localhost:${ports.good}`, '/big', ok(200, Buffer.alloc(50 << 20, 'xyz'))),
  get('TLS: a large body', 'https', `localhost:${ports.good}`, '/', ok(200, 'POST /', 20000000), { method: 'POST', args: ['20000000'] }),
  get('TLS: connections are used again', 'https', `localhost:${ports.good}`, '/', ok(200, 'GET /').repeat(3), { args: ['0', '0', '0', '0', '3'] }),
  ...(real ? [
    get('TLS: nginx, which is told the name', 'https', `localhost:${real}`, '/say?x', ok(200, 'GET /say?x localhost')),
    get('TLS: nginx, connections are used again', 'https', `localhost:${real}`, '/say', ok(200, 'GET /say localhost').repeat(3), { args: ['0', '0', '0', '0', '3'] }),
    get('TLS: nginx, a large response', 'https', `localhost:${real}`, '/big', ok(200, Buffer.alloc(20 << 20, 'xyz'))),
  ] : []),
  get('TLS: the certificate of another', 'https', `localhost:${ports.wrong}`, '/', error('response', 'TLS-certificate-error')),
  get('TLS: one that nobody trusts', 'https', `localhost:${ports.unknown}`, '/', error('response', 'TLS-certificate-error')),
  get('TLS: one that has expired', 'https', `localhost:${ports.expired}`, '/', error('response', 'TLS-certificate-error')),
  get('TLS: an alert', 'https', `localhost:${ports.client}`, '/', error('response', 'TLS-alert-received', 40)),
  get('TLS: no protocol in common', 'https', `localhost:${ports.h2}`, '/', error('response', 'TLS-alert-received', 120)),
  get('TLS: a server without', 'https', at(port), '/', error('response', 'TLS-protocol-error')),
  get('TLS: refused', 'https', 'localhost:1', '/', error('response', 'connection-refused')),
  get('TLS: cut short', 'https', `localhost:${await cutting(`${head}\r\nhalf`)}`, '/', `status 200\n${body(Buffer.from('half'))}${error('body', 'HTTP-response-incomplete')}`),

  get('denied: nothing is given', 'http', at(port), '/', error('handle', 'HTTP-request-denied'),
    { flags: [], says: new RegExp(`outgoing-handler#handle http://127.0.0.1:${port} was refused: http.out is not granted; --http http://127.0.0.1:${port}`) }),
  get('denied: another port', 'http', at(port), '/', error('handle', 'HTTP-request-denied'),
    { flags: ['--http', `http://127.0.0.1:1`], says: /no --http rule covers it; --http http:/ }),
  get('denied: another scheme', 'https', `localhost:${ports.good}`, '/', error('handle', 'HTTP-request-denied'),
    { flags: ['--http', 'http://localhost:*'], says: /--http https:\/\/localhost/ }),
  get('denied: a private address, by `all`', 'http', at(port), '/', error('handle', 'HTTP-request-denied'), { flags: ['--http', 'all'] }),
  get('denied: a private address of a name, by `all`', 'http', `localhost:${port}`, '/', error('response', 'destination-IP-prohibited'),
    { flags: ['--http', 'all'], says: /which is not public/ }),

  await hostile('nothing', '', 'connection-terminated'),
  await hostile('a reset', '', 'connection-terminated', { reset: true }),
  await hostile('half a head', 'HTTP/1.1 200 OK\r\nA: b', 'HTTP-response-incomplete'),
  await hostile('no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n', 'HTTP-protocol-error'),
  await hostile('another version', 'HTTP/2.0 200 OK\r\n\r\n', 'HTTP-protocol-error'),
  await hostile('lines that end in LF', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n', 'HTTP-protocol-error'),
  await hostile('a folded field', `${head}A: b\r\n c\r\n\r\n`, 'HTTP-protocol-error'),
  await hostile('a NUL', `${head}A: b\0c\r\n\r\n`, 'HTTP-protocol-error'),
  await hostile('two lengths', `${head}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`, 'HTTP-protocol-error'),
  await hostile('a length and a coding', `${head}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 'HTTP-protocol-error'),
  await hostile('an unknown coding', `${head}Transfer-Encoding: gzip\r\n\r\n`, 'HTTP-response-transfer-coding'),
  await hostile('a head without an end', `${head}${'A: b\r\n'.repeat(100)}${'x'.repeat(70000)}`, 'HTTP-response-header-section-size'),
  await hostile('fields without number', `${head}${'A: b\r\n'.repeat(1000)}\r\n`, 'HTTP-response-header-section-size'),
  await hostile('informational for ever', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1000), 'HTTP-protocol-error'),
  await hostile('another protocol', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n', 'HTTP-upgrade-failed'),
  await hostile('silence', '', 'connection-read-timeout', { silent: true, args: ['0', '0', '300', '0'] }),
  await hostile('a body that is too short', `${head}Content-Length: 10\r\n\r\nabc`, 'HTTP-response-incomplete', { where: 'body' }),
  await hostile('chunks without an end', `${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`, 'HTTP-response-incomplete', { where: 'body' }),
  await hostile('a chunk of no size', `${head}Transfer-Encoding: chunked\r\n\r\nx\r\n`, 'HTTP-protocol-error', { where: 'body' }),
  await hostile('a chunk too large', `${head}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n`, 'HTTP-protocol-error', { where: 'body' }),
  await hostile('a chunk with more', `${head}Transfer-Encoding: chunked\r\n\r\n1\r\nabc`, 'HTTP-protocol-error', { where: 'body' }),
  await hostile('a folded trailer', `${head}Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n c\r\n\r\n`, 'HTTP-protocol-error', { where: 'body' }),
  await hostile('a trailer with a long name', `${head}Transfer-Encoding: chunked\r\n\r\n0\r\n${'A'.repeat(5000)}: b\r\n\r\n`, 'HTTP-response-trailer-size', { where: 'body' }),
  await hostile('trailers without an end', `${head}Transfer-Encoding: chunked\r\n\r\n0\r\n${'A: b\r\n'.repeat(9000)}`, 'HTTP-response-trailer-section-size', { where: 'body' }),
  ...[...scenarios.values()].filter(one => !['fetch', 'request'].includes(one.id)).map(one =>
    ({ name: one.id, get program() { return build(one, 1); }, args: [at(port)], expected: '', code: Number(one.without) })),
];

const play = async test => {
  const flags = test.flags?.length === 0 || ['--http', '--policy'].includes(test.flags?.[0]) ? test.flags
    : ['--http', 'http://127.0.0.1:*', '--http', 'http://localhost:*', '--http', 'https://localhost:*', '--http', 'https://127.0.0.1:*', ...(test.flags ?? [])];
  const result = await run(['run', '--timeout', '60s', ...flags, test.program ?? fetch, ...test.args], '', { env: trust });
  const text = result.stdout.toString(), lines = [];
  if (test.ends ? !text.endsWith(test.expected) : text !== test.expected)
    lines.push(`said ${JSON.stringify(text.slice(0, 300))}, expected ${JSON.stringify(test.expected.slice(0, 300))}`);
  const code = test.code ?? (test.expected.includes('error ') ? 1 : 0);
  if (result.code !== code) lines.push(`exit ${result.signal ?? result.code}, expected ${code}`);
  const after = test.after?.();
  if (after) lines.push(after);
  if (test.says && !test.says.test(result.stderr)) lines.push(`explained as ${JSON.stringify(result.stderr)}`);
  if (lines.length) lines.push(...result.stderr.split('\n').slice(0, 3));
  return { state: lines.length ? 'failed' : 'passed', lines };
};

const chosen = tests.filter(one => new RegExp(options.only).test(one.name));
await play_all(chosen, play, options);
process.exit();
