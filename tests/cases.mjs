// Replays a folder of components with expected behaviours (cases.json) through carrel, in cells.
//
//   node tests/cases.mjs FOLDER [--as USER_ID] [--carrel FILE] [--only REGEXP] [--jobs N] [--verbose] [--serve FLAGS]
//
// FOLDER holds cases.json and the components; its README describes the fields. The
// last line is `N passed, N failed, N skipped`.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { play_all, read_options, set_up } from './carrel.mjs';

const { options, folder } = read_options(
  'node tests/cases.mjs FOLDER [--as USER_ID] [--carrel FILE] [--only REGEXP]',
  { jobs: { type: 'string', default: '2' }, serve: { type: 'string', default: '' }, // flags of `carrel serve`
    verbose: { type: 'boolean', default: false } });
const { work, place, give, run, serve } = set_up(options, 'cases-');

// Cases whose expectation contradicts itself or the specification: what is judged instead, and why.
// Each is named in the output.
const contradictions = {
  'chello': {
    expected_stdout: 'argc=5\n[1]=0\n[2]=a b\n[3]=é\n[4]=\nenv K=v\nenv EMPTY=\nenv U=ü=1\n',
    why: 'its oracle never calls realloc for an empty string, so that the adapter writes the end of '
      + '"EMPTY=" elsewhere; CanonicalABI.md (store_string_copy) calls it',
  },
  'hhello:odd-method': {
    response: { status: 200, headers: ['x-multi: two'], body: 'hello PURGE /x\n' },
    why: 'its oracle makes the method small; methods are case-sensitive (RFC 9110, 9.1)',
  },
  'ctrap-sig': {
    exit: 0,
    why: 'its expected output ends in "done", which a program prints that has not trapped; the compiler '
      + 'had folded the call that was meant to trap',
  },
};
const time_limit = '3s';

const component = file => place(path.join(folder, file), file);

// The trees that a case may ask for: `in/` is what the component sees, the rest lies outside of it.
const trees = {
  empty: () => {},
  plain: inside => {
    fs.symlinkSync('../outside.txt', path.join(inside, 'evil'));
    fs.symlinkSync('..', path.join(inside, 'evildir'));
  },
  escape: inside => {
    trees.plain(inside);
    fs.writeFileSync(path.join(inside, 'ok.txt'), 'fine\n');
    fs.symlinkSync('ok.txt', path.join(inside, 'good'));
    fs.symlinkSync('/etc/passwd', path.join(inside, 'abs'));
    fs.symlinkSync('/etc', path.join(inside, 'absdir'));
    fs.symlinkSync('loop2', path.join(inside, 'loop1'));
    fs.symlinkSync('loop1', path.join(inside, 'loop2'));
    fs.mkdirSync(path.join(inside, 'sub'));
  },
};

const plant = name => {
  const root = fs.mkdtempSync(path.join(work, 'tree-'));
  fs.mkdirSync(path.join(root, 'in'));
  fs.mkdirSync(path.join(root, 'two'));
  fs.writeFileSync(path.join(root, 'two/hello.txt'), 'hi two\n');
  fs.writeFileSync(path.join(root, 'outside.txt'), 'secret\n');
  trees[name](path.join(root, 'in'));
  give(root);
  return root;
};

const exit_codes = { trap: 134 };
const expected_code = test =>
  typeof test.exit === 'string' && test.exit.startsWith('timeout') ? 124
    : exit_codes[test.exit] ?? test.exit;

const show = bytes => JSON.stringify(bytes.toString().slice(0, 300));

// What is wrong with a result: a list of sentences.
const judge = (test, result, root) => {
  const wrong = [];
  const code = expected_code(test);
  if (result.code !== code)
    wrong.push(`exit ${result.signal ?? result.code}, expected ${code}`);
  if (test.expected_stdout_sha256) {
    const sum = createHash('sha256').update(result.stdout).digest('hex');
    if (sum !== test.expected_stdout_sha256)
      wrong.push(`stdout of ${result.stdout.length} bytes has another digest, expected ${test.stdout_len} bytes`);
  } else {
    const expected = Buffer.from(test.expected_stdout ?? '');
    const got = test.match === 'prefix' ? result.stdout.subarray(0, expected.length) : result.stdout;
    if (!got.equals(expected)) {
      let at = 0;
      while (at < got.length && got[at] === expected[at]) at++;
      wrong.push(`stdout differs from byte ${at}: ${show(got.subarray(at))}, expected ${show(expected.subarray(at))}`);
    }
  }
  // Where only the beginning of the output is known, what it left behind is not known either.
  if (test.after && test.match !== 'prefix') {
    const left = fs.readdirSync(path.join(root, 'in')).sort();
    if (JSON.stringify(left) !== JSON.stringify([...test.after].sort()))
      wrong.push(`left ${left.join(' ')}, expected ${test.after.join(' ')}`);
  }
  if (root && fs.readFileSync(path.join(root, 'outside.txt'), 'utf8') !== 'secret\n')
    wrong.push('changed a file outside its directory');
  return wrong;
};

