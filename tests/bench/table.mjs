// The table of `make bench`: kernels by engines, processor time, ratios to carrel.
//   node tests/bench/table.mjs BUILD [ROUNDS [NAME...]]
// Kernels are what the Makefile has put into BUILD/bench (NAME.wasm, NAME.native), and NAME.wasm of
// $SHARED/bench if that is there. Engines are those of the list below that are on PATH; EXTRA='name=command ...'
// adds some. Every round runs every engine once (interleave.c); the table shows medians. Where perf can
// count instructions, a second table has them: they hardly vary from run to run.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const [build, rounds = '9', ...names] = process.argv.slice(2);
const shared = process.env.SHARED ? join(process.env.SHARED, 'bench') : '';

// What runs a module whose _start is all there is to run.
const peers = {
    wasm3: ['wasm3'],
    wasmi: ['wasmi_cli'],
    wasmtime: ['wasmtime', 'run'],
    iwasm: ['iwasm'],
    toywasm: ['toywasm', '--wasi'],
    node: ['node', '--no-warnings', join(here, 'start.mjs')],
};

function found(program) {
    if (program.includes('/'))
        return existsSync(program);
    return process.env.PATH.split(':').some((folder) => existsSync(join(folder, program)));
}

const engines = { carrel: [join(build, 'carrel'), 'run'] };
for (const [name, command] of Object.entries(peers))
    if (found(command[0]))
        engines[name] = command;
for (const extra of (process.env.EXTRA ?? '').split(' ').filter(Boolean)) {
    const [name, command] = extra.split('=');
    engines[name] = [command];
}

function modules(folder) {
    if (!folder || !existsSync(folder))
        return [];
    return readdirSync(folder).filter((file) => file.endsWith('.wasm')).sort()
        .map((file) => ({ name: file.slice(0, -5), path: join(folder, file), native: join(folder, file.slice(0, -5) + '.native') }));
}

const own = modules(join(build, 'bench'));
const kernels = [
    ...own,
    ...modules(shared).map((kernel) => ({ ...kernel, name: `shared/${kernel.name}` })),
].filter((kernel) => !names.length || names.includes(kernel.name));

const works = (command) => spawnSync(command[0], command.slice(1), { stdio: 'ignore' }).status === 0;

function medians(commands) {
    const arguments_ = ['-u', rounds];
    commands.forEach((command, i) => arguments_.push(...(i ? ['--'] : []), ...command));
    const done = spawnSync(join(build, 'test/host/interleave'), arguments_, { encoding: 'utf8' });
    if (done.status !== 0)
        throw new Error(done.stderr || done.stdout);
    return done.stdout.trim().split('\n').map((line) => Number(line.trim().split(/\s+/)[2]));
}

function instructions(command) {
    const done = spawnSync('perf', ['stat', '-x', ',', '-e', 'instructions:u', '--', ...command], { encoding: 'utf8' });
    const count = Number((done.stderr ?? '').split('\n').find((line) => line.includes('instructions'))?.split(',')[0]);
    return Number.isFinite(count) ? count / 1e6 : undefined;
}

const columns = [...Object.keys(engines), 'native'];
const row = (name, cells) => console.log(name.padEnd(18) + cells.map((cell) => String(cell).padStart(10)).join(''));
const ratio = (number) => (number === undefined ? '-' : `x${number.toFixed(2)}`);

// One table: what `measure` gives for each kernel and engine, and how often carrel's fits into it.
function table(title, measure, digits) {
    console.log(title);
    row('', columns);
    const logs = Object.fromEntries(columns.map((column) => [column, []]));
    for (const kernel of kernels) {
        const present = columns.filter((column) => kernel.commands[column]);
        const values = measure(present.map((column) => kernel.commands[column]));
        const value = (column) => values[present.indexOf(column)];
        row(kernel.name, columns.map((column) => value(column)?.toFixed(digits) ?? '-'));
        row('', columns.map((column) => ratio(value(column) && value(column) / value('carrel'))));
        for (const column of present)
            if (value(column))
                logs[column].push(Math.log(value(column) / value('carrel')));
    }
    row('geometric mean', columns.map((column) => ratio(logs[column].length ? Math.exp(logs[column].reduce((a, b) => a + b, 0) / logs[column].length) : undefined)));
}

for (const kernel of kernels) {
    kernel.commands = {};
    for (const [engine, command] of Object.entries(engines))
        if (works([...command, kernel.path]))
            kernel.commands[engine] = [...command, kernel.path];
    if (existsSync(kernel.native))
        kernel.commands.native = [kernel.native];
    if (!kernel.commands.carrel) {
        console.error(`${kernel.name}: carrel did not run it`);
        process.exitCode = 1;
    }
}
table(`processor time in milliseconds, median of ${rounds} interleaved runs; below it how many times carrel's`, medians, 1);
if (instructions(['true']) !== undefined)
    table('\ninstructions in user mode, millions', (commands) => commands.map(instructions), 0);
else
    console.log('\n(perf cannot count instructions here)');
