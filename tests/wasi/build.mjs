// Scenarios in C, each a component of its own: compiled once, linked so that a component imports what
// its scenario uses and nothing else. Names and types come from the table.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { make_component } from './encode.mjs';
import { header } from './header.mjs';

const base_folder = path.join(path.dirname(fileURLToPath(import.meta.url)), 'rows');

const tool = (command, args) => {
  const result = spawnSync(command, args, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${result.stderr ?? result.error}`);
};

// The scenarios of a folder's sources, and how to build one: { scenarios, build }. `scenarios` maps an
// id to { id, object, with, without }; build(scenario, granted) is the path of a component, or of a
// module of preview 1 if the id begins with p1_. `heap`: bytes of what realloc goes through; else all there are.
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

  const bases = [0, 1].map(granted => {
    const object = path.join(work, `base-${granted}.o`);
    compile(path.join(base_folder, 'base.c'), object, `-DGRANTED=${granted}`);
    return object;
  });

  const build = (scenario, granted) => {
    const base = path.join(work, `${scenario.id}-${granted}`), file = `${base}.wasm`;
    const p1 = scenario.id.startsWith('p1_');
    if (p1) compile(path.join(base_folder, 'base.c'), `${base}.o`, `-DGRANTED=${granted}`, `-DSCENARIO=row_${scenario.id}`);
    tool('wasm-ld-19', ['--no-entry', ...(p1 ? [] : ['--import-memory', `--export=row_${scenario.id}`]), '--gc-sections', '--strip-all',
      '-z', 'stack-size=65536', '--initial-memory=4194304', '-o', `${base}.core`, p1 ? `${base}.o` : bases[granted], scenario.object]);
    const module = fs.readFileSync(`${base}.core`);
    fs.writeFileSync(file, p1 ? module : make_component(module, `row_${scenario.id}`, scenario.id.startsWith('utf16_') ? 1 : 0, heap));
    fs.chmodSync(file, 0o644);
    return file;
  };
  return { scenarios, build };
};