// What cases connect to: the server of the folder, as long as somebody needs it. { http, tcp }
let server;
const ports = () => {
  server ??= new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(folder, 'tools/srv.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
    process.on('exit', () => child.kill());
    child.stdout.once('data', line => { child.unref(); child.stdout.unref(); resolve(JSON.parse(line)); });
    child.once('error', reject);
  });
  return server;
};
const with_ports = async args => {
  if (!args.some(arg => arg.includes('_PORT}'))) return args;
  const { http, tcp } = await ports();
  return args.map(arg => arg.replaceAll('${TCP_PORT}', tcp).replaceAll('${HTTP_PORT}', http));
};

const play_command = async test => {
  const root = test.fs ? plant(test.fs) : undefined;
  const flags = [];
  for (const [guest, inside] of Object.entries(test.dirs ?? {}))
    flags.push('--dir', `${path.join(root, inside)}::${guest}`);
  for (const [name, value] of Object.entries(test.env ?? {})) flags.push('--env', `${name}=${value}`);
  if (test.area.startsWith('sockets'))
    flags.push('--net', 'connect=127.0.0.1:*', '--net', 'udp=127.0.0.1:*');
  if (test.area.startsWith('http-out')) flags.push('--http', 'http://127.0.0.1:*');
  if (expected_code(test) === 124) flags.push('--timeout', time_limit);
  const stdin = test.stdin_gen ? test.stdin_gen.repeat.repeat(test.stdin_gen.times) : test.stdin ?? '';
  const result = await run(['run', ...flags, component(test.file), ...await with_ports(test.args)], stdin);
  return { result, root };
};

// --- Components that answer requests ---------------------------------------------------------------

// One server for all cases of a component, as long as this program runs.
const servers = new Map();
const server_of = file => {
  const flags = options.serve.split(' ').filter(Boolean);
  if (!servers.has(file)) servers.set(file, serve([...flags, component(file)]));
  return servers.get(file);
};

// "'abcdefg' repeated to 2097152 bytes"
const body_of = text => {
  const repeated = /^'(.*)' repeated to (\d+) bytes$/.exec(text);
  return repeated ? Buffer.alloc(Number(repeated[2]), repeated[1]) : Buffer.from(text);
};

// Asks, and takes the whole answer: { status, headers, trailers, body, error }.
const ask = (port, { method, path: target, headers, body }) => new Promise(resolve => {
  const parts = [];
  const answer = { status: 0, headers: [], trailers: [], body: Buffer.alloc(0) };
  const done = error => resolve({ ...answer, error: answer.error ?? error, body: Buffer.concat(parts) });
  const request = http.request({ port, method, path: target, headers, agent: false, timeout: 20_000 }, response => {
    answer.status = response.statusCode;
    for (let i = 0; i < response.rawHeaders.length; i += 2)
      answer.headers.push(`${response.rawHeaders[i].toLowerCase()}: ${response.rawHeaders[i + 1]}`);
    response.on('data', data => parts.push(data));
    response.on('end', () => { answer.trailers = response.rawTrailers; done(); });
    response.on('error', error => done(error));
  });
  request.on('error', error => done(error));
  request.on('timeout', () => request.destroy(Error('no answer')));
  request.end(body_of(body));
});

const judge_response = (expected, got) => {
  const wrong = [];
  const broken = expected.error !== undefined;
  if (got.status !== expected.status) wrong.push(`status ${got.status}, expected ${expected.status}`);
  if (broken !== (got.error !== undefined)) wrong.push(`ended with ${got.error ?? 'a whole body'}`);
  for (const line of expected.headers ?? []) {
    const [, name, value] = /^([^:]*): (.*)$/s.exec(line);
    if (!got.headers.includes(`${name.toLowerCase()}: ${value}`)) wrong.push(`no header ${line}`);
  }
  const trailers = got.trailers.map(text => text.toLowerCase());
  if (JSON.stringify(trailers) !== JSON.stringify(expected.trailers ?? []))
    wrong.push(`trailers ${got.trailers}, expected ${expected.trailers}`);
  const body = broken ? expected.partial : expected.body;
  if (body !== undefined && got.body.toString() !== body)
    wrong.push(`body ${show(got.body)}, expected ${show(Buffer.from(body))}`);
  if (expected.body_sha256 && createHash('sha256').update(got.body).digest('hex') !== expected.body_sha256)
    wrong.push(`body of ${got.body.length} bytes has another digest, expected ${expected.body_len} bytes`);
  return wrong;
};

const play_proxy = async test => {
  const server = await server_of(test.file).catch(error => ({ error }));
  if (server.error) return { state: 'failed', lines: [String(server.error)] };
  const wrong = judge_response(test.response, await ask(server.port, test.request));
  return wrong.length ? { state: 'failed', lines: [...wrong, ...server.log.split('\n').slice(1, 5)] }
    : { state: 'passed', lines: [] };
};

const play = async test => {
  if (test.kind === 'proxy') return play_proxy(test);
  const { result, root } = await play_command(test);
  const wrong = judge(test, result, root);
  return wrong.length ? { state: 'failed', lines: [...wrong, ...result.stderr.split('\n').slice(0, 5)] }
    : { state: 'passed', lines: [] };
};

const cases = JSON.parse(fs.readFileSync(path.join(folder, 'cases.json')))
  .filter(test => new RegExp(options.only).test(test.name))
  .map(test => ({ ...test, ...contradictions[test.name] }));
for (const test of cases.filter(one => one.why)) console.log(`instead  ${test.name}: ${test.why}`);
await play_all(cases, play, options);
