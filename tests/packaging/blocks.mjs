// Executes every block of commands in a document, in its order, in one folder, and compares what it prints.
//
//   node tests/packaging/blocks.mjs [--carrel FILE] [--components FOLDER] [--by NAME] DOCUMENT...
//
//   ```sh            commands for bash, which end well
//   ```sh by=NAME    commands that something else runs: deps (packaging/deps.def must have every package), npm (those of
//                    packaging/deps.def are taken where they are installed), a file of the tests, which must have each line of the block; any
//                    other name is skipped, but where --by NAME says that this is the place: then those alone are executed
//   ```console       lines that begin with `$ ` are commands; what stands below each is what it printed
//   ```text          what the block before it printed, on both streams; `...` stands for anything
//
// The last line is `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { npm_install } from './npm.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { carrel: { type: 'string', default: 'build/carrel' }, components: { type: 'string' }, by: { type: 'string' } },
});
const root = fileURLToPath(new URL('../..', import.meta.url));
const carrel = path.resolve(values.carrel);
let passed = 0, failed = 0, skipped = 0;

const blocks_of = (text) =>
  [...text.matchAll(/^```(\w+)(?: by=(\S+))?\n(.*?)^```$/gms)].map(([, language, by, body]) => ({ language, by, body }));

const literal = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const matches = (expected, printed) => new RegExp(`^${expected.trimEnd().split('...').map(literal).join('[^]*?')}$`).test(printed.trimEnd());

const say = (document, block, why) => {
  failed++;
  console.log(`FAILED ${document}: ${block.body.trimEnd().split('\n')[0]}\n${why}`);
};

// A program of this name is found before any other that the machine has.
const make_bin = (folder) => {
  fs.mkdirSync(folder);
  fs.symlinkSync(carrel, path.join(folder, 'carrel'));
  if (fs.existsSync('/usr/bin/rustc')) fs.symlinkSync('/usr/bin/rustc', path.join(folder, 'rustc'));
};

const others = {
  deps(block) {
    const known = fs.readFileSync(path.join(root, 'packaging/deps.def'), 'utf8').matchAll(/^deb +\w+ +(\S+)/gm);
    const names = new Set([...known].map(([, name]) => name));
    const unknown = block.body.trim().split(/\s+/).slice(2).filter((name) => !names.has(name));
    return unknown.length ? `packaging/deps.def does not have ${unknown.join(', ')}` : '';
  },
  npm: (block, work) => npm_install(work, block.body.trim().split(/\s+/).slice(2)),
};
const in_file = (file, block) => {
  const text = fs.readFileSync(path.join(root, file), 'utf8');
  const lines = block.body.trim().split('\n').map((line) => line.replace(/ +#.*/, '').trim()).filter(Boolean);
  const absent = lines.filter((line) => !text.includes(line));
  return absent.length ? `${file} does not have: ${absent.join('; ')}` : '';
};

const play = (document) => {
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'blocks-'));
  make_bin(path.join(work, '.bin'));
  if (values.components) for (const [name, from] of Object.entries({ 'app.wasm': 'words.wasm', 'new.wasm': 'fetch.wasm', 'web.wasm': 'hhello.wasm' })) {
    fs.copyFileSync(path.join(values.components, from), path.join(work, name));
  }
  const blocks = blocks_of(fs.readFileSync(document, 'utf8'));
  const env = { ...process.env, PATH: `${work}/.bin:${process.env.PATH}`, HOME: work, NO_COLOR: '1' };
  // The time is for what hangs; a machine may be busy. What hangs ends with all that it started.
  const execute = (script) => spawnSync('timeout', ['-k', '5', '400', 'bash', '-c', `exec 2>&1\n${script}`], { cwd: work, env, encoding: 'utf8' });
  blocks.forEach((block, i) => {
    if (block.language === 'console' && !values.by) {
      const script = block.body.split('\n').filter((line) => line.startsWith('$ ')).map((line) => `cat <<'E_N_D'\n${line}\nE_N_D\n${line.slice(2)}`);
      const { stdout } = execute(script.join('\n'));
      return matches(block.body, stdout) ? void passed++ : say(document, block, `it printed:\n${stdout}`);
    }
    if (block.language !== 'sh') return;
    if (values.by ? block.by !== values.by : block.by && !others[block.by] && !block.by.includes('/')) return void (values.by ? 0 : skipped++);
    if (block.by && !values.by) {
      const why = others[block.by]?.(block, work) ?? in_file(block.by, block);
      return why ? say(document, block, why) : void passed++;
    }
    const { status, stdout } = execute(`set -e -o pipefail\n${block.body}`);
    const next = blocks[i + 1];
    if (status !== 0) say(document, block, `it ended with ${status}, and printed:\n${stdout}`);
    else if (next?.language === 'text' && !matches(next.body, stdout)) say(document, block, `it printed:\n${stdout}`);
    else passed++;
  });
  fs.rmSync(work, { recursive: true });
};

positionals.forEach(play);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed ? 1 : 0;
