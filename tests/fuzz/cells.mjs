// Runs damaged components in real cells: prefixes and random changes of good ones. Each must end with an
// exit code that says what happened (the guest's own, 124, 126, 134, 137), in time, and never with 125,
// a signal, or silence.
//
//   node tests/fuzz/cells.mjs FOLDER [--count N] [--seed S] [--carrel FILE] [--jobs N]
//
// FOLDER holds the good ones, *.wasm. Deterministic for a seed. Last line: `N passed, N failed`.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const { values: options, positionals: [folder] } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    carrel: { type: 'string', default: 'build/carrel' },
    jobs: { type: 'string', default: '2' },
  },
});
const LARGEST = 200_000; // larger ones take longer and show nothing else
const PATIENCE = 20_000;

let state = BigInt(options.seed) * 0x9e3779b97f4a7c15n + 1n & 0xffffffffffffffffn;
const random = below => {
  state ^= state >> 12n;
  state = (state ^ state << 25n) & 0xffffffffffffffffn;
  state ^= state >> 27n;
  return Number((state * 0x2545f4914f6cdd1dn & 0xffffffffffffffffn) >> 33n) % below;
};

const good = fs.readdirSync(folder).filter(name => name.endsWith('.wasm'))
  .map(name => ({ name, bytes: fs.readFileSync(path.join(folder, name)) }))
  .filter(({ bytes }) => bytes.length <= LARGEST);
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'damaged-'));
process.on('exit', () => fs.rmSync(work, { recursive: true, force: true }));

const damage = bytes => {
  if (random(3) === 0) return bytes.subarray(0, random(bytes.length));
  const copy = Buffer.from(bytes);
  const near = random(copy.length);
  for (let n = 1 + random(4); n--;) {
    const at = random(2) ? random(copy.length) : Math.min(copy.length - 1, near + random(16));
    switch (random(4)) {
      case 0: copy[at] ^= 1 << random(8); break;
      case 1: copy[at] = random(256); break;
      case 2: copy[at] = [0, 0x7f, 0x80, 0xff][random(4)]; break;
      default: copy.copyWithin(at, random(copy.length), at + 1 + random(32));
    }
  }
  return copy;
};

const run = file => new Promise(resolve => {
  const child = spawn(options.carrel, ['run', '--timeout', '2s', '--memory', '64M', file],
    { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  child.stderr.on('data', data => { if (said.length < 2000) said += data; });
  child.on('close', (code, signal) => {
    clearTimeout(timer);
    resolve({ code, signal, said });
  });
});

const count = { passed: 0, failed: 0 };
const codes = new Map();
let next = 0;
const worker = async number => {
  const file = path.join(work, `${number}.wasm`);
  while (next < Number(options.count)) {
    const index = next++;
    const { name, bytes } = good[random(good.length)];
    const bad = damage(bytes);
    fs.writeFileSync(file, bad);
    const { code, signal, said } = await run(file);
    codes.set(code, (codes.get(code) ?? 0) + 1);
    if (code !== null && code !== 125) { count.passed++; continue; }
    count.failed++;
    const kept = path.join(os.tmpdir(), `damaged-${options.seed}-${index}.wasm`);
    fs.writeFileSync(kept, bad);
    console.log(`${kept} (of ${name}): ${signal ?? `exit ${code}`}: ${said.split('\n')[0]}`);
  }
};
await Promise.all(Array.from({ length: Number(options.jobs) }, (_, i) => worker(i)));
console.log([...codes].sort((a, b) => b[1] - a[1]).map(([code, n]) => `${n} with ${code}`).join(', '));
console.log(`${count.passed} passed, ${count.failed} failed`);
process.exitCode = count.failed ? 1 : 0;
