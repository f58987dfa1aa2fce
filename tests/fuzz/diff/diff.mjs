// Differential fuzzer: modules made by binaryen's `wasm-opt -ttf` run in V8 and in carrel's engine;
// what they log, return, trap with and leave in memory must be the same.
//
//   node tests/fuzz/diff/diff.mjs [--runner FILE] [--preload FILE] [--count N] [--seed S]
//                                 [--features SET] [--keep DIR] [--corpus DIR] [--binaryen FILE]
//
// The sets: base refs all threads simd eh (the form of exceptions that came first) exnref (the
// standard form, which the module of binaryen.js, FILE, makes of the other; needs a newer V8).
//
// Deterministic for a seed (and a version of wasm-opt). A module that differs is kept in DIR of
// `--keep`. With `--corpus`, modules and what V8 said of them are kept and used again: making them
// costs ten times what comparing them does. Last line: `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import v8 from 'node:v8';

const options = {
  runner: 'build/test/host/diff-run', preload: 'build/test/many_opt.so',
  count: '300', seed: '1', features: 'base', keep: '', corpus: '',
  binaryen: 'binaryen',
};
for (let i = 2; i < process.argv.length; i += 2) {
  const name = process.argv[i].replace(/^--/, '');
  if (!(name in options) || i + 1 >= process.argv.length) {
    console.error(`diff.mjs: unknown option ${process.argv[i]}`);
    process.exit(2);
  }
  options[name] = process.argv[i + 1];
}
const BATCH = 64;

// Two proposals of `base` that V8 has behind flags in the Node of Debian 12 (10.2), and for a while after it.
const [major, minor] = process.versions.v8.split('.').map(Number);
if (major * 100 + minor < 1104) {
  v8.setFlagsFromString('--experimental-wasm-return-call');
  v8.setFlagsFromString('--experimental-wasm-extended-const');
}

// xorshift64*, so that a seed gives the same inputs everywhere.
// Each batch begins anew, so that a run can be taken up again in its middle.
let state = 0n;
function seedRandom(batch) {
  state = (BigInt(options.seed) * 0x9e3779b97f4a7c15n + BigInt(batch + 1) * 0xbf58476d1ce4e5b9n)
    & 0xffffffffffffffffn | 1n;
  for (let i = 0; i < 8; i++) random();
}
function random() {
  state ^= state >> 12n;
  state = (state ^ state << 25n) & 0xffffffffffffffffn;
  state ^= state >> 27n;
  return Number((state * 0x2545f4914f6cdd1dn & 0xffffffffffffffffn) >> 32n);
}

const BASE = ['--enable-bulk-memory', '--enable-multivalue', '--enable-sign-ext',
  '--enable-nontrapping-float-to-int', '--enable-mutable-globals', '--enable-tail-call',
  '--enable-extended-const'];
const FEATURES = {
  base: [['--mvp-features', ...BASE]],
  refs: [['--mvp-features', ...BASE, '--enable-reference-types']],
  eh: [['--mvp-features', ...BASE, '--enable-exception-handling']],
  exnref: [['--mvp-features', ...BASE, '--enable-exception-handling']],
  // Needs a V8 and a wasm-opt that speak the final encoding (node 22, binaryen 116); the latter is a
  // script if it comes from npm, and cannot be preloaded: --preload ''.
  gc: [['--mvp-features', ...BASE, '--enable-reference-types', '--enable-gc']],
  threads: [['--mvp-features', ...BASE, '--enable-threads']],
  simd: [['--mvp-features', ...BASE, '--enable-simd']],
  all: [['--mvp-features', ...BASE], ['--mvp-features', ...BASE, '--enable-reference-types']],
};
// Optimisation gives the same program other shapes: flat, nested, with more locals or fewer.
const PASSES = [[], [], ['-O1'], ['-O2'], ['-O3'], ['-Os'], ['--flatten'],
  ['--flatten', '--rereloop'], ['--flatten', '--local-cse', '-O1'], ['--coalesce-locals'],
  ['--simplify-locals'], ['--vacuum', '--precompute'], ['--rse', '--merge-locals'],
  ['--avoid-reinterprets'], ['--dce', '--code-pushing'], ['--ssa-nomerge']];

