// What `carrel inspect` prints of a component is WIT: an independent parser makes a component of it,
// and of that the same is printed. Of components that the parser itself made of WIT, the one that is
// made of what is printed holds as many resource types, names for types, and types of each kind.
//
//   node tests/wit.mjs FOLDER [--carrel FILE] [--verbose]
//
// FOLDER holds components. The parser is that of npm's @bytecodealliance/jco, found in $JCO_ROOT or
// below the folder of global packages. Items of an interface may come in another order. The last line
// is `N passed, N failed, N skipped`.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options, positionals: [folder] } = parseArgs({
  allowPositionals: true,
  options: {
    carrel: { type: 'string', default: 'build/carrel' },
    verbose: { type: 'boolean', default: false },
  },
});
if (!folder) {
  console.error('usage: node tests/wit.mjs FOLDER [--carrel FILE]');
  process.exit(125);
}

const library = () => {
  const roots = [process.env.JCO_ROOT && path.join(process.env.JCO_ROOT, 'node_modules')];
  try {
    roots.push(execFileSync('npm', ['root', '-g'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim());
  } catch { /* no npm */ }
  for (const root of roots) {
    const file = root && path.join(root, '@bytecodealliance/jco/src/api.js');
    if (file && fs.existsSync(file)) return file;
  }
};
const file = library();
if (!file) {
  console.log('0 passed, 0 failed, 1 skipped: @bytecodealliance/jco is not installed');
  process.exit(0);
}
const jco = await import(pathToFileURL(file));
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'wit-'));
process.on('exit', () => fs.rmSync(work, { recursive: true, force: true }));

const inspect = (component) =>
  execFileSync(options.carrel, ['inspect', component], { encoding: 'utf8', maxBuffer: 1 << 26 });

const build = async (wit) => {
  const component = path.join(work, 'made.wasm');
  fs.writeFileSync(component, await jco.componentNew(await jco.componentEmbed({ witSource: wit, dummy: true })));
  return component;
};

// The text as a tree of blocks, {head, items}, with the items of worlds, packages and interfaces
// sorted; fields and methods keep their order.
const tree = (text) => {
  const top = { head: '', items: [] };
  const stack = [top];
  for (const line of text.split('\n').map((l) => l.trim()).filter(Boolean)) {
    const item = { head: line, items: [] };
    if (line === '}') {
      const block = stack.pop();
      if (/^(world|interface|package|import|export)\b/.test(block.head)) block.items.sort(order);
      continue;
    }
    stack.at(-1).items.push(item);
    if (line.endsWith('{')) stack.push(item);
  }
  top.items.sort(order);
  return top;
};
const order = (a, b) => (a.head < b.head ? -1 : a.head > b.head ? 1 : 0);

