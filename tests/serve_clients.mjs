// `carrel serve` as clients of others meet it: curl, wrk and h2load, by HTTP/1.1 and HTTP/2, with and without TLS; and
// a socket that somebody else listens at, as systemd hands it over.
//
//   node tests/serve_clients.mjs FOLDER [--as USER_ID] [--carrel FILE] [--only REGEXP] [--verbose]
//
// FOLDER holds the components hhello and hecho. What is not on PATH is skipped. The last line is `N passed, N failed, N skipped`.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { play_runs, read_options, set_up } from './carrel.mjs';
import { claim, same, sleep, statuses, talk } from './wire.mjs';

const { options, folder } = read_options(
  'node tests/serve_clients.mjs FOLDER [--as USER_ID] [--carrel FILE] [--only REGEXP]',
  { verbose: { type: 'boolean', default: false } });
const { work, carrel, user, place, give, serve } = set_up(options, 'serve-clients-');

const files = { cert: path.join(work, 'own.pem'), key: path.join(work, 'own.key') };
execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
  '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', files.key, '-out', files.cert], { stdio: 'ignore' });
Object.values(files).forEach(give);
const with_tls = ['--tls-cert', files.cert, '--tls-key', files.key];

const component = name => place(path.join(folder, `${name}.wasm`));
const servers = new Map();
const server = (name, ...flags) => {
  const key = [name, ...flags].join(' ');
  if (!servers.has(key)) servers.set(key, serve([...flags, component(name)]));
  return servers.get(key);
};

const tests = [];
const has = program => !spawnSync('sh', ['-c', `command -v ${program}`]).status;
// One for which `program` has to be there.
const test = (name, program, run) => tests.push({ name: `${program}: ${name}`, run: has(program) ? run : () => `${program} is not there` });
// What a program says, which ends with 0. It runs beside this one, whose servers tell of themselves meanwhile.
const say = (program, args, input = '') => new Promise((resolve, reject) => {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: 60_000 });
  const out = [], err = [];
  child.stdout.on('data', data => out.push(data));
  child.stderr.on('data', data => err.push(data));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  child.on('error', reject);
  child.on('close', code => (code === 0 ? resolve(Buffer.concat(out)) : reject(Error(`${program} ended with ${code}: ${Buffer.concat(err)}`))));
});

// --- curl: { flags of the server, flags of curl, the version that is spoken; `once`: one request a connection } ------------------------
const ways = {
  'HTTP/1.1': { flags: [], curl: ['--http1.1'], scheme: 'http', version: '1.1' },
  // curl 7.88 does not use such a connection again, whoever the server is.
  'HTTP/2, known before': { flags: [], curl: ['--http2-prior-knowledge'], scheme: 'http', version: '2', once: true },
  // Nobody upgrades: the request is answered in the version that it came in.
  'HTTP/2, by an upgrade': { flags: [], curl: ['--http2'], scheme: 'http', version: '1.1' },
  'HTTP/1.1, TLS': { flags: with_tls, curl: ['--http1.1', '--cacert', files.cert], scheme: 'https', version: '1.1' },
  'HTTP/2, TLS': { flags: with_tls, curl: ['--http2', '--cacert', files.cert], scheme: 'https', version: '2' },
};
for (const [name, way] of Object.entries(ways)) {
  const url = ({ port }, target) => `${way.scheme}://localhost:${port}${target}`;
  test(`requests: ${name}`, 'curl', async () => {
    const one = await server('hhello', ...way.flags);
    const targets = way.once ? ['/a'] : ['/a', '/b'];
    const got = await say('curl', ['-sS', '-4', ...way.curl, '-w', '%{http_code} %{http_version} %{num_connects}\n', ...targets.map(target => url(one, target))]);
    same(got.toString(), targets.map((target, i) => `hello GET ${target}\n200 ${way.version} ${i ? 0 : 1}\n`).join(''));
  });
  test(`a body of 3 MB, whose length is not told: ${name}`, 'curl', async () => {
    const one = await server('hecho', ...way.flags);
    const body = Buffer.alloc(3_000_000, 'abcdefg');
    const got = await say('curl', ['-sS', '-4', ...way.curl, '-T', '-', '-X', 'POST', url(one, '/')], body);
    claim(got.equals(body), `${got.length} bytes came back`);
  });
}

// --- wrk and h2load -----------------------------------------------------------------------------------
for (const isolation of ['instance', 'none', 'process'])
  test(`a second of requests: ${isolation}`, 'wrk', async () => {
    const one = await server('hhello', '--isolation', isolation);
    const said = String(await say('wrk', ['-t1', '-c16', '-d1s', `http://127.0.0.1:${one.port}/`]));
    claim(Number(/(\d+) requests in/.exec(said)?.[1]) >= 16 && !/Non-2xx|Socket errors/.test(said), said);
  });
for (const [name, flags, args] of [
  ['HTTP/1.1', [], ['--h1']], ['HTTP/2', [], []],
  ['HTTP/1.1, TLS', with_tls, ['--h1']], ['HTTP/2, TLS', with_tls, []]])
  test(`a thousand requests: ${name}`, 'h2load', async () => {
    const one = await server('hhello', ...flags);
    const said = String(await say('h2load', ['-t1', '-c8', '-m10', '-n1000', ...args, `${flags.length ? 'https' : 'http'}://127.0.0.1:${one.port}/`]));
    claim(/1000 total, 1000 started, 1000 done, 1000 succeeded, 0 failed, 0 errored, 0 timeout/.test(said), said);
  });

// --- A socket of somebody else's ------------------------------------------------------------------------
// Answers what the program says, which has the socket as descriptor 3, and a function that ends it.
const activated = async (listener, assign) => {
  const ids = user === undefined ? {} : { uid: user, gid: user };
  const child = spawn('sh', ['-c', `${assign} exec '${carrel}' serve '${component('hhello')}'`],
    { cwd: work, env: { PATH: process.env.PATH }, stdio: ['ignore', 'ignore', 'pipe', listener._handle.fd], ...ids });
  const ended = new Promise(resolve => child.on('close', code => resolve(code)));
  let log = '';
  child.stderr.on('data', data => { log += data; });
  for (let i = 0; i < 1000 && !/serves on/.test(log) && child.exitCode === null; i++) await sleep(10);
  return { log, stop: () => { child.kill('SIGTERM'); return ended; } };
};
test('LISTEN_FDS is the socket that is served', 'sh', async () => {
  const listener = net.createServer();
  await new Promise(resolve => listener.listen({ port: 0, host: '127.0.0.1' }, resolve));
  const { port } = listener.address();
  const one = await activated(listener, 'LISTEN_PID=$$ LISTEN_FDS=1');
  same(Number(/serves on http:\/\/127\.0\.0\.1:(\d+)/.exec(one.log)?.[1]), port, one.log);
  const answers = [];
  listener.close(); // from here on only the server accepts
  for (let i = 0; i < 4; i++) answers.push(...statuses((await talk(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).text));
  same(answers, [200, 200, 200, 200]);
  same(await one.stop(), 0, 'it ended with');
});

await play_runs(tests, options);
