// `carrel serve` beside nginx's `return 200` and node's http, one worker each, over the loopback: requests a second,
// p99 at half of each one's load, an echo of 2 MiB, processes for requests on one processor, from start to the first
// answer, memory when idle and after up to a million requests. Rounds are interleaved; what is printed is the median, and
// its ratio to nginx's, which keeps connections however many requests they had (h2load would not open others).
//
//   node tests/bench/serve.mjs BUILD COMPONENTS [--seconds N] [--rounds N] [--requests N] [--only REGEXP]
//
// COMPONENTS is a folder with hhello.wasm and hecho.wasm, and of what else starts there is asked for by --start FILE.
// Needs nginx, wrk and h2load (packaging/deps bench); without, nothing is measured.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { private_memory, sleep } from '../wire.mjs';

const { values: options, positionals: [build, components] } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    requests: { type: 'string', default: '1000000' },
    only: { type: 'string', default: '' },
    start: { type: 'string', multiple: true, default: [] },
  },
});
for (const program of ['nginx', 'wrk', 'h2load'])
  if (spawnSync('sh', ['-c', `command -v ${program}`]).status) {
    console.log(`${program} is not on PATH: nothing is measured`);
    process.exit();
  }
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-serve-'));
const children = [];
process.on('exit', () => {
  for (const child of children) child.kill();
  fs.rmSync(work, { recursive: true, force: true });
});

const get = port => new Promise(resolve => {
  http.get({ port, host: '127.0.0.1', agent: false }, response => response.resume().on('end', () => resolve(true))).on('error', () => resolve(false));
});
const begin = async (port, command, ...args) => {
  const child = spawn(command, args, { stdio: 'ignore' });
  children.push(child);
  while (!await get(port)) await sleep(10);
  return { port, child };
};
// Copies, as an installation has them: a linker writes its file in pages here and there, which the kernel keeps one by
// one, and each process that a request gets then takes a sixth longer to map them.
const programs = path.join(work, 'bin');
fs.mkdirSync(programs);
for (const name of ['carrel', 'carrel-engine', 'carrel-tls'])
  fs.writeFileSync(path.join(programs, name), fs.readFileSync(path.join(build, name)), { mode: 0o755 });
const component = name => path.join(components, `${name}.wasm`);
const carrel = (port, name, ...flags) =>
  begin(port, path.join(programs, 'carrel'), 'serve', '--addr', `127.0.0.1:${port}`, ...flags, component(name));
const script = (name, text) => {
  const file = path.join(work, name);
  fs.writeFileSync(file, text);
  return file;
};
const node = (port, listener) =>
  begin(port, 'node', script(`node-${port}.mjs`, `import http from 'node:http'; http.createServer(${listener}).listen(${port}, '127.0.0.1');`));

const asked = title => new RegExp(options.only).test(title);

const median = list => [...list].sort((a, b) => a - b)[list.length >> 1];
const rate = said => Number(/Requests\/sec:\s+([\d.]+)/.exec(said)[1]);
const wrk = ({ port }, ...more) =>
  rate(execFileSync('wrk', ['-t1', '-c16', `-d${options.seconds}s`, ...more, `http://127.0.0.1:${port}/`], { encoding: 'utf8' }));
// Milliseconds in which 99 of 100 requests were answered, at so many a second.
const p99 = ({ port }, rate) => {
  const log = path.join(work, 'requests'), clients = 16;
  fs.rmSync(log, { force: true });
  execFileSync('h2load', ['--h1', '-t1', `-c${clients}`, '-D', options.seconds, `--rps=${Math.max(1, Math.round(rate / clients))}`, `--log-file=${log}`,
    `http://127.0.0.1:${port}/`], { stdio: 'ignore' });
  const times = fs.readFileSync(log, 'latin1').trim().split('\n').map(line => Number(line.split('\t')[2])).sort((a, b) => a - b);
  return times[Math.floor(times.length * 0.99)] / 1000;
};

