// Makes the components that suites serve and run, of the sources here and of the client in tests/http:
//
//   node tests/components/build.mjs FOLDER     FOLDER/NAME.wasm for each NAME below
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { load_scenarios } from '../wasi/build.mjs';

const names = { components: ['hhello', 'hecho', 'hstatus', 'tcpclient', 'words'], http: ['fetch'] };
const heap = 3 * 2 ** 16; // twice the longest piece that one of them reads, and room for names

const folder = process.argv[2];
const tests = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'components-'));
process.on('exit', () => fs.rmSync(work, { recursive: true, force: true }));
fs.mkdirSync(folder, { recursive: true });
for (const [from, wanted] of Object.entries(names)) {
  fs.mkdirSync(path.join(work, from));
  const { scenarios, build } = load_scenarios(path.join(work, from), path.join(tests, from), heap);
  for (const name of wanted)
    fs.copyFileSync(build(scenarios.get(name), 1), path.join(folder, `${name}.wasm`));
}
