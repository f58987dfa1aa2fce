// Replays the preview 1 folders of the WASI test suite through carrel, in cells.
//
//   node tests/wasi/p1_suite.mjs FOLDER [--as USER_ID] [--carrel FILE] [--only REGEXP]
//
// FOLDER holds p1-c, p1-rust and p1-as: a module beside an optional JSON with `args`, `env`, `root` (a
// directory that becomes `/`; a copy of it, for tests write), `exit_code` and `stdout`. The last line is
// `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const { values: options, positionals: [folder] } = parseArgs({
  allowPositionals: true,
  options: {
    as: { type: 'string' },
    carrel: { type: 'string', default: 'build/carrel' },
    only: { type: 'string', default: '' },
  },
});
if (!folder) {
  console.error('usage: node tests/wasi/p1_suite.mjs FOLDER [--as USER_ID] [--carrel FILE] [--only REGEXP]');
  process.exit(125);
}

const patience = 120_000; // a test that takes longer hangs
const user = options.as === undefined ? undefined : Number(options.as);
const ids = user === undefined ? {} : { uid: user, gid: user };
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'p1-suite-'));
process.on('exit', () => fs.rmSync(work, { recursive: true, force: true }));
fs.chmodSync(work, 0o755);

// An ordinary user may not reach where the build and the modules lie.
const place = file => {
  const to = path.join(work, path.basename(file));
  fs.copyFileSync(file, to);
  fs.chmodSync(to, fs.statSync(file).mode & 0o111 ? 0o755 : 0o644);
  return to;
};
const carrel = place(options.carrel);
place(path.join(path.dirname(options.carrel), 'carrel-engine'));

// A copy that the test may change, and its owner.
const open_up = entry => {
  if (user !== undefined) fs.lchownSync(entry, user, user);
  const stat = fs.lstatSync(entry);
  if (stat.isSymbolicLink()) return;
  fs.chmodSync(entry, stat.isDirectory() ? 0o755 : 0o644);
  if (stat.isDirectory())
    for (const name of fs.readdirSync(entry)) open_up(path.join(entry, name));
};

const plant = from => {
  const root = path.join(work, 'root');
  fs.rmSync(root, { recursive: true, force: true });
  fs.cpSync(from, root, { recursive: true, verbatimSymlinks: true });
  open_up(root);
  return root;
};

// What is wrong: a list of sentences.
const play = (module, test) => {
  const flags = [];
  if (test.root) flags.push('--dir', `${plant(path.join(path.dirname(module), test.root))}::/`);
  for (const [name, value] of Object.entries(test.env ?? {})) flags.push('--env', `${name}=${value}`);
  const result = spawnSync(carrel, ['run', ...flags, place(module), ...test.args ?? []],
    { cwd: work, env: { PATH: process.env.PATH }, input: '', timeout: patience, ...ids });
  const wrong = [];
  const code = test.exit_code ?? 0;
  if (result.status !== code) wrong.push(`exit ${result.signal ?? result.status}, expected ${code}`);
  if (test.stdout !== undefined && result.stdout.toString() !== test.stdout)
    wrong.push(`stdout ${JSON.stringify(result.stdout.toString().slice(0, 200))}`);
  return wrong.length ? [...wrong, ...result.stderr.toString().split('\n').slice(0, 6)] : [];
};

const count = { passed: 0, failed: 0 };
for (const part of ['p1-c', 'p1-rust', 'p1-as']) {
  for (const file of fs.readdirSync(path.join(folder, part)).sort()) {
    if (!file.endsWith('.wasm') || !new RegExp(options.only).test(file)) continue;
    const module = path.join(folder, part, file);
    const about = module.replace(/\.wasm$/, '.json');
    const wrong = play(module, fs.existsSync(about) ? JSON.parse(fs.readFileSync(about)) : {});
    count[wrong.length ? 'failed' : 'passed']++;
    if (wrong.length) console.log(`failed   ${part}/${file}${wrong.map(line => `\n         ${line}`).join('')}`);
  }
}
console.log(`${count.passed} passed, ${count.failed} failed`);
process.exitCode = count.failed ? 1 : 0;
