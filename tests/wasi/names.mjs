// Look-ups of names from cells, end to end: a nameserver of the test's own, in namespaces of the test's
// own, whose answers are honest, hostile, broken, too long for a datagram, or missing.
//
//   node tests/wasi/names.mjs [--carrel FILE] [--as USER_ID] [--only REGEXP] [--verbose]
//
// Needs root (for the nameserver's port); the last line is `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import dgram from 'node:dgram';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { play_all, read_options, set_up } from '../carrel.mjs';
import { load_scenarios } from './build.mjs';

const script = fileURLToPath(import.meta.url);
const { options } = read_options('', { verbose: { type: 'boolean', default: false }, inside: { type: 'boolean', default: false } });

if (!options.inside) {
  if (process.getuid() !== 0) {
    console.log('0 passed, 0 failed, 1 skipped: the nameserver needs root');
    process.exit(0);
  }
  const inside = `mount --make-rprivate / && ip link set lo up && ip addr add 198.51.100.7/32 dev lo`
    + ` && ip addr add 2001:db8::7/128 dev lo nodad && exec "$@"`;
  const done = spawnSync('unshare', ['--net', '--mount', 'sh', '-c', inside, 'sh', process.execPath, script, '--inside',
    ...process.argv.slice(2)], { stdio: 'inherit' });
  process.exit(done.status ?? 1);
}

const { work, run } = set_up(options, 'names-');
const { scenarios, build } = load_scenarios(work, path.join(path.dirname(script), 'names'));
const component = build(scenarios.get('names'), 1);
fs.mkdirSync(path.join(work, 'http'), { mode: 0o755 });
const http = load_scenarios(path.join(work, 'http'), path.join(path.dirname(script), '..', 'http'));
const fetch = http.build(http.scenarios.get('fetch'), 1);
fs.writeFileSync(path.join(work, 'resolv.conf'), 'nameserver 127.0.0.9\noptions attempts:1\n');
if (spawnSync('mount', ['--bind', path.join(work, 'resolv.conf'), '/etc/resolv.conf']).status !== 0)
  throw new Error('/etc/resolv.conf cannot be replaced');

// --- The nameserver ---------------------------------------------------------------------------------

const A = 1, AAAA = 28;
const four = text => Buffer.from(text.split('.').map(Number));
const documentation_six = Buffer.from('20010db8000000000000000000000007', 'hex');

// Addresses by name and type; anything else does not exist.
const zones = {
  'good.example': { [A]: [four('198.51.100.7')], [AAAA]: [documentation_six] },
  'six.example': { [AAAA]: [documentation_six] },
  'rebind.example': { [A]: [four('127.0.0.1')] },
  'rebind6.example': { [AAAA]: [Buffer.from('00000000000000000000000000000001', 'hex')] },
  'many.example': { [A]: [four('198.51.100.7'), ...Array.from({ length: 40 }, (_, i) => four(`198.51.100.${100 + i}`))] },
};

