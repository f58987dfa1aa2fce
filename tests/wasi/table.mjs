// The rows of policies/wasi.def and p1.def as data, and their types: parsed, laid out, flattened.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const policies = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../policies');

// --- Rows: MACRO(ARGUMENT, ...) with strings that may be in pieces --------------------------------

const without_comments = text => text.replace(/\/\*[^]*?\*\//g, '');

const read_rows = (file, macros) => {
  const text = without_comments(fs.readFileSync(path.join(policies, file), 'utf8'));
  const rows = [];
  const start = new RegExp(`^(${macros.join('|')})\\(`, 'gm');
  for (let found; (found = start.exec(text));) {
    const args = [''];
    let depth = 1, at = start.lastIndex;
    for (; depth; at++) {
      const c = text[at];
      if (c === '"') {
        const end = text.indexOf('"', at + 1);
        args[args.length - 1] += text.slice(at + 1, end);
        at = end;
      } else if (c === '(') { depth++; args[args.length - 1] += c; }
      else if (c === ')') { if (--depth) args[args.length - 1] += c; }
      else if (c === ',' && depth === 1) args.push('');
      else if (!/\s/.test(c)) args[args.length - 1] += c;
    }
    start.lastIndex = at;
    rows.push({ macro: found[1], args });
  }
  return rows;
};

const parts = without_comments(fs.readFileSync(path.join(policies, 'wasi.def'), 'utf8'))
  .match(/policies\/wasi_\w+\.def/g).map(name => path.basename(name));

// { id: { id, name, version, items: [...] } } in the order of the table.
export const interfaces = new Map();
// Functions and drops by id: { id, kind, interface, name, type, capability, provided }.
export const rows = new Map();

for (const part of parts) {
  for (const { macro, args } of read_rows(part, ['INTERFACE', 'USE', 'TYPE', 'RESOURCE', 'FN', 'EXPORT'])) {
    const [id, ...rest] = args;
    if (macro === 'INTERFACE') {
      interfaces.set(id, { id, name: rest[0], version: rest[1], items: [] });
      continue;
    }
    const of = interfaces.get(id);
    if (macro === 'USE') of.items.push({ kind: 'use', name: rest[0], from: rest[1], there: rest[2] });
    if (macro === 'TYPE') of.items.push({ kind: 'type', name: rest[0], type: rest[1] });
    if (macro === 'RESOURCE') {
      const row = { kind: 'resource', id: `drop_${rest[0]}`, interface: of, name: rest[1], capability: rest[2],
        provided: rest[4] === 'PROVIDED' };
      of.items.push(row);
      rows.set(row.id, row);
    }
    if (macro === 'FN') {
      const row = { kind: 'func', id: rest[0], interface: of, name: rest[1], type: rest[2], capability: rest[5],
        provided: rest[7] === 'PROVIDED' };
      of.items.push(row);
      rows.set(row.id, row);
    }
  }
}

export const p1_rows = read_rows('p1.def', ['P1']).map(({ args }) =>
  ({ id: `p1_${args[0]}`, name: args[0], params: args[1], results: args[2], capability: args[4] }));

// Capabilities that nothing gives yet.
export const later = new Set(read_rows('capability.def', ['CAP']).filter(({ args }) => args[2] === 'LATER').map(({ args }) => args[0]));

export const track_name = of => `${of.name}@${of.version}`;
export const interface_named = name => [...interfaces.values()].find(one => one.name === name);

// --- Types ------------------------------------------------------------------------------------------

// Reads WIT: { kind, ... }.
export const parse_type = text => {
  let at = 0;
  const space = () => { while (at < text.length && /\s/.test(text[at])) at++; };
  const eat = what => {
    space();
    if (!text.startsWith(what, at)) return false;
    at += what.length;
    return true;
  };
  const must = what => { if (!eat(what)) throw new Error(`${text}: no ${what} at ${at}`); };
  const word = () => {
    space();
    const found = /^[A-Za-z0-9_-]+/.exec(text.slice(at));
    if (!found) throw new Error(`${text}: no word at ${at}`);
    at += found[0].length;
    return found[0];
  };
  const list = (end, each) => {
    const all = [];
    while (!eat(end)) { all.push(each()); eat(','); }
    return all;
  };
  const type = () => {
    if (eat('_')) return null;
    const name = word();
    switch (name) {
      case 'list': case 'option': case 'own': case 'borrow': {
        must('<'); const of = type(); must('>');
        return { kind: name, of };
      }
      case 'tuple': must('<'); return { kind: 'tuple', of: list('>', type) };
      case 'result': {
        const of = eat('<') ? list('>', type) : [];
        return { kind: 'result', ok: of[0] ?? null, err: of[1] ?? null };
      }
      case 'record': must('{'); return { kind: 'record', of: list('}', () => { const name = word(); must(':'); return { name, type: type() }; }) };
      case 'variant': must('{');
        return { kind: 'variant', of: list('}', () => {
          const name = word();
          const of = eat('(') ? type() : null;
          if (of) must(')');
          return { name, type: of };
        }) };
      case 'enum': case 'flags': must('{'); return { kind: name, of: list('}', word) };
      case 'func': {
        must('(');
        const params = list(')', () => { const name = word(); must(':'); return { name, type: type() }; });
        return { kind: 'func', params, result: eat('->') ? type() : null };
      }
      default: return { kind: 'name', name };
    }
  };
  return type();
};

// What a name stands for in an interface: a type, { kind: 'own' } for a resource, or null: a primitive.
export const resolve = (of, name) => {
  const item = of.items.find(one => one.name === name && one.kind !== 'func');
  if (!item) return null;
  if (item.kind === 'resource') return { of, type: { kind: 'own' } };
  if (item.kind === 'use') return resolve(interface_named(item.from), item.there);
  return { of, type: parse_type(item.type) };
};

// The core types that a value becomes (CanonicalABI.md, flatten_type).
const flatten = (of, type) => {
  if (!type) return [];
  const cases = list => {
    const joined = [];
    for (const one of list) flatten(of, one).forEach((core, i) => {
      joined[i] = joined[i] === undefined || joined[i] === core ? core : 'I';
    });
    return ['i', ...joined];
  };
  switch (type.kind) {
    case 'name': {
      const meant = resolve(of, type.name);
      if (meant) return flatten(meant.of, meant.type);
      return { string: ['i', 'i'], u64: ['I'], s64: ['I'], f32: ['f'], f64: ['F'] }[type.name] ?? ['i'];
    }
    case 'list': return ['i', 'i'];
    case 'record': return type.of.flatMap(field => flatten(of, field.type));
    case 'tuple': return type.of.flatMap(one => flatten(of, one));
    case 'variant': return cases(type.of.map(one => one.type));
    case 'option': return cases([null, type.of]);
    case 'result': return cases([type.ok, type.err]);
    default: return ['i'];
  }
};

// The core signature of a lowered function: { params, result }.
export const core_signature = row => {
  if (row.kind === 'resource') return { params: ['i'], result: '' };
  const type = parse_type(row.type);
  let params = type.params.flatMap(one => flatten(row.interface, one.type));
  const results = flatten(row.interface, type.result);
  if (params.length > 16) params = ['i'];
  if (results.length > 1) params.push('i');
  return { params, result: results.length === 1 ? results[0] : '' };
};
