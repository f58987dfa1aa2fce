// What those who run `carrel serve` see of it: the access log, /metrics and /health.
//
//   node tests/serve_watch.mjs FOLDER [--as USER_ID] [--carrel FILE] [--only REGEXP] [--verbose]
//
// FOLDER holds the component hstatus. The last line is `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import path from 'node:path';
import { play_runs, read_options, set_up } from './carrel.mjs';
import { fileURLToPath } from 'node:url';

const { options, folder } = read_options(
  'node tests/serve_watch.mjs FOLDER [--as USER_ID] [--carrel FILE] [--only REGEXP]',
  { verbose: { type: 'boolean', default: false } });
const { work, place, give, run, serve } = set_up(options, 'serve-watch-');
const here = path.dirname(fileURLToPath(import.meta.url));
const component = place(path.join(folder, 'hstatus.wasm'));
const logs = path.join(work, 'logs');
fs.mkdirSync(logs);
give(logs);

const claim = (condition, what) => { if (!condition) throw Error(what); };
const same = (got, wanted, what = 'got') =>
  claim(JSON.stringify(got) === JSON.stringify(wanted), `${what} ${JSON.stringify(got)}, expected ${JSON.stringify(wanted)}`);
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));
const until = async done => { for (let i = 0; i < 200 && !done(); i++) await sleep(20); };

const ask = (port, target, more = {}) => new Promise((resolve, reject) => {
  const request = http.request({ port, host: '127.0.0.1', path: target, agent: false, ...more }, response => {
    let body = '';
    response.on('data', data => { body += data; });
    response.on('end', () => resolve({ status: response.statusCode, type: response.headers['content-type'], body }));
    response.on('error', () => resolve({ status: response.statusCode, cut: true }));
  });
  request.on('error', reject);
  request.end();
});
const raw = (port, text) => new Promise(resolve => {
  const socket = net.connect({ port, host: '127.0.0.1' }, () => socket.write(text, 'latin1'));
  socket.on('error', () => {}).on('data', () => {}).on('close', resolve);
  setTimeout(() => socket.destroy(), 500);
});
const watched = (...flags) => watched_of(component, ...flags);
const watched_of = async (file, ...flags) => {
  const one = await serve(['--metrics', '127.0.0.1:0', ...flags, file]);
  const asked = Number(/metrics and health at http:\/\/127\.0\.0\.1:(\d+)/.exec(one.log)[1]);
  const number = async name => {
    const { body } = await ask(asked, '/metrics');
    return Number(new RegExp(`^${name.replace(/[{}+]/g, '\\$&')} (\\S+)$`, 'm').exec(body)?.[1]);
  };
  return { ...one, asked, number };
};

const tests = [];
const test = (name, what) => tests.push({ name, run: what });

test('/health, and nothing else that is not there', async () => {
  const one = await watched();
  const { status, body } = await ask(one.asked, '/health');
  same([status, body], [200, 'ok\n']);
  same((await ask(one.asked, '/')).status, 404);
  same((await ask(one.asked, '/s/200')).status, 404);
  same((await ask(one.asked, '/health', { method: 'POST' })).status, 405);
  same((await ask(one.asked, '/health', { method: 'HEAD' })).body, '');
  same((await ask(one.port, '/metrics')).body.includes('carrel'), false, 'the component answers with');
});
test('/metrics counts what happens', async () => {
  const one = await watched();
  for (const target of ['/s/200', '/s/200', '/s/404', '/trap', '/trapafter']) await ask(one.port, target);
  await raw(one.port, 'no request\r\n\r\n');
  same(await one.number('carrel_requests_total{code="2xx"}'), 3);
  same(await one.number('carrel_requests_total{code="4xx"}'), 2);
  same(await one.number('carrel_requests_total{code="5xx"}'), 1);
  same(await one.number('carrel_traps_total'), 2);
  same(await one.number('carrel_responses_cut_total'), 1);
  same(await one.number('carrel_request_duration_seconds_count'), 6);
  same(await one.number('carrel_request_duration_seconds_bucket{le="+Inf"}'), 6);
});
for (const isolation of ['instance', 'process'])
  test(`/metrics counts what was refused: ${isolation}`, async () => {
    const one = await watched_of(place(path.join(here, 'data/proxy.wasm')), '--isolation', isolation);
    for (let i = 0; i < 3; i++)
      same((await ask(one.port, '/', { headers: { 'x-to': '127.0.0.1:1' } })).status, 403);
    for (let i = 0; i < 100 && await one.number('carrel_denials_total') < 3; i++) await sleep(20); // counted when its process ends
    same(await one.number('carrel_denials_total'), 3);
  });