const answer = (query, over_tcp) => {
  const labels = [];
  let at = 12;
  for (; query[at]; at += query[at] + 1) labels.push(query.subarray(at + 1, at + 1 + query[at]).toString());
  const name = labels.join('.').toLowerCase(), type = query.readUInt16BE(at + 1);
  if (name === 'silent.example') return null;
  if (name === 'broken.example') return Buffer.concat([query.subarray(0, 2), Buffer.alloc(600, 0xff)]);
  const found = zones[name]?.[type] ?? [];
  const truncated = name === 'many.example' && !over_tcp;
  const head = Buffer.alloc(12);
  query.copy(head, 0, 0, 2);
  head.writeUInt16BE(0x8180 | (zones[name] ? 0 : 3) | (truncated ? 0x200 : 0), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(truncated ? 0 : found.length, 6);
  const records = truncated ? [] : found.map(data => {
    const record = Buffer.alloc(12 + data.length);
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(60, 6);
    record.writeUInt16BE(data.length, 10);
    data.copy(record, 12);
    return record;
  });
  return Buffer.concat([head, query.subarray(12, at + 5), ...records]);
};

const server = dgram.createSocket('udp4', (query, from) => {
  const text = answer(query, false);
  if (text) server.send(text, from.port, from.address);
});
await new Promise(resolve => server.bind(53, '127.0.0.9', resolve));

const streams = net.createServer(socket => {
  let have = Buffer.alloc(0), sent = Promise.resolve();
  socket.on('error', () => {});
  socket.on('data', data => {
    have = Buffer.concat([have, data]);
    while (have.length >= 2 && have.length >= 2 + have.readUInt16BE(0)) {
      const size = have.readUInt16BE(0), text = answer(have.subarray(2, 2 + size), true);
      have = have.subarray(2 + size);
      if (!text) continue;
      const prefix = Buffer.alloc(2);
      prefix.writeUInt16BE(text.length);
      // In two pieces, as it may come.
      sent = sent.then(() => socket.write(Buffer.concat([prefix, text.subarray(0, 7)])))
        .then(() => new Promise(resolve => setTimeout(resolve, 5))).then(() => socket.write(text.subarray(7)));
    }
  });
});
await new Promise(resolve => streams.listen(53, '127.0.0.9', resolve));
const target = net.createServer(socket => socket.on('error', () => {}).end());
await new Promise(resolve => target.listen(8080, '::', resolve));

// --- Cases: what is given, the name, the exit code (names/names.c), a word of the denial ------------

const DENIED = 1, UNRESOLVABLE = 18, TEMPORARY = 19;
const cases = [
  ['granted by name', ['connect=good.example:8080'], 'good.example', 0],
  ['granted below', ['connect=*.example:8080'], 'good.example', 0],
  ['letters of either size, and a dot', ['connect=good.example:8080'], 'GOOD.example.', 0],
  ['another port', ['connect=good.example:81'], 'good.example', 70 + DENIED, 'no --net rule'],
  ['only looked up', ['dns=good.example'], 'good.example', 70 + DENIED, 'net.tcp.connect is not granted'],
  ['another name', ['connect=other.example:8080'], 'good.example', 10 + DENIED, 'dns=good.example'],
  ['nothing', [], 'good.example', 10 + DENIED, 'net.dns is not granted'],
  ['IPv6', ['connect=six.example:8080'], 'six.example', 0],
  ['an address that was not looked up', ['dns=six.example', 'connect=good.example:8080'], 'six.example', 70 + DENIED],
  ['rebinding', ['connect=rebind.example:8080'], 'rebind.example', 70 + DENIED],
  ['rebinding by IPv6', ['connect=rebind6.example:8080'], 'rebind6.example', 70 + DENIED],
  ['rebinding, and named too', ['connect=rebind.example:8080', 'connect=127.0.0.1:8080'], 'rebind.example', 0],
  ['more than a datagram holds', ['connect=many.example:8080'], 'many.example', 0],
  ['no such name', ['dns=*'], 'nowhere.example', 40 + UNRESOLVABLE],
  ['a broken answer', ['dns=*'], 'broken.example', 40 + TEMPORARY],
  ['no answer', ['dns=*'], 'silent.example', 40 + TEMPORARY],
  ['the host\'s own file', ['connect=localhost:8080'], 'localhost', 0],
].map(([name, rules, host, code, word]) =>
  ({ name, words: [...rules.flatMap(rule => ['--net', rule]), component, host], code, word }));
// The same of wasi:http, whose errors have names of their own: http/fetch.c tells which case of error-code it is.
const DNS_TIMEOUT = 0, DNS_ERROR = 1;
for (const [name, host, error] of [
  ['no such name', 'nowhere.example', DNS_ERROR],
  ['a broken answer', 'broken.example', DNS_TIMEOUT],
  ['no answer', 'silent.example', DNS_TIMEOUT],
])
  cases.push({ name: `HTTP: ${name}`, words: ['--http', 'all', fetch, 'http', 'GET', host, '/'], code: 1, says: `error response ${error}\n` });

const play = async ({ words, code, word, says }) => {
  const result = await run(['run', ...words]);
  const lines = [];
  if (says && result.stdout.toString() !== says) lines.push(`said ${JSON.stringify(result.stdout.toString())}, expected ${JSON.stringify(says)}`);
  if (result.code !== code) lines.push(`exit ${result.signal ?? result.code}, expected ${code}`, ...result.stderr.split('\n').slice(0, 3));
  if (word && !result.stderr.includes(word)) lines.push(`no "${word}" in: ${result.stderr}`);
  return { state: lines.length ? 'failed' : 'passed', lines };
};
await play_all(cases.filter(one => new RegExp(options.only).test(one.name)), play, { ...options, jobs: 3 });
process.exit();
