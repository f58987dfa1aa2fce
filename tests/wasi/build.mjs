// Scenarios in C, each a component of its own: compiled once, linked so that a component imports what
// its scenario uses and nothing else. Names and types come from the table.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { make_component, rename_export } from './encode.mjs';
import { header } from './header.mjs';

const base_folder = path.join(path.dirname(fileURLToPath(import.meta.url)), 'rows');

const tool = (command, args) => {
  const result = spawnSync(command, args, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${result.stderr ?? result.error}`);
};

// What `granted` of base.c holds until it is known.
const unknown = Buffer.from('tnrg');

// The scenarios of a folder's sources, and how to build one: { scenarios, build, core }. `scenarios` maps an
// id to { id, object, with, without }; build(scenario, granted) is the path of a component, or of a
// module of preview 1 if the id begins with p1_, built against another version of WASI 0.2 if a third argument says
// so; core(scenario) is the core module, as bytes. `heap`: bytes of
// what realloc goes through; else all there are.
export const load_scenarios = (work, sources, heap = undefined) => {
  const include = path.join(work, 'include');
  fs.mkdirSync(include);
  fs.writeFileSync(path.join(include, 'wasi.h'), header());
  const compile = (source, object, ...defines) => tool('clang-19', ['--target=wasm32', '-c', '-O1', '-std=c17', '-nostdlib',
    '-ffreestanding', '-fno-builtin', '-mbulk-memory', '-ffunction-sections', '-fdata-sections', '-Wall', '-Wextra', '-Werror',
    `-I${include}`, `-I${base_folder}`, ...defines, '-o', object, source]);

  // The scenarios: { id, file, with, without }.
  const scenarios = new Map();
  for (const name of fs.readdirSync(sources).filter(name => name.endsWith('.c') && name !== 'base.c')) {
    const object = path.join(work, name.replace(/c$/, 'o'));
    compile(path.join(sources, name), object);
    // What the macros of the file make of it.
    const text = spawnSync('clang-19', ['--target=wasm32', '-E', '-P', '-DROW(id,with,without)=ROW_IS id with without', `-I${include}`,
      `-I${base_folder}`, path.join(sources, name)], { encoding: 'utf8' }).stdout;
    for (const found of text.matchAll(/ROW_IS (\w+) "([^"]*)" "([^"]*)"/g))
      scenarios.set(found[1], { id: found[1], object, with: found[2], without: found[3] });
  }

  const base_object = path.join(work, 'base.o');
  compile(path.join(base_folder, 'base.c'), base_object);

  const is_p1 = scenario => scenario.id.startsWith('p1_');

  // The core module of a scenario, linked once for both.
  const linked = new Map();
  const link = scenario => {
    const file = path.join(work, `${scenario.id}.core`), p1 = is_p1(scenario);
    const start = `${p1 ? 'start' : 'row'}_${scenario.id}`;
    tool('wasm-ld-19', ['--no-entry', ...(p1 ? [] : ['--import-memory']), `--export=${start}`, '--gc-sections', '--strip-all',
      '-z', 'stack-size=65536', '--initial-memory=4194304', '-o', file, base_object, scenario.object]);
    const module = fs.readFileSync(file);
    return p1 ? rename_export(module, start, '_start') : module;
  };
  const core = scenario => {
    if (!linked.has(scenario.id)) linked.set(scenario.id, link(scenario));
    return linked.get(scenario.id);
  };

  // The module with the value of `granted` (base.c), if it asks for that.
  const told = (module, granted) => {
    const copy = Buffer.from(module), at = copy.indexOf(unknown);
    if (at < 0) return copy;
    if (copy.indexOf(unknown, at + 1) >= 0) throw new Error('the value of `granted` is there twice');
    copy.writeUInt32LE(granted, at);
    return copy;
  };

  const build = (scenario, granted, version = undefined) => {
    const file = path.join(work, `${scenario.id}-${granted}${version ? `-${version}` : ''}.wasm`);
    if (fs.existsSync(file)) return file; // somebody may be reading it
    const module = told(core(scenario), granted);
    fs.writeFileSync(file, is_p1(scenario) ? module
      : make_component(module, `row_${scenario.id}`, scenario.id.startsWith('utf16_') ? 1 : 0, heap, version, scenario.with === 'request'));
    fs.chmodSync(file, 0o644);
    return file;
  };
  return { scenarios, build, core };
};
