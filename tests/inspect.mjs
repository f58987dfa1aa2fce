// Round trips of the disassembler: what `carrel inspect` prints of a module is assembled again (wabt),
// and of the result it must print the same, places and sizes aside. Closing line `N passed, N failed,
// N skipped`; skipped is what the assembler does not know.
//   node tests/inspect.mjs FOLDER... --carrel CARREL [--every N]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders = [];
let carrel = 'build/carrel', every = 1;
for (let i = 2; i < process.argv.length; i++) {
    if (process.argv[i] === '--carrel') carrel = process.argv[++i];
    else if (process.argv[i] === '--every') every = Number(process.argv[++i]);
    else folders.push(process.argv[i]);
}

const modules = [];
function collect(path) {
    if (statSync(path).isDirectory())
        for (const name of readdirSync(path).sort()) collect(join(path, name));
    else if (path.endsWith('.wasm') && readFileSync(path).subarray(0, 8).equals(Buffer.from('\0asm\x01\0\0\0', 'latin1')))
        modules.push(path);
}
folders.forEach(collect);

const inspect = (...args) => spawnSync(carrel, ['inspect', ...args], { maxBuffer: 1 << 30, encoding: 'latin1' });

// Without offsets, sizes, names and the custom sections, which an assembler makes as it likes, and with
// segments of functions in one form.
const name = String.raw` ?\(;"(\\.|[^"\\])*"(\\3b|"(\\.|[^"\\])*")*;\)`;
const essence = (text) => text.split('\n')
    .filter((line) => !/^ *;; 0x/.test(line))
    .map((line) => line.replace(/\(;@[0-9a-f]+;\)/, '').replace(/ ;; 0x.*/, '').replace(new RegExp(name, 'g'), ''))
    .map((line) => /^ *\(elem.*funcref( \(item ref\.func \d+\))*\)$/.test(line)
        ? line.replace('funcref', 'func').replace(/\(item ref\.func (\d+)\)/g, '$1') : line)
    .join('\n').replace(/ *else\n( *end)/g, '$1');

const work = mkdtempSync(join(tmpdir(), 'inspect-'));
let passed = 0, failed = 0, skipped = 0;
try {
    for (let i = 0; i < modules.length; i += every) {
        const path = modules[i], wat = join(work, 'm.wat'), wasm = join(work, 'm.wasm');
        const first = inspect('--wat', path);
        if (first.status === 126) { skipped++; continue; }
        if (first.status !== 0) {
            failed++;
            console.log(`${path}: exit ${first.status}: ${first.stderr}`);
            continue;
        }
        writeFileSync(wat, first.stdout, 'latin1');
        const assembled = spawnSync('wat2wasm', ['--enable-all', '-o', wasm, wat], { encoding: 'utf8' });
        if (assembled.status !== 0) {
            skipped++;
            if (process.env.VERBOSE) console.log(`${path}: ${assembled.stderr.split('\n').slice(0, 3).join(' ')}`);
            continue;
        }
        const again = inspect('--wat', wasm);
        if (again.status === 126) { skipped++; continue; } // wabt 1.0.32 loses indices of types
        if (again.status === 0 && essence(again.stdout) === essence(first.stdout)) { passed++; continue; }
        failed++;
        const a = essence(first.stdout).split('\n'), b = essence(again.stdout).split('\n');
        const at = a.findIndex((line, n) => line !== b[n]);
        console.log(`${path}: differs at line ${at}:\n  ${a[at]}\n  ${b[at]} ${again.stderr}`);
    }
} finally {
    rmSync(work, { recursive: true });
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed ? 1 : 0);
