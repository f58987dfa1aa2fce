// A component for each row of the WASI 0.2 and preview 1 tables, in real cells: what is granted works;
// what is not is refused in the way that its type has for it, by one event of the audit, and the cell
// goes on.
//
//   node tests/wasi/rows.mjs [--carrel FILE] [--as USER_ID] [--only REGEXP] [--jobs N] [--verbose]
//                            [--surface FILE]
//
// The scenarios are in rows/*.c; of each a core module is made that imports what it uses and no more
// (clang and wasm-ld), and of that a component (encode.mjs), with names and types from the table. FILE is a
// table of WASI's functions that was made from the WIT texts alone: none of its rows may be without a scenario.
// The last lines are how many rows there are, how many were tested, and `N passed, N failed, N skipped`.
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { play_all, read_options, set_up } from '../carrel.mjs';
import { load_scenarios } from './build.mjs';
import { imports_of } from './encode.mjs';
import { core_signature, later, p1_rows, rows, track_name } from './table.mjs';

const { options } = read_options('', { jobs: { type: 'string', default: '2' }, verbose: { type: 'boolean', default: false }, surface: { type: 'string' } });
const { work, give, run } = set_up(options, 'rows-');
const here = path.dirname(fileURLToPath(import.meta.url));
const { scenarios, build, core } = load_scenarios(work, path.join(here, 'rows'));

// --- Giving -----------------------------------------------------------------------------------------

const plant = () => {
  const root = fs.mkdtempSync(path.join(work, 'tree-'));
  fs.chmodSync(root, 0o755);
  fs.writeFileSync(path.join(root, 'f'), '0123456789');
  for (const name of ['d', 'e']) fs.mkdirSync(path.join(root, name));
  fs.symlinkSync('f', path.join(root, 'l'));
  give(root);
  return root;
};

// Below those that the kernel hands out by itself: nobody gets it in between.
const free_port = () => new Promise(resolve => {
  const port = 20000 + Math.floor(Math.random() * 12000), server = net.createServer();
  server.on('error', () => resolve(free_port()));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(port)));
});

// What the words of a scenario stand for: flags; what capability is withheld; how that shows.
//   -              nothing
//   ro, rw         a directory, for reading or for changes, too
//   env, config    two variables, two settings
//   timezone       Europe/Berlin
//   keyvalue       a store, box
//   net            the loopback interface
//   listen         a listening socket, to which a peer connects
//   tty            a terminal at all three streams
//   code:N         nothing, and the exit code is N
//   deny:WORD      a policy file that denies the capability
//   trap:WORD      the same, and the function traps: its type has no way to say no
//   told:WORD      the same, and the function works all the same, but is told of
const flags_for = async word => {
  const [kind, what] = word.split(':');
  switch (kind) {
    case 'ro': return ['--dir', `${plant()}::/:ro`];
    case 'rw': return ['--dir', `${plant()}::/`];
    case 'env': return ['--env', 'A=1', '--env', 'B=two'];
    case 'config': return ['--config', 'mode=fast', '--config', 'size=7'];
    case 'keyvalue': return ['--keyvalue', `box=${path.join(plant(), 'e', 'box.db')}`];
    case 'timezone': return ['--timezone', 'Europe/Berlin'];
    case 'net': return ['connect=127.0.0.1:*', 'listen=127.0.0.1:*', 'udp=127.0.0.1:*', 'dns=localhost'].flatMap(rule => ['--net', rule]);
    case 'listen': {
      const port = await free_port();
      const knock = tries => net.connect(port, '127.0.0.1').on('connect', function () { this.write('hello'); })
        .on('data', () => {}).on('error', () => tries && setTimeout(knock, 50, tries - 1));
      knock(200);
      return ['--net', `listen=127.0.0.1:${port}`];
    }
    case 'deny': case 'trap': case 'told': {
      const file = path.join(work, `deny-${what}.yaml`);
      if (!fs.existsSync(file)) fs.writeFileSync(file, `version: 1\ndeny:\n  capability: [${what}]\n`); // somebody may be reading it
      fs.chmodSync(file, 0o644);
      return ['--policy', file];
    }
    default: return [];
  }
};

// How the reason of the event begins.
const lacking = scenario => {
  const [, denied] = scenario.without.split(':');
  return denied ? `the policy denies ${denied}` : { ro: 'dir.', rw: 'dir.', env: 'env', config: 'config', keyvalue: 'keyvalue', timezone: 'timezone', net: 'net', listen: 'net' }[scenario.with];
};
const exit_code = word => {
  const [kind, what] = word.split(':');
  return kind === 'code' ? Number(what) : kind === 'trap' ? 134 : 0;
};

// --- Judging ----------------------------------------------------------------------------------------

const events_of = text => text.split('\n').filter(line => line.startsWith('{')).map(line => JSON.parse(line))
  .filter(event => event.event === 'denied');

const run_with = async (word, file) =>
  run(['run', '--denials=json', ...await flags_for(word), file, 'one', 'two'], '0123456789', { terminal: word === 'tty' });

