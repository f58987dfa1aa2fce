// Makes a component of a core module that imports lowered functions of WASI by their names: only the
// interfaces that it needs, each with its types and the functions that are used (Binary.md of the
// component model). The module's memory and allocator come from a small module of their own, so that
// functions can be lowered before it is instantiated. Its program is a function of the module that
// returns 0 or 1.
import { interfaces, interface_named, parse_type, rows, track_name } from './table.mjs';

const uleb = n => { const out = []; do { const low = n & 127; n >>>= 7; out.push(n ? low | 128 : low); } while (n); return out; };
const sleb = n => { const out = uleb(n); if (out.at(-1) & 64) { out[out.length - 1] |= 128; out.push(0); } return out; };
const vec = list => [...uleb(list.length), ...list.flat()];
const name = text => { const bytes = [...Buffer.from(text)]; return [...uleb(bytes.length), ...bytes]; };
const extern_name = text => [0, ...name(text)];
const section = (id, bytes) => [id, ...uleb(bytes.length), ...bytes];

const FUNC = 1, TYPE = 3, INSTANCE = 5;
const primitives = { bool: 0x7f, s8: 0x7e, u8: 0x7d, s16: 0x7c, u16: 0x7b, s32: 0x7a, u32: 0x79, s64: 0x78,
  u64: 0x77, f32: 0x76, f64: 0x75, char: 0x74, string: 0x73 };

// Pages of memory, and where its allocator begins: behind the module's data and stack.
export const memory_pages = 64;
const heap_base = 1 << 20;

// (module (memory (export "memory") 64) (func (export "realloc") ...)): it moves on, and from the end
// of its heap back to the start.
const memory_module = heap_end => [
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
  ...section(1, vec([[0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 1, 0x7f]])),
  ...section(3, vec([[0]])),
  ...section(5, vec([[0, memory_pages]])),
  ...section(6, vec([[0x7f, 1, 0x41, ...sleb(heap_base), 0x0b]])),
  ...section(7, vec([[...name('memory'), 2, 0], [...name('realloc'), 0, 0]])),
  ...section(10, vec([(() => {
    const code = [1, 1, 0x7f, // local 4: where it begins, aligned to 16
      0x23, 0, 0x41, 15, 0x6a, 0x41, 0x70, 0x71, 0x21, 4, // (global + 15) & -16
      0x20, 4, 0x20, 3, 0x6a, 0x41, ...sleb(heap_end), 0x4b, // does it end behind the heap?
      0x04, 0x40, 0x41, ...sleb(heap_base), 0x21, 4, 0x0b, 0x20, 4,
      0x20, 3, 0x6a, 0x24, 0, 0x20, 4, 0x0b];
    return [...uleb(code.length), ...code];
  })()])),
];

// Reads a module from where its sections begin.
const reader = bytes => ({
  at: 8,
  byte() { return bytes[this.at++]; },
  number() {
    let n = 0, shift = 0, byte;
    do { byte = this.byte(); n |= (byte & 127) << shift; shift += 7; } while (byte & 128);
    return n >>> 0;
  },
  text() {
    const size = this.number();
    this.at += size;
    return Buffer.from(bytes.slice(this.at - size, this.at)).toString();
  },
});

// What a core module imports: [{ module, field }] of its functions.
export const imports_of = bytes => {
  const from = reader(bytes), found = [];
  while (from.at < bytes.length) {
    const id = from.byte(), end = from.number() + from.at;
    if (id === 2)
      for (let count = from.number(); count; count--) {
        const module = from.text(), field = from.text(), kind = from.byte();
        if (kind === 0) { from.number(); found.push({ module, field }); }
        else if (kind === 2) { const flags = from.number(); from.number(); if (flags & 1) from.number(); }
        else throw new Error(`an import of kind ${kind}`);
      }
    from.at = end;
  }
  return found;
};

// A core module whose export `old` is called `now`.
export const rename_export = (bytes, old, now) => {
  const from = reader(bytes), exported = [];
  while (bytes[from.at] !== 7) {
    from.byte();
    const size = from.number();
    from.at += size;
  }
  const begin = from.at++, end = from.number() + from.at;
  for (let count = from.number(); count; count--) {
    const text = from.text();
    exported.push([...name(text === old ? now : text), from.byte(), ...uleb(from.number())]);
  }
  return Buffer.concat([bytes.subarray(0, begin), Buffer.from(section(7, vec(exported))), bytes.subarray(end)]);
};

