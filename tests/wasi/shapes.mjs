// Shapes that went wrong in other runtimes, and edges of streams, files and exit codes, in real cells:
// shapes/*.c.
//
//   node tests/wasi/shapes.mjs [--carrel FILE] [--as USER_ID] [--only REGEXP] [--jobs N] [--verbose]
//                              [--walls FILE]
//
// With --walls those shapes against which more than one wall stands are played by FILE, a carrel that
// builds its cells without the walls that it is told (walls/without.c): one wall after the other is
// taken away, and another must still hold. Then a cell that is killed is as good as one that is told no.
//
// The last line is `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { play_all, read_options, set_up } from '../carrel.mjs';
import { load_scenarios } from './build.mjs';

const { options } = read_options('', { jobs: { type: 'string', default: '2' }, verbose: { type: 'boolean', default: false }, walls: { type: 'string' } });
const { work, give, place, run } = set_up(options, 'shapes-');
const { scenarios, build } = load_scenarios(work, path.join(path.dirname(fileURLToPath(import.meta.url)), 'shapes'));

// in/ is given; what lies beside it must stay as it is.
const plant = () => {
  const root = fs.mkdtempSync(path.join(work, 'tree-')), inside = path.join(root, 'in');
  fs.chmodSync(root, 0o755);
  fs.writeFileSync(path.join(root, 'outside.txt'), 'secret');
  fs.mkdirSync(path.join(inside, 'd'), { recursive: true });
  fs.writeFileSync(path.join(inside, 'f'), '0123456789');
  fs.symlinkSync('..', path.join(inside, 'out'));
  fs.symlinkSync('../outside.txt', path.join(inside, 'outfile'));
  spawnSync('mkfifo', [path.join(inside, 'fifo')]);
  spawnSync('mknod', [path.join(inside, 'null'), 'c', '1', '3']);
  give(root);
  return root;
};

// All that can be seen of a tree from outside.
const look = folder => fs.readdirSync(folder, { withFileTypes: true }).map(entry => {
  const at = path.join(folder, entry.name);
  return entry.isDirectory() ? `${entry.name}/(${look(at)})`
    : entry.isFile() ? `${entry.name}=${fs.readFileSync(at)}` : entry.name;
}).sort().join(' ');

const exit_codes = Array.from({ length: 256 }, (_, code) => code);

// What is taken away where, besides the engine's own bounds and checks.
const taken = {
  files: ['engine', 'engine,seccomp', 'engine,landlock', 'engine,mount', 'seccomp', 'landlock', 'mount', 'seccomp,landlock'],
  floods: ['seccomp', 'rlimits', 'cgroup'],
};
const stand_behind = {
  truncate_for_reading: 'files', across_directories: 'files', nothing_leaks: 'files', stray_bits: 'floods',
  too_many_random_bytes: 'floods', list_out_of_memory: 'floods', list_of_handles_out_of_memory: 'floods', list_that_wraps: 'floods',
  list_of_texts: 'floods', utf16_odd: 'floods', utf16_half_a_pair: 'floods', utf8_wrong: 'floods', handle_used_twice: 'floods',
  flood_of_handles: 'floods', flood_of_sockets: 'floods', flood_of_fields: 'floods', p1_renumber: 'floods',
};

const play = async scenario => {
  const file = build(scenario, 1), lines = [];
  const words = scenario.with.split(' ');
  const trees = [], flags = [];
  for (const word of words) {
    if (word === 'net') flags.push(...['connect=127.0.0.1:*', 'listen=127.0.0.1:*', 'udp=127.0.0.1:*'].flatMap(rule => ['--net', rule]));
    if (word === 'http') flags.push('--http', 'all');
    if (word === 'udp4000') flags.push('--net', 'udp=127.0.0.1:4000');
    if (word === 'net6') flags.push(...['connect=[::1]:*', 'listen=[::1]:*', 'udp=[::1]:*'].flatMap(rule => ['--net', rule]));
    if (word !== 'ro' && word !== 'rw') continue;
    const root = plant(), name = trees.length ? `/${trees.length}` : '/';
    trees.push({ root, read_only: word === 'ro', before: look(root) });
    flags.push('--dir', `${path.join(root, 'in')}::${name}${word === 'ro' ? ':ro' : ''}`);
  }
  const output = words.includes('full') ? 'sleep 1' : words.includes('closed') ? 'true'
    : words.includes('slow') ? 'sh -c "sleep 0.2; wc -c >&2"' : undefined;
  const printed = new Set(), times = words.includes('unique') ? 8 : 1;
  for (const code of words.includes('exit') ? exit_codes : Array(times).fill(Number(scenario.without))) {
    const args = words.includes('exit') ? [String(code)] : [];
    const without = scenario.taken_away;
    const robbed = without ? { program: place(options.walls, 'carrel-without'), env: { CARREL_WITHOUT: without } } : {};
    const started = Date.now();
    const result = await run(['run', ...flags, file, ...args], '', { output, ...robbed });
    if (Date.now() - started > 60_000) lines.push(`took ${Date.now() - started} ms`);
    if (result.code !== code && !(without && result.code === 137)) lines.push(`exit ${result.signal ?? result.code}, expected ${code}`, ...result.stderr.split('\n').slice(0, 4));
    printed.add(result.stdout.toString('hex'));
    if (words.includes('slow') && !result.stderr.split('\n').includes('1048576')) lines.push(`bytes that arrived: ${result.stderr}`);
    if (words.includes('full') && !result.stderr.includes('went on')) lines.push('standard error said nothing');
  }
  if (words.includes('unique') && printed.size !== times) lines.push('two cells printed the same');
  for (const tree of trees) {
    if (tree.read_only && look(tree.root) !== tree.before) lines.push('a directory that was given for reading was changed');
    if (fs.readFileSync(path.join(tree.root, 'outside.txt'), 'utf8') !== 'secret') lines.push('changed a file outside');
    if (fs.readdirSync(tree.root).length !== 2) lines.push(`made something outside: ${fs.readdirSync(tree.root)}`);
  }
  return { state: lines.length ? 'failed' : 'passed', lines };
};

// Without any of the walls the shape does harm: that is what shows that they are what holds.
const control = async scenario => {
  const { state, lines } = await play(scenario);
  const harmed = lines.some(line => line.includes('was changed'));
  return { state: state === 'failed' && harmed ? 'passed' : 'failed', lines: harmed ? [] : ['it did no harm where no wall stood', ...lines] };
};

const wanted = [...scenarios.values()].filter(one => new RegExp(options.only).test(one.id));
const robbed_of = (one, without, judge) => ({ ...one, name: `${one.id} without ${without}`, taken_away: without, judge });
await play_all(!options.walls ? wanted.map(one => ({ name: one.id, ...one }))
  : wanted.flatMap(one => [
    ...(taken[stand_behind[one.id]] ?? []).map(without => robbed_of(one, without)),
    ...one.id === 'truncate_for_reading' ? [robbed_of(one, 'engine,seccomp,landlock,mount', control)] : [],
  ]), one => (one.judge ?? play)(one), options);