// As events name a row; and as a module imports it.
const p1_module = 'wasi_snapshot_preview1';
const told_as = row => row.interface ? `${row.interface.name}#${row.name}` : `${p1_module}#${row.name}`;
const imports = (scenario, row) => imports_of(core(scenario)).some(({ module, field }) => row.interface
  ? module === track_name(row.interface) && field === (row.kind === 'resource' ? `[resource-drop]${row.name}` : row.name)
  : module === p1_module && field === row.name);

// One event for each function that was refused: the row's own, or the one that gives what it is a method of.
// Some scenarios need a second function to see what the row's own came to.
let told = 0;
const judge_events = (scenario, stderr) => {
  const lines = [], all = events_of(stderr), events = all.filter(event => event.why.startsWith(lacking(scenario)));
  told += all.length;
  if (events.length !== all.length) lines.push(`withheld: told of something else: ${JSON.stringify(all)}`);
  if (!events.length) lines.push(`withheld: no event: ${stderr.slice(0, 600)}`);
  for (const event of events)
    if (!event.why.startsWith('the policy denies') && !(event.flag && event.policy)) lines.push(`withheld: no way out is named: ${JSON.stringify(event)}`);
  const functions = new Set(events.map(event => event.function));
  if (functions.size !== events.length) lines.push(`withheld: told twice: ${events.map(event => `${event.function} ${event.subject ?? ''}`).join(', ')}`);
  const others = [...functions].filter(name => name !== told_as(row_of(scenario)));
  if (others.length > 1 && !scenario.with.startsWith('-')) lines.push(`withheld: several were told of: ${others.join(', ')}`);
  return lines;
};

let withheld = 0;
const play = async scenario => {
  const lines = imports(scenario, row_of(scenario)) ? [] : ['the scenario does not call the function'];
  const works = await run_with(scenario.with, build(scenario, 1));
  const complain = (what, result) => lines.push(`${what}: exit ${result.signal ?? result.code}`, ...result.stderr.split('\n').slice(0, 4));
  if (works.code !== exit_code(scenario.with)) complain('granted', works);
  if (events_of(works.stderr).length) lines.push(`granted, and yet: ${works.stderr}`);
  if (scenario.without) {
    const refused = await run_with(scenario.without, build(scenario, 0));
    const told = scenario.without.startsWith('told');
    if (refused.code !== (told ? 0 : exit_code(scenario.without) || 1)) complain('withheld', refused);
    withheld++;
    lines.push(...judge_events(scenario, refused.stderr));
  }
  return { state: lines.length ? 'failed' : 'passed', lines };
};

// Components that were built against each release of WASI 0.2 that there is, and one that there is not yet:
// a row of each package.
const versions = Array.from({ length: 14 }, (_, patch) => `0.2.${patch}`);
const of_packages = ['get_arguments', 'wall_now', 'descriptor_stat', 'output_stream_write', 'get_random_u64', 'tcp_socket_accept'];
const play_version = async scenario => {
  const { code, stderr } = await run_with(scenario.with, build(scenario, 1, scenario.version));
  return code === 0 ? { state: 'passed', lines: [] } : { state: 'failed', lines: [`exit ${code}`, ...stderr.split('\n').slice(0, 4)] };
};

const wanted = [...[...rows.values()].filter(row => row.provided && !later.has(row.capability)
  && !row.interface.name.startsWith('wasi:http')), ...p1_rows];
const tested = wanted.filter(row => scenarios.has(row.id));
const row_of = scenario => wanted.find(row => row.id === scenario.id);
const only = new RegExp(options.only);

// What the surface has of WASI 0.2 without HTTP, as it is tested: names, and core signatures. `run` is no import.
const outside = file => {
  const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\n').slice(1).map(line => line.split('\t'))
    .filter(([version, group]) => version.startsWith('0.2.') && group !== 'wasi:http');
  const known = new Map(tested.filter(row => row.interface).map(row => [told_as(row), row]));
  const wrong = lines.filter(([, group, of, , name, , signature]) => {
    const row = known.get(`${group}/${of}#${name}`);
    if (!row) return name !== 'run';
    const { params, result } = core_signature(row);
    return signature !== `(${params.join('')})${result}`;
  });
  console.log(`${lines.length} functions of the surface, ${wrong.length} without a test of their name and type`);
  for (const line of wrong) console.log(`not tested: ${line.slice(1, 7).join(' ')}`);
  return wrong.length;
};
for (const id of scenarios.keys())
  if (!wanted.some(row => row.id === id)) throw new Error(`${id}: a scenario without a row`);
const chosen = [...scenarios.values()].filter(one => only.test(one.id)).map(one => ({ name: one.id, ...one }));
await play_all([...chosen, ...chosen.filter(one => of_packages.includes(one.id))
  .flatMap(one => versions.map(version => ({ ...one, name: `${one.id} of ${version}`, version })))],
one => one.version ? play_version(one) : play(one), options);
const missing = wanted.filter(row => !scenarios.has(row.id)).map(row => row.id);
if (missing.length) console.log(`no scenario: ${missing.join(' ')}`);
if (options.surface && fs.existsSync(options.surface) && outside(options.surface)) process.exitCode = 1;
console.log(`${wanted.length} rows, ${tested.length} tested; ${withheld} withheld, ${told} events`);
if (missing.length) process.exitCode = 1;
process.exit();