const row_named = (module, field) => {
  const drop = /^\[resource-drop\](.*)/.exec(field);
  for (const row of rows.values())
    if (track_name(row.interface) === module && (drop ? row.kind === 'resource' && row.name === drop[1] : row.kind === 'func' && row.name === field))
      return row;
  throw new Error(`${module}#${field} is not in the table`);
};

// The interfaces that these rows need, in the order of the table.
const closure = used => {
  const wanted = new Set();
  const add = of => {
    if (wanted.has(of)) return;
    wanted.add(of);
    for (const item of of.items) if (item.kind === 'use') add(interface_named(item.from));
  };
  used.forEach(row => add(row.interface));
  return [...interfaces.values()].filter(of => wanted.has(of));
};

// Does this name of `of` mean a resource, its own or one that it uses?
const is_resource = (of, name) => {
  const item = of.items.find(one => one.name === name && one.kind !== 'func');
  return item.kind === 'resource' || (item.kind === 'type' && of.items.some(one => one.kind === 'resource' && one.name === item.type))
    || (item.kind === 'use' && is_resource(interface_named(item.from), item.there));
};

// The type of an instance of `of`: its declarations. `outer` gives the index of a type of another one.
const instance_type = (of, used, outer) => {
  const decls = [];
  const types = new Map(); // names of this instance, to their indices
  let count = 0;
  const define = bytes => { decls.push([1, ...bytes]); return count++; };
  const value = type => {
    if (type.kind === 'name') {
      if (types.has(type.name)) {
        const index = types.get(type.name);
        return sleb(resources.has(type.name) ? define([0x69, ...uleb(index)]) : index);
      }
      return [primitives[type.name]];
    }
    return sleb(defined(type));
  };
  const optional = type => type ? [1, ...value(type)] : [0];
  const defined = type => {
    switch (type.kind) {
      case 'list': { const of = value(type.of); return define([0x70, ...of]); }
      case 'option': { const of = value(type.of); return define([0x6b, ...of]); }
      case 'own': return define([0x69, ...uleb(types.get(type.of.name))]);
      case 'borrow': return define([0x68, ...uleb(types.get(type.of.name))]);
      case 'tuple': { const of = type.of.map(value); return define([0x6f, ...vec(of)]); }
      case 'result': { const ok = optional(type.ok), err = optional(type.err); return define([0x6a, ...ok, ...err]); }
      case 'record': { const of = type.of.map(one => [...name(one.name), ...value(one.type)]); return define([0x72, ...vec(of)]); }
      case 'variant': { const of = type.of.map(one => [...name(one.name), ...optional(one.type), 0]); return define([0x71, ...vec(of)]); }
      case 'enum': return define([0x6d, ...vec(type.of.map(name))]);
      case 'flags': return define([0x6e, ...vec(type.of.map(name))]);
      default: throw new Error(`a type ${type.kind}`);
    }
  };
  const resources = new Set();
  for (const item of of.items) {
    if (item.kind === 'use') {
      decls.push([2, TYPE, 2, 1, ...uleb(outer(item))]);
      const alias = count++;
      decls.push([4, ...extern_name(item.name), TYPE, 0, ...uleb(alias)]);
      types.set(item.name, count++);
      if (is_resource(of, item.name)) resources.add(item.name);
    } else if (item.kind === 'type') {
      const type = parse_type(item.type);
      const index = type.kind === 'name'
        ? types.has(type.name) ? types.get(type.name) : define([primitives[type.name]]) : defined(type);
      decls.push([4, ...extern_name(item.name), TYPE, 0, ...uleb(index)]);
      types.set(item.name, count++);
      if (resources.has(type.name)) resources.add(item.name);
    } else if (item.kind === 'resource') {
      decls.push([4, ...extern_name(item.name), TYPE, 1]);
      types.set(item.name, count++);
      resources.add(item.name);
    } else if (used.has(item)) {
      const type = parse_type(item.type);
      const params = type.params.map(one => [...name(one.name), ...value(one.type)]);
      const result = type.result ? [0, ...value(type.result)] : [1, 0];
      const index = define([0x40, ...vec(params), ...result]);
      decls.push([4, ...extern_name(item.name), FUNC, ...uleb(index)]);
    }
  }
  return [0x42, ...vec(decls)];
};

