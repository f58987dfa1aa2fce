// Each folder's README says what is there: every file that it names exists, and every file there is named, by itself
// or as one of several.
//   node tests/lint/readmes.mjs
//
// A README names files between backticks: `a.c`; `a.h`, `a.def` and `a.wasm` stand for what is made with them,
// `a.c` and `a.wat`, too, and `a` for any `a.*`; `x_*.c` and `{a,b}.c`
// stand for all of that form, and capitals (`ROOM_SUBJECT.c`) for anything.
// The last line is `N passed, N failed`.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const files = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).trim().split('\n');
const folders = new Set(files.flatMap((file) => file.split('/').slice(0, -1).map((_, i, all) => all.slice(0, i + 1).join('/'))));
// What programs write, and keys that look like a folder.
const WRITTEN = new Set(['manifest.json', 'carrel-audit.json', 'carrel.policy/']);
const KINDS = 'c|h|def|sh|mjs|md|txt|json|jq|toml|yaml|svg|wat|wasm|wit|zsh|html|service|socket';
let passed = 0, failed = 0;
const check = (ok, text) => (ok ? passed++ : (failed++, console.log(`FAILED ${text}`)));

// `{a,b}.c` -> a.c, b.c
const spread = (name) => {
  const found = name.match(/^(.*?)\{([^{}]*)\}(.*)$/);
  return found ? found[2].split(',').flatMap((one) => spread(found[1] + one.trim() + found[3])) : [name];
};
const pattern = (name) => new RegExp(`^${name.replace(/[.+^$()|[\]\\]/g, '\\$&').replace(/\*|\b[A-Z][A-Z_]+\b|[A-Z]{3,}/g, '[^/]*')}$`);

for (const readme of files.filter((file) => path.basename(file) === 'README.md' && file !== 'README.md')) {
  const folder = path.dirname(readme);
  const text = readFileSync(path.join(root, readme), 'utf8').replace(/^```[^]*?^```/gm, '');
  const here = files.filter((file) => path.dirname(file) === folder && file !== readme).map((file) => path.basename(file));
  const words = [...text.matchAll(/`([^`\n]+)`/g)].flatMap(([, word]) => spread(word));
  // What it names is there: below this folder, or from the root or the folder above; a file without a folder, anywhere.
  for (const word of words.filter((one) => new RegExp(`^[\\w@./*-]+\\.(${KINDS})$|^[a-z0-9_./-]+/$`).test(one) && !one.startsWith('/') && !WRITTEN.has(one))) {
    const name = word.replace(/\/$/, ''), wanted = [path.join(folder, name), name, path.join(path.dirname(folder), name)].map((one) => pattern(path.normalize(one)));
    check(wanted.some((one) => files.some((file) => one.test(file)) || [...folders].some((file) => one.test(file))) ||
      files.some((file) => wanted[1].test(path.basename(file))), `${readme}: there is no ${word}`);
  }
  // What is there, it names, folders as well.
  for (const below of [...folders].filter((one) => path.dirname(one) === folder)) {
    check(words.some((word) => `${word}/`.startsWith(`${path.basename(below)}/`) || word.startsWith(`${below}/`)), `${readme} does not name ${path.basename(below)}/`);
  }
  const known = words.map((word) => pattern(word.replace(/\/$/, '')));
  for (const file of here) {
    const stem = file.replace(/\.[^.]+$/, '');
    const names = [file, stem, ...['h', 'c', 'def', 'wasm'].map((kind) => `${stem}.${kind}`)];
    check(known.some((one) => names.some((name) => one.test(name))), `${readme} does not name ${file}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