const work = fs.mkdtempSync(path.join(os.tmpdir(), 'carrel-diff-'));
process.on('exit', () => fs.rmSync(work, { recursive: true, force: true }));
const corpus = options.corpus && path.join(options.corpus, `${options.features}-${options.seed}`);

// The arguments that make a new module in `folder` of random bytes.
function command(folder, index) {
  const size = 100 + random() % (random() % 4 === 0 ? 12000 : 2500);
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++) bytes[i] = random() & 255;
  const seed = path.join(work, `seed${index}`);
  fs.writeFileSync(seed, bytes);
  const sets = FEATURES[options.features];
  const features = sets[random() % sets.length];
  const passes = PASSES[random() % PASSES.length];
  return [seed, '-ttf', '--denan', ...features, ...passes, '-o', path.join(folder, `m${index}.wasm`)];
}

// Modules number `from` to `to` in `folder`: the paths of those that wasm-opt could make.
function makeModules(folder, from, to) {
  const commands = [];
  for (let i = from; i < to; i++) commands.push(command(folder, i));
  if (!options.preload) {
    return commands.filter((c) => spawnSync('wasm-opt', c, { stdio: 'ignore', timeout: 60000 }).status === 0)
      .map((c) => c.at(-1));
  }
  const run = spawnSync('wasm-opt', [], {
    input: commands.map((c) => c.join('\t') + '\n').join(''),
    env: { ...process.env, BINARYEN_CORES: '1', LD_PRELOAD: path.resolve(options.preload) },
  });
  const codes = run.stdout.toString().trim().split('\n');
  if (codes.length !== commands.length) throw new Error(`wasm-opt: ${run.stderr}`);
  const files = commands.filter((c, i) => codes[i] === '0').map((c) => c.at(-1));
  if (options.features === 'exnref')
    for (const file of files) fs.writeFileSync(file, withExnref(fs.readFileSync(file)));
  return files;
}

const binaryen = options.features === 'exnref' ? (await import(options.binaryen)).default : null;
function withExnref(bytes) {
  const module = binaryen.readBinary(bytes);
  const { Features } = binaryen;
  module.setFeatures(['ExceptionHandling', 'ReferenceTypes', 'Multivalue', 'BulkMemory', 'SignExt',
    'NontrappingFPToInt', 'MutableGlobals', 'TailCall', 'ExtendedConst']
    .reduce((set, name) => set | Features[name], 0));
  module.runPasses(['translate-to-exnref']);
  const translated = module.emitBinary();
  module.dispose();
  return translated;
}

const WORDS = [0n, 1n, 0xffffffffffffffffn, 0x7fffffffn, 0x80000000n, 1024n, 65535n, 3n];
function argument(type, func, i) {
  const word = WORDS[(func * 7 + i * 3) % 8];
  switch (type) {
    case 0x7f: return Number(BigInt.asIntN(32, word));
    case 0x7e: return BigInt.asIntN(64, word);
    case 0x7d: return Math.fround(Number(BigInt.asIntN(32, word)));
    case 0x7c: return Number(BigInt.asIntN(32, word));
    default: return null;
  }
}

const view = new DataView(new ArrayBuffer(8));
function show(type, value) {
  switch (type) {
    case 0x7f: return ` i${(value >>> 0).toString(16)}`;
    case 0x7e: return ` I${BigInt.asUintN(64, value).toString(16)}`;
    case 0x7d:
      if (Number.isNaN(value)) return ' fnan';
      view.setFloat32(0, value);
      return ` f${view.getUint32(0).toString(16)}`;
    case 0x7c:
      if (Number.isNaN(value)) return ' Fnan';
      view.setFloat64(0, value);
      return ` F${view.getBigUint64(0).toString(16)}`;
    default: return value === null ? ' null' : ' ref';
  }
}

