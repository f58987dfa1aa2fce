// Requests that come, in a real cell, function by function as the WIT text of wasi:http/types has them:
// request.c, whose handler looks at what is sent here.
//
//   node tests/http/in.mjs [--carrel FILE] [--as USER_ID] [--only REGEXP] [--verbose]
//
// The last line is `N passed, N failed, N skipped`.
import http2 from 'node:http2';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { play_runs, read_options, set_up } from '../carrel.mjs';
import { load_scenarios } from '../wasi/build.mjs';
import { same, statuses, talk } from '../wire.mjs';

const { options } = read_options('', { verbose: { type: 'boolean', default: false } });
const { work, give, serve } = set_up(options, 'http-in-');
const { scenarios, build } = load_scenarios(work, path.dirname(fileURLToPath(import.meta.url)));
const component = build(scenarios.get('request'), 1);
give(work);

const head = (line, ...fields) => [`${line} HTTP/1.1`, ...fields, '', ''].join('\r\n');
const close = 'Connection: close', chunks = 'Transfer-Encoding: chunked';
const of = (name, status, text) => ({ name, statuses: [status].flat(), text });
const get = (target, status) => of(target.slice(1), status, head(`GET ${target}`, 'Host: a', close));
const sends = (target, status, body, ...fields) => of(target.slice(1), status, head(`POST ${target}`, 'Host: a', close, ...fields) + body);
const trails = fields => `4\r\ntext\r\n0\r\n${fields}\r\n`;
const trailed = trails('X-Sum: 42\r\n');
const looks = [
  of('method', 200, head('PUT /method', 'Host: a', 'Content-Length: 0', close)),
  of('another method', 200, head('PROPFIND /other-method', 'Host: a', close)),
  of('target, scheme and authority', 200, head('GET /target?a=b&c', 'Host: name.example:81', close)),
  of('target and authority, in absolute form', 200, head('GET http://name.example:81/target?a=b&c', 'Host: name.example:81', close)),
  of('fields', 200, head('GET /headers', 'Host: a', 'X-Many: one', 'x-many: two', close)),
  sends('/body', 200, 'hello world', 'Content-Length: 11'),
  sends('/trailers', 200, trailed, chunks),
  sends('/unread', 200, trailed, chunks),
  sends('/broken', 200, '4\r\ntext\r\nno chunk', chunks),
  sends('/folded-trailers', 200, trails('X: a\r\n b\r\n'), chunks),
  sends('/nameless-trailers', 200, trails(': a\r\n'), chunks),
  sends('/many-trailers', 200, trails('X: a\r\n'.repeat(1000)), chunks),
  sends('/large-trailers', 200, trails(`X: ${'a'.repeat(70000)}\r\n`), chunks),
  sends('/long-trailer', 200, trails(`${'X'.repeat(5000)}: a\r\n`), chunks),
  get('/request-before-headers', 500),
  get('/body-before-stream', 500),
  get('/finish-before-stream', 500),
  get('/informed', [103, 102, 200]),
  of('informed in vain: 1.0', 200, 'GET /informed-in-vain HTTP/1.0\r\n\r\n'),
  get('/error', 500),
  get('/too-large', 413),
  get('/dropped', 500),
  get('/nothing', 500),
  get('/unknown', 404),
];

// What tells a length of 6 and has no body: method, target, status, and the length that the client is told.
const told = [
  ['HEAD', '/told', 200, '6'], ['HEAD', '/told-ahead', 200, '6'], ['HEAD', '/told-alone', 200, '6'],
  ['GET', '/told-304', 304, '6'], ['GET', '/told-204', 204, undefined],
  ['GET', '/told', 500, '0'], ['GET', '/told-ahead', 500, '0'], ['GET', '/told-alone', 500, '0'],
];

// By HTTP/2: the statuses, and how much of a body came.
const by_http2 = (port, target, method = 'GET') => new Promise((resolve, reject) => {
  const session = http2.connect(`http://127.0.0.1:${port}`), got = [];
  const stream = session.request({ ':path': target, ':method': method });
  let size = 0;
  session.on('error', reject);
  stream.on('headers', headers => got.push(headers[':status'])).on('response', headers => got.push(headers[':status']));
  stream.on('data', data => { size += data.length; }).on('error', reject);
  stream.on('close', () => { session.destroy(); resolve([got, size]); });
});

const tests = [];
for (const isolation of ['instance', 'process', 'none']) {
  let server;
  const one = () => server ??= serve(['--isolation', isolation, component]);
  for (const look of looks)
    tests.push({
      name: `${look.name}: ${isolation}`,
      run: async () => same(statuses((await talk((await one()).port, look.text)).text), look.statuses, 'statuses'),
    });
  tests.push({
    name: `the fields of what informs: ${isolation}`,
    run: async () => {
      const { text } = await talk((await one()).port, looks.find(({ name }) => name === 'informed').text);
      same(text.split('\r\n').slice(0, 3), ['HTTP/1.1 103 Early Hints', 'link: </a>; rel=preload', '']);
    },
  });
  for (const [method, target, status, length] of told) {
    tests.push({
      name: `${method} ${target}, and what follows is no body of it: ${isolation}`,
      run: async () => {
        const { text } = await talk((await one()).port, head(`${method} ${target}`, 'Host: a') + head('GET /unknown', 'Host: a', close));
        const wanted = isolation === 'process' ? [status] : [status, 404]; // a process has one request of a connection
        same(statuses(text), wanted, 'statuses');
        same(/\r\ncontent-length: (\d+)/i.exec(text.split('\r\n\r\n')[0])?.[1], length, 'length');
        same(text.split('\r\n\r\n').length, wanted.length + 1, 'parts');
      },
    });
    if (isolation !== 'process')
      tests.push({ name: `${method} ${target}, by HTTP/2: ${isolation}`, run: async () => same(await by_http2((await one()).port, target, method), [[status], 0]) });
  }
  // A process speaks HTTP/1.1 alone.
  if (isolation !== 'process')
    tests.push(
      { name: `informed, by HTTP/2: ${isolation}`, run: async () => same(await by_http2((await one()).port, '/informed'), [[103, 102, 200], 0]) },
      { name: `a body of 205, by HTTP/2: ${isolation}`, run: async () => same(await by_http2((await one()).port, '/reset'), [[205], 0]) });
  tests.push({
    name: `a body of 205 is sent to nobody: ${isolation}`,
    run: async () => {
      const { text } = await talk((await one()).port, head('GET /reset', 'Host: a') + head('GET /unknown', 'Host: a', close));
      const wanted = isolation === 'process' ? [205] : [205, 404]; // a process has one request of a connection
      same(statuses(text), wanted, 'statuses');
      same([...text.matchAll(/\r\ncontent-length: (\d+)/gi)].map(found => found[1]), wanted.map(() => '0'), 'lengths');
      same(text.split('\r\n\r\n').length, wanted.length + 1, 'parts');
    },
  });
}
await play_runs(tests, options);
process.exit();