const table = async (title, unit, servers, measure, against) => {
  const got = Object.fromEntries(Object.keys(servers).map(name => [name, []]));
  for (let round = 0; round < Number(options.rounds); round++)
    for (const [name, server] of Object.entries(servers)) got[name].push(await measure(server, name));
  console.log(`\n${title} (load ${os.loadavg()[0].toFixed(1)})`);
  const base = median(got[against]);
  for (const [name, list] of Object.entries(got))
    console.log(`  ${name.padEnd(20)} ${median(list).toFixed(2).padStart(12)} ${unit}  ${(median(list) / base).toFixed(2)} x ${against}`);
  return Object.fromEntries(Object.entries(got).map(([name, list]) => [name, median(list)]));
};

if (asked('hello') || asked('p99 at half load')) {
  const hello = {
    nginx: await begin(18471, 'nginx', '-c', script('nginx.conf', `worker_processes 1; daemon off; pid ${work}/pid; error_log /dev/null;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000000; server { listen 127.0.0.1:18471; location / { return 200 "hello GET /\\n"; } } }`)),
    'carrel, instance': await carrel(18472, 'hhello'),
    'carrel, none': await carrel(18473, 'hhello', '--isolation', 'none'),
    'carrel, process': await carrel(18474, 'hhello', '--isolation', 'process'),
    'node http': await node(18475, `(request, response) => response.end('hello GET /\\n')`),
  };
  const rates = await table('hello', 'requests/s', hello, server => wrk(server), 'nginx');
  delete hello['carrel, process']; // which closes connections
  if (asked('p99 at half load'))
    await table('p99 at half load', 'ms', hello, (server, name) => p99(server, rates[name] / 2), 'nginx');
}
if (asked('process') && os.cpus().length > 1) {
  // All of the server on one processor, the client on the others.
  const pinned = await begin(18480, 'taskset', '-c', '0', path.join(programs, 'carrel'), 'serve', '--isolation', 'process', '--addr', '127.0.0.1:18480', component('hhello'));
  const cores = `1-${os.cpus().length - 1}`;
  await table('a process for each request, on one processor', 'requests/s', { 'carrel, process': pinned },
    ({ port }) => rate(execFileSync('taskset', ['-c', cores, 'wrk', '-t1', '-c16', `-d${options.seconds}s`, `http://127.0.0.1:${port}/`], { encoding: 'utf8' })),
    'carrel, process');
}
if (asked('echo')) {
  const echo = {
    'carrel, echo': await carrel(18476, 'hecho'),
    'node http, echo': await node(18477, '(request, response) => request.pipe(response)'),
  };
  const post = script('post.lua', `wrk.method = "POST"; wrk.body = string.rep("a", ${2 << 20})`);
  await table('echo of 2 MiB', 'requests/s', echo, server => wrk(server, '-s', post), 'node http, echo');
}
if (asked('start')) {
  console.log(`\nfrom start to the first answer (load ${os.loadavg()[0].toFixed(1)})`);
  for (const file of [component('hhello'), ...options.start])
    for (const cached of [[], ['--no-cache']]) {
      const said = execFileSync(path.join(build, 'test/host/first'), ['21', '18478', path.join(programs, 'carrel'), 'serve', ...cached, '--addr', '127.0.0.1:18478', file], { encoding: 'utf8' });
      const [middle, fastest] = said.trim().split(' ');
      console.log(`  ${path.basename(file).padEnd(20)} ${middle.padStart(12)} ms, the fastest ${fastest}${cached.length ? ', demand not cached' : ''}`);
    }
}
if (asked('memory')) {
  const most = Number(options.requests);
  for (const isolation of ['instance', 'process']) {
    const one = await carrel(18479 + (isolation === 'process' ? 2 : 0), 'hhello', '--isolation', isolation);
    console.log(`\nprivate memory, --isolation=${isolation}`);
    console.log(`  ${'idle'.padEnd(20)} ${String(private_memory(one.child.pid)).padStart(12)} KB`);
    // A tenth as many where each request closes its connection.
    for (let sent = 0, last = isolation === 'process' ? most / 10 : most, upto = Math.min(10000, last); sent < last; upto = Math.min(upto * 10, last)) {
      execFileSync('h2load', ['--h1', '-t1', '-c16', '-n', String(upto - sent), `http://127.0.0.1:${one.port}/`], { stdio: 'ignore' });
      sent = upto;
      console.log(`  ${`${sent} requests`.padEnd(20)} ${String(private_memory(one.child.pid)).padStart(12)} KB`);
    }
  }
}
process.exit();