function trapWord(error) {
  const m = error.message;
  if (error instanceof WebAssembly.Exception) return 'uncaught exception';
  if (/call stack/.test(m)) return 'stack';
  if (/unreachable/.test(m)) return 'unreachable';
  if (/memory access|out of bounds memory/.test(m)) return 'memory';
  if (/unaligned/.test(m)) return 'unaligned';
  if (/type incompatibility/.test(m)) return 'no value of JavaScript';
  if (/by zero/.test(m)) return 'zero';
  if (/unrepresentable/.test(m)) return 'number';
  if (/signature mismatch|null function/.test(m)) return 'signature';
  if (/null pointer|null reference/.test(m)) return 'null';
  if (/illegal cast/.test(m)) return 'cast';
  if (/array element|array index/.test(m)) return 'array';
  if (/array is too large|new array/.test(m)) return 'size';
  if (/data segment/.test(m)) return 'memory';
  if (/table|element segment/.test(m)) return 'table';
  return m;
}

// The types of a module's functions, which the JS API does not tell: read from the binary.
function signatures(bytes) {
  let at = 8;
  const u = () => { let r = 0, s = 0, b; do { b = bytes[at++]; r |= (b & 127) << s; s += 7; } while (b & 128); return r >>> 0; };
  const name = () => { const n = u(); const s = bytes.toString('utf8', at, at + n); at += n; return s; };
  const limits = () => { const f = u(); u(); if (f & 1) u(); };
  const valtype = () => { const b = bytes[at++]; if (b === 0x63 || b === 0x64) u(); return b; };
  const list = () => Array.from({ length: u() }, valtype);
  const field = () => { if (bytes[at] === 0x77 || bytes[at] === 0x78) at++; else valtype(); at++; };
  const deftype = () => {
    if (bytes[at] === 0x4f || bytes[at] === 0x50) { at++; for (let n = u(); n--;) u(); }
    switch (bytes[at++]) {
      case 0x5e: field(); return null;
      case 0x5f: for (let n = u(); n--;) field(); return null;
      default: return { params: list(), results: list() };
    }
  };
  const types = [], funcs = [], exports = [];
  while (at < bytes.length) {
    const id = bytes[at++], end = u() + at;
    if (id === 1) for (let n = u(); n--;) {
      // A recursion group counts as one; each of its types has an index.
      let group = 1;
      if (bytes[at] === 0x4e) { at++; group = u(); }
      while (group--) types.push(deftype());
    }
    if (id === 2) for (let n = u(); n--;) {
      name(); const field = name(), kind = bytes[at++];
      if (kind === 0) funcs.push({ type: types[u()], import: field });
      else if (kind === 1) { valtype(); limits(); } else if (kind === 2) limits();
      else if (kind === 3) { valtype(); at++; } else { at++; u(); }
    }
    if (id === 3) for (let n = u(); n--;) funcs.push({ type: types[u()] });
    if (id === 7) for (let n = u(); n--;) { const e = { name: name(), kind: bytes[at++] }; e.index = u(); exports.push(e); }
    at = end;
  }
  return { funcs, exports };
}

// FNV-1a over words of 32 bits, rotated so that upper bits reach lower ones; as in diff_run.c.
function hash(buffer) {
  let h = 0x811c9dc5;
  const words = new Uint32Array(buffer);
  for (let i = 0; i < words.length; i++) {
    h = Math.imul(h ^ words[i], 0x01000193);
    h = h << 13 | h >>> 19;
  }
  return (h >>> 0).toString(16);
}

function transcript(bytes) {
  const out = [];
  let module;
  try { module = new WebAssembly.Module(bytes); } catch { return ['invalid']; }
  const { funcs, exports } = signatures(bytes);
  const support = {};
  // What has results gives zeros and nulls.
  const nothing = (type) => (type === 0x7e ? 0n : type >= 0x7b && type <= 0x7f ? 0 : null);
  for (const f of funcs) {
    if (!f.import) continue;
    const { params, results } = f.type;
    support[f.import] = (v) => {
      out.push(`log${show(params[0], v)}`);
      return results.length > 1 ? results.map(nothing) : nothing(results[0]);
    };
  }
  const guarded = (f) => { try { return f(); } catch (e) { out.push(` trap ${trapWord(e)}`); return null; } };
  let instance;
  out.push('start');
  guarded(() => { instance = new WebAssembly.Instance(module, { 'fuzzing-support': support, env: support }); });
  if (!instance) return out;
  exports.forEach((e, i) => {
    if (e.kind !== 0) return;
    if (instance.exports.hangLimitInitializer) instance.exports.hangLimitInitializer();
    const { params, results } = funcs[e.index].type;
    if ([...params, ...results].includes(0x7b)) return; // vectors: not to be called from here
    if (params.includes(0x64)) return; // nor with references that may not be null
    out.push(`call ${e.name}`);
    guarded(() => {
      const r = instance.exports[e.name](...params.map((t, k) => argument(t, i, k)));
      const list = results.length > 1 ? r : results.length ? [r] : [];
      out.push(` ->${list.map((v, k) => show(results[k], v)).join('')}`);
    });
  });
  exports.forEach((e) => {
    if (e.kind !== 2) return;
    const { buffer } = instance.exports[e.name];
    out.push(`memory ${buffer.byteLength.toString(16)} ${hash(buffer)}`);
  });
  return out;
}