test('/metrics is OpenMetrics', async () => {
  const { status, type, body } = await ask((await watched()).asked, '/metrics');
  same([status, type], [200, 'application/openmetrics-text; version=1.0.0; charset=utf-8']);
  const families = new Set();
  const lines = body.trimEnd().split('\n');
  same(lines.pop(), '# EOF');
  for (const line of lines) {
    const type_of = /^# TYPE (\w+) (counter|gauge|histogram)$/.exec(line);
    if (type_of) { claim(!families.has(type_of[1]), `${type_of[1]} twice`); families.add(type_of[1]); continue; }
    claim(/^# HELP \w+ .*\.$/.test(line) || /^\w+(\{\w+="[^"]*"\})? \d+(\.\d+)?$/.test(line), line);
  }
  claim(families.size > 8, [...families].join(' '));
});
test('/metrics is of all workers, also of one that was replaced', async () => {
  const one = await watched('--workers', '2');
  for (let i = 0; i < 20; i++) await ask(one.port, '/s/200');
  for (let i = 0; i < 4; i++) same(await one.number('carrel_requests_total{code="2xx"}'), 20);
  await sleep(2500); // one that ends sooner would end all
  const worker = fs.readFileSync(`/proc/${one.child.pid}/task/${one.child.pid}/children`, 'latin1').split(' ')[0];
  process.kill(Number(worker), 'SIGKILL');
  await sleep(700);
  await ask(one.port, '/s/200');
  same(await one.number('carrel_requests_total{code="2xx"}'), 21);
  same(await one.number('carrel_cells_started_total'), 3);
});
test('time that is over is counted', async () => {
  const one = await watched('--request-timeout', '500ms');
  await ask(one.port, '/loop');
  same(await one.number('carrel_timeouts_total'), 1);
});

const logged = async (name, flags, act, expected) => test(`the access log: ${name}`, async () => {
  const file = path.join(logs, `${name}.log`.replaceAll(/\W/g, '-'));
  const one = await serve(['--access-log', file, ...flags, component]);
  await act(one.port);
  const lines = () => fs.readFileSync(file, 'utf8').split('\n').slice(0, -1);
  await until(() => lines().length >= expected.length);
  lines().forEach((line, i) => claim(expected[i]?.test(line), `${line}, expected ${expected[i]}`));
  same(lines().length, expected.length, 'lines');
});
const in_turn = (...targets) => async port => { for (const target of targets) await ask(port, target); };
const time = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ';
logged('text', [], in_turn('/s/200?a', '/trap', '/trapafter'), [
  new RegExp(`^${time} GET /s/200\\?a HTTP/1\\.1 200 7 \\d+\\.\\d{3}ms$`), /GET \/trap HTTP\/1\.1 500 0 \S+ms$/, /GET \/trapafter HTTP\/1\.1 200 7 \S+ms cut$/]);
logged('json', ['--log-format', 'json'], in_turn('/s/200?a="b'), [
  new RegExp(`^{"time":"${time}","method":"GET","target":"/s/200\\?a=\\\\u0022b","http":"1.1","status":200,"bytes":7,"microseconds":\\d+,"cut":false}$`)]);
logged('nothing gets out of its line', [], async port => {
  await raw(port, 'GET /a\rb HTTP/1.1\r\nHost: a\r\n\r\n');
  await raw(port, 'GET /\x1b[31m HTTP/1.1\r\nHost: a\r\n\r\n');
  await raw(port, 'GET /"\\ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
}, [/ - - HTTP\/1\.\d 400 0 /, / - - HTTP\/1\.\d 400 0 /, / GET \/(\\x22\\x5c)? HTTP|- - HTTP\/1.\d 400/]);
logged('HTTP/2', [], port => new Promise(resolve => {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  session.request({ ':path': '/s/200' }).on('close', () => { session.destroy(); resolve(); }).resume();
}), [/ GET \/s\/200 HTTP\/2 200 7 /]);
test('the access log: a FIFO that nobody reads any more holds nobody up', async () => {
  const file = path.join(logs, 'fifo');
  spawnSync('mkfifo', ['-m', '666', file]);
  const reader = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  const one = await serve(['--access-log', file, component]);
  for (let i = 0; i < 3000; i++) if (i % 10 === 0 || i < 100) same((await ask(one.port, `/s/200?${'x'.repeat(500)}`)).status, 200);
  fs.closeSync(reader);
  same((await ask(one.port, '/s/200')).status, 200);
});
test('the access log: a device is none', async () => {
  const { code, stderr } = await run(['serve', '--addr', '127.0.0.1:0', '--access-log', '/dev/null', component]);
  claim(code > 100 && /neither a file nor a FIFO/.test(stderr), `${code}: ${stderr}`);
});

await play_runs(tests, options);
