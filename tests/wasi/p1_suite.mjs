// Replays the preview 1 folders of the WASI test suite through carrel, in cells.
//
//   node tests/wasi/p1_suite.mjs FOLDER [--as USER_ID] [--carrel FILE] [--only REGEXP]
//
// FOLDER holds p1-c, p1-rust and p1-as: a module beside an optional JSON with `args`, `env`, `root` (a
// directory that becomes `/`; a copy of it, for tests write), `exit_code` and `stdout`. The last line is
// `N passed, N failed, N skipped`.
import fs from 'node:fs';
import path from 'node:path';
import { play_all, read_options, set_up } from '../carrel.mjs';

const { options, folder } = read_options(
  'node tests/wasi/p1_suite.mjs FOLDER [--as USER_ID] [--carrel FILE] [--only REGEXP]');
const { work, place, give, run } = set_up(options, 'p1-suite-');

// Whatever its modes are, a test may change its copy.
const open_up = entry => {
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
  give(root);
  return root;
};

const play = async ({ part, file }) => {
  const module = path.join(folder, part, file);
  const about = module.replace(/\.wasm$/, '.json');
  const test = fs.existsSync(about) ? JSON.parse(fs.readFileSync(about)) : {};
  const flags = [];
  if (test.root) flags.push('--dir', `${plant(path.join(path.dirname(module), test.root))}::/`);
  for (const [name, value] of Object.entries(test.env ?? {})) flags.push('--env', `${name}=${value}`);
  const result = await run(['run', ...flags, place(module, `${part}-${file}`), ...test.args ?? []]);
  const wrong = [];
  const code = test.exit_code ?? 0;
  if (result.code !== code) wrong.push(`exit ${result.signal ?? result.code}, expected ${code}`);
  if (test.stdout !== undefined && result.stdout.toString() !== test.stdout)
    wrong.push(`stdout ${JSON.stringify(result.stdout.toString().slice(0, 200))}`);
  return wrong.length ? { state: 'failed', lines: [...wrong, ...result.stderr.split('\n').slice(0, 6)] }
    : { state: 'passed', lines: [] };
};

const tests = ['p1-c', 'p1-rust', 'p1-as'].flatMap(part => fs.readdirSync(path.join(folder, part)).sort()
  .filter(file => file.endsWith('.wasm') && new RegExp(options.only).test(file))
  .map(file => ({ name: `${part}/${file}`, part, file })));
await play_all(tests, play, { jobs: 1 }); // one tree for all