// The modules of a batch, each with V8's transcript: { made: [{ file, expected }], refused }.
function makeBatch(number, size) {
  const folder = corpus ? path.join(corpus, `${number}`) : work;
  const kept = path.join(folder, 'transcripts.json');
  if (corpus && fs.existsSync(kept)) {
    const batch = JSON.parse(fs.readFileSync(kept));
    return { ...batch, made: batch.made.slice(0, size).map((m) => ({ ...m, file: path.join(folder, m.file) })) };
  }
  fs.mkdirSync(folder, { recursive: true });
  seedRandom(number);
  const batch = { made: [], refused: 0 };
  const wanted = corpus ? BATCH : size;
  const files = [];
  for (let made = 0; batch.made.length < wanted;) {
    if (!files.length) {
      const missing = wanted - batch.made.length;
      files.push(...makeModules(folder, made, made + missing));
      made += missing;
      continue;
    }
    const file = files.shift();
    const expected = transcript(fs.readFileSync(file));
    // Newer than this V8, or wasm-opt's fault.
    if (expected[0] === 'invalid') { batch.refused++; fs.rmSync(file); continue; }
    batch.made.push({ file, expected });
  }
  if (corpus) {
    const made = batch.made.map((m) => ({ ...m, file: path.basename(m.file) }));
    fs.writeFileSync(`${kept}.new`, JSON.stringify({ ...batch, made }));
    fs.renameSync(`${kept}.new`, kept);
  }
  return { ...batch, made: batch.made.slice(0, size) };
}

let passed = 0, failed = 0, skipped = 0, calls = 0, traps = 0;
const count = Number(options.count);
for (let done = 0, number = 0; done < count; number++) {
  const { made: batch, refused } = makeBatch(number, Math.min(BATCH, count - done));
  skipped += refused;
  const run = spawnSync(options.runner, { input: batch.map((b) => b.file).join('\n') + '\n', maxBuffer: 1 << 30 });
  const actual = new Map(run.stdout.toString().split('== ').slice(1).map((part) => {
    const lines = part.trimEnd().split('\n');
    return [lines[0], lines.slice(1)];
  }));
  for (const { file, expected } of batch) {
    const lines = actual.get(file) ?? ['(no output)'];
    const at = expected.findIndex((line, i) => line !== lines[i]);
    calls += expected.filter((l) => l.startsWith('call')).length;
    traps += expected.filter((l) => l.startsWith(' trap')).length;
    if (at < 0 && lines.length === expected.length) { passed++; continue; }
    failed++;
    const where = at < 0 ? expected.length : at;
    console.log(`batch ${number}, ${path.basename(file)}: line ${where}: V8 "${expected[where]}", carrel "${lines[where]}"`);
    if (options.keep) {
      fs.mkdirSync(options.keep, { recursive: true });
      fs.copyFileSync(file, path.join(options.keep, `${options.features}-${options.seed}-${number}-${path.basename(file)}`));
    }
  }
  done += batch.length;
  if (run.status !== 0) console.log(`runner ended with ${run.status ?? run.signal}: ${run.stderr}`);
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${count}, ${failed} failed `);
}
console.log(`${calls} calls, ${traps} traps, ${skipped} modules that V8 refuses`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