// The world as jco itself tells it: the lines of the first package. Not all that carrel puts behind '%'
// is a word of WIT everywhere, so that jco leaves the '%' away.
const worldOf = (text) => text.slice(text.indexOf('world root'), text.indexOf('\n}')).split('\n')
  .map((l) => l.trim()).filter((l) => /^(import|export) [^{]*;$/.test(l)).map((l) => l.replaceAll('%', '')).sort();

const same = (what, a, b) => {
  if (JSON.stringify(a) !== JSON.stringify(b)) throw new Error(`${what} differs`);
};

const judge = async (component) => {
  const wit = inspect(component);
  if (options.verbose) console.log(wit);
  same('the world that jco reads', worldOf(wit), worldOf(await jco.componentWit(fs.readFileSync(component))));
  const json = JSON.parse(execFileSync(options.carrel, ['inspect', '--json', component], { encoding: 'utf8', maxBuffer: 1 << 26 }));
  const names = worldOf(wit).map((l) => l.replace(/^\w+ ([^;]*?)(: func.*)?;$/, '$1'));
  const told = new Set([...json.imports, ...json.exports]);
  for (const name of names) if (!told.has(name)) throw new Error(`--json does not name ${name}`);
  same('what is printed of the component that its WIT makes', tree(wit), tree(inspect(await build(wit))));
};

// How often the text of a component tells of a type: what becomes of its WIT is to have the same ones.
const told = ['(sub resource', '(eq ', '(own ', '(borrow ', '(record ', '(variant ', '(enum ', '(flags '];
const counts = async (component) => {
  const text = await jco.print(fs.readFileSync(component));
  return told.map((t) => `${t}${text.split(t).length - 1}`);
};

const judgeMade = async (component) => {
  await judge(component);
  same('what types there are in the component that its WIT makes',
    await counts(component), await counts(await build(inspect(component))));
};

const isComponent = (name) => {
  const head = Buffer.alloc(8);
  const fd = fs.openSync(path.join(folder, name));
  fs.readSync(fd, head, 0, 8, 0);
  fs.closeSync(fd);
  return head[4] === 0x0d;
};

let passed = 0;
let failed = 0;
const run = async (name, component, judgment = judge) => {
  try {
    await judgment(await component());
    passed++;
  } catch (e) {
    failed++;
    console.log(`${name}: ${e.payload ?? e.stderr ?? e.message}`);
  }
};
for (const name of fs.readdirSync(folder).filter((n) => n.endsWith('.wasm') && isComponent(n)))
  await run(name, () => path.join(folder, name));
for (const world of ['world', 'versions', 'keyword', 'used', 'exported'])
  await run(`${world}.wit`, async () => {
    const made = await build(fs.readFileSync(new URL(`data/${world}.wit`, import.meta.url), 'utf8'));
    const kept = path.join(work, `${world}.wasm`);
    fs.renameSync(made, kept);
    return kept;
  }, judgeMade);
// jco prints such a world without saying where its types are from, so only that the text is WIT is asked.
await run('mention.wasm', () => new URL('data/mention.wasm', import.meta.url).pathname, async (component) => {
  const wit = inspect(component);
  await build(wit);
  const uses = wit.split('\n').map((l) => l.trim()).filter((l) => l.startsWith('use '));
  same('what is used', uses, ['use p:q/types@0.1.0.{r};', 'use p:q/types@0.1.0.{x};', 'use types.{r};']);
});
// The lines of an interface that is told in braces.
const linesOf = (text, head) => {
  const lines = text.split('\n').map((l) => l.trim());
  const begin = lines.indexOf(`${head} {`);
  return lines.slice(begin + 1, lines.indexOf('}', begin));
};
await run('the types of exported.wit', () => path.join(work, 'exported.wasm'), async (component) => {
  const wit = inspect(component);
  same('interface first', linesOf(wit, 'interface first'), ['resource r;', 'type s = r;', 'type t = s;', 'type handle = own<r>;',
    'f: func(x: borrow<s>, y: t) -> r;']);
  same('interface other', linesOf(wit, 'interface other'), ['use first.{r};', 'use first.{t as u};', 'g: func(x: r, y: u);']);
  same('interface both', linesOf(wit, 'interface both'), ['// imported without b', 'resource a;', 'type b = a;', 'f: func(x: a);']);
  same('inline', linesOf(wit, 'export inline: interface'), ['use test:exported/first.{s as v};', 'use test:exported/both.{a};',
    'h: func(x: v, y: a);']);
  const json = JSON.parse(execFileSync(options.carrel, ['inspect', '--json', component], { encoding: 'utf8' }));
  const types = json.interfaces.flatMap((i) => i.types.filter((t) => t.is).map((t) => `${i.name} ${t.name} ${t.is.interface} ${t.is.name}`));
  const first = 'test:exported/first';
  const both = 'test:exported/both';
  same('what types of --json are', types, [`${both} b ${both} a`, `${first} s ${first} r`, `${first} t ${first} s`,
    `test:exported/other r ${first} r`, `test:exported/other u ${first} t`, `inline v ${first} s`, `inline a ${both} a`]);
});
// jco calls the world's package what another package is called already.
await run('package.wit', () => build(fs.readFileSync(new URL('data/package.wit', import.meta.url), 'utf8')), async (component) => {
  const wit = inspect(component);
  same('the packages', wit.split('\n').filter((l) => l.startsWith('package ')),
    ['package root:component3;', 'package root:component {', 'package root:component2 {']);
  same('what is printed of the component that its WIT makes', tree(wit), tree(inspect(await build(wit))));
});
await run('partial.wasm', () => new URL('data/partial.wasm', import.meta.url).pathname, async (component) => {
  same('interface a', linesOf(inspect(component), 'interface a'), ['// imported without g', '// exported without h',
    'f: func();', 'h: func();', 'g: func();']);
});
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exit(failed ? 1 : 0);
