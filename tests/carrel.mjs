// What suites that run carrel have alike: their options, and a folder of their own, with a copy of
// carrel that an ordinary user reaches, too.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

// The options of a suite: --as, --carrel and --only, what `more` adds (as parseArgs has it), and the
// folder that it is about. Ends with `usage` if that is missing.
export const read_options = (usage, more = {}) => {
  const { values: options, positionals: [folder] } = parseArgs({
    allowPositionals: true,
    options: {
      as: { type: 'string' },
      carrel: { type: 'string', default: 'build/carrel' },
      only: { type: 'string', default: '' },
      ...more,
    },
  });
  if (usage && !folder) {
    console.error(`usage: ${usage}`);
    process.exit(125);
  }
  return { options, folder };
};

const patience = 120_000; // what takes longer hangs

process.setMaxListeners(100); // one for each server

// Starts a server, which ends with this program: { port, log, child }.
const start_server = (carrel, words, how) => new Promise((resolve, reject) => {
  const child = spawn(carrel, ['serve', '--addr', '127.0.0.1:0', ...words],
    { env: { PATH: process.env.PATH }, stdio: ['ignore', 'inherit', 'pipe'], ...how });
  process.on('exit', () => child.kill());
  const server = { port: 0, log: '', child };
  child.stderr.on('data', data => {
    server.log += data;
    const port = /serves on https?:\/\/127\.0\.0\.1:(\d+)/.exec(server.log);
    if (!port || server.port) return;
    server.port = Number(port[1]);
    child.unref();
    child.stderr.unref();
    resolve(server);
  });
  child.on('error', reject);
  child.on('close', code => reject(Error(`the server ended with ${code}: ${server.log}`)));
});

// A folder that is removed at the end: { work, carrel, user, place, give, run, serve }.
export const set_up = (options, prefix) => {
  const user = options.as === undefined ? undefined : Number(options.as);
  const ids = user === undefined ? {} : { uid: user, gid: user };
  const work = fs.mkdtempSync(path.join(os.tmpdir(), prefix));
  process.on('exit', () => fs.rmSync(work, { recursive: true, force: true }));
  fs.chmodSync(work, 0o755);

  // A copy of a file: an ordinary user may not reach where the build and the components lie.
  const place = (file, name = path.basename(file)) => {
    const to = path.join(work, name);
    if (!fs.existsSync(to)) fs.copyFileSync(file, to);
    fs.chmodSync(to, fs.statSync(file).mode & 0o111 ? 0o755 : 0o644);
    return to;
  };
  const carrel = place(options.carrel, 'carrel');
  place(path.join(path.dirname(options.carrel), 'carrel-engine'), 'carrel-engine');
  const tls = path.join(path.dirname(options.carrel), 'carrel-tls');
  if (fs.existsSync(tls)) place(tls, 'carrel-tls');
  const keeper = path.join(path.dirname(options.carrel), 'carrel-keyvalue');
  if (fs.existsSync(keeper)) place(keeper, 'carrel-keyvalue');

  // A tree becomes that user's.
  const give = entry => {
    if (user === undefined) return;
    fs.lchownSync(entry, user, user);
    if (fs.lstatSync(entry).isDirectory())
      for (const name of fs.readdirSync(entry)) give(path.join(entry, name));
  };

  // Runs carrel to its end: { code, signal, stdout, stderr }. On a terminal its output is all in stdout.
  // `output` is a command that standard output is piped to, `program` another one than carrel.
  const run = (words, stdin = '', { terminal = false, output, program = carrel, env = {} } = {}) => new Promise(resolve => {
    const line = [program, ...words].map(word => `'${word}'`).join(' ');
    const [command, ...args] = terminal ? ['script', '-q', '-e', '-c', line, '/dev/null']
      : output ? ['bash', '-c', `${line} | ${output}; exit \${PIPESTATUS[0]}`] : [program, ...words];
    const child = spawn(command, args, { cwd: work, env: { PATH: process.env.PATH, ...env }, ...ids });
    const out = [], err = [];
    const timer = setTimeout(() => child.kill('SIGKILL'), patience);
    child.stdout.on('data', data => out.push(data));
    child.stderr.on('data', data => err.push(data));
    child.stdin.on('error', () => {}); // it may end without reading
    child.stdin.end(stdin);
    child.on('error', error => err.push(Buffer.from(String(error))));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() });
    });
  });

  const serve = words => start_server(carrel, words, { cwd: work, ...ids });
  return { work, carrel, user, place, give, run, serve };
};

// Plays each of `tests`, `jobs` at a time, and prints what failed and the closing line.
// `play` answers { state: 'passed' | 'failed' | 'skipped', lines }.
export const play_all = async (tests, play, { jobs = 2, verbose = false } = {}) => {
  const count = { passed: 0, failed: 0, skipped: 0 };
  const queue = [...tests];
  const worker = async () => {
    for (let test = queue.shift(); test; test = queue.shift()) {
      const { state, lines } = await play(test);
      count[state]++;
      if (state === 'failed' || verbose)
        console.log(`${state.padEnd(8)} ${test.name}${lines.map(line => `\n         ${line}`).join('')}`);
    }
  };
  await Promise.all(Array.from({ length: Number(jobs) }, worker));
  console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
  process.exitCode = count.failed ? 1 : 0;
  return count;
};

// Plays those of `tests` that --only chooses, each by its `run`, which throws what is wrong; a text that it
// gives says why there was nothing to test. Ends the program.
export const play_runs = async (tests, options, { jobs = 4 } = {}) => {
  const play = async ({ run }) => {
    try {
      const missing = await run();
      return typeof missing === 'string' ? { state: 'skipped', lines: [missing] } : { state: 'passed', lines: [] };
    } catch (error) {
      return { state: 'failed', lines: [String(error.message).slice(0, 500)] };
    }
  };
  await play_all(tests.filter(({ name }) => new RegExp(options.only).test(name)), play, { jobs, verbose: options.verbose });
  process.exit();
};