// The component, as bytes. `encoding` of strings: 0 is UTF-8, 1 is UTF-16. `version`: what it imports of WASI 0.2,
// and exports, instead of the table's.
// `handler`: it answers HTTP requests, which its program is called with.
export const make_component = (module, program, encoding = 0, heap = memory_pages * 65536 - heap_base, version = '0.2.12', handler = false) => {
  const versioned = text => text.replace(/@0\.2\.12$/, `@${version}`);
  const needs = imports_of(module).map(({ module, field }) => ({ module, field, row: row_named(module, field) }));
  const used = new Set(needs.map(need => need.row));
  const out = [0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0];
  const instances = new Map();
  const aliased = new Map(); // "interface name" to the index of a type
  let types = 0, funcs = 0, core_funcs = 0;
  const alias_type = (of, item) => {
    const key = `${of.id} ${item}`;
    if (!aliased.has(key)) {
      out.push(...section(6, vec([[TYPE, 0, ...uleb(instances.get(of)), ...name(item)]])));
      aliased.set(key, types++);
    }
    return aliased.get(key);
  };
  for (const of of closure([...used])) {
    for (const item of of.items) if (item.kind === 'use') alias_type(interface_named(item.from), item.there);
    const type = instance_type(of, used, item => alias_type(interface_named(item.from), item.there));
    out.push(...section(7, vec([type])));
    out.push(...section(10, vec([[...extern_name(versioned(track_name(of))), INSTANCE, ...uleb(types++)]])));
    instances.set(of, instances.size);
  }
  out.push(...section(1, memory_module(heap_base + heap)), ...section(1, [...module]));
  out.push(...section(2, vec([[0, 0, 0]]))); // core instance 0: the memory
  out.push(...section(6, vec([[0, 2, 1, 0, ...name('memory')], [0, 0, 1, 0, ...name('realloc')]])));
  core_funcs++; // realloc
  const lowered = needs.map(need => {
    if (need.row.kind === 'resource') {
      const type = alias_type(need.row.interface, need.row.name);
      out.push(...section(8, vec([[3, ...uleb(type)]])));
    } else {
      out.push(...section(6, vec([[FUNC, 0, ...uleb(instances.get(need.row.interface)), ...name(need.row.name)]])));
      out.push(...section(8, vec([[1, 0, ...uleb(funcs++), ...vec([[encoding], [3, 0], [4, 0]])]])));
    }
    return { ...need, index: core_funcs++ };
  });
  // One core instance for each module that it imports from, then the module itself.
  const froms = [...new Set(needs.map(need => need.module))];
  const supplies = froms.map(from => [1, ...vec(lowered.filter(one => one.module === from)
    .map(one => [...name(one.field), 0, ...uleb(one.index)]))]);
  const args = [[...name('env'), 0x12, 0], ...froms.map((from, i) => [...name(from), 0x12, ...uleb(1 + i)])];
  out.push(...section(2, vec([...supplies, [0, 1, ...vec(args)]])));
  out.push(...section(6, vec([[0, 0, 1, ...uleb(1 + froms.length), ...name(program)]])));
  // What it exports: its function, of a type that is the last of these.
  const own = ['incoming-request', 'response-outparam'];
  const handled = handler ? own.map(one => alias_type(interface_named('wasi:http/types'), one)) : [];
  const [exported, func, made] = handler
    ? ['wasi:http/incoming-handler@0.2.12', 'handle', [...handled.map(of => [0x69, ...uleb(of)]),
      [0x40, ...vec([[...name('request'), ...sleb(types)], [...name('response-out'), ...sleb(types + 1)]]), 1, 0]]]
    : ['wasi:cli/run@0.2.12', 'run', [[0x6a, 0, 0], [0x40, 0, 0, ...sleb(types)]]];
  out.push(...section(7, vec(made)));
  out.push(...section(8, vec([[0, 0, ...uleb(core_funcs), 0, ...uleb(types + made.length - 1)]])));
  out.push(...section(5, vec([[1, ...vec([[...extern_name(func), FUNC, ...uleb(funcs)]])]])));
  out.push(...section(11, vec([[...extern_name(versioned(exported)), INSTANCE, ...uleb(instances.size), 0]])));
  return Buffer.from(out);
};
