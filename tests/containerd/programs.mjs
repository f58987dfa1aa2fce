// The programs that the tests run, as core modules with WASI preview 1, made by wat2wasm.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const imports = `
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)`;
const start = (body, more = '', first = '') => `(module ${first} ${imports} ${more} (func (export "_start") (local $n i32) ${body}))`;
const say = (text, fd = 1) => `(i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const ${text.length}))
  (drop (call $write (i32.const ${fd}) (i32.const 0) (i32.const 1) (i32.const 8)))`;
const data = (text) => `(data (i32.const 64) "${text.replaceAll('\n', '\\n')}")`;

export const sources = {
  hello: start(say('hello from a cell\n'), data('hello from a cell\n')),
  both: start(`${say('word\n')} ${say('word\n', 2)}`, data('word\n')),
  exit7: start('(call $exit (i32.const 7))'),
  trap: start('unreachable'),
  spin: start('(loop $l (br $l))'),
  // Waits for an hour.
  rests: start(`(i32.store (i32.const 16) (i32.const 1)) (i64.store (i32.const 24) (i64.const 3600000000000))
    (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))`, '', '(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))'),
  // Says that it is there, then reads until the end of its input and gives back what it read.
  echo: start(`${say('up\n')}
    (block $end (loop $l
      (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (i32.const 4096))
      (br_if $end (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (br_if $end (i32.eqz (local.tee $n (i32.load (i32.const 8)))))
      (i32.store (i32.const 4) (local.get $n))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (br $l)))`, data('up\n')),
  // Prints the file "word" of its first directory, or exits with the error that it got.
  file: start(`
    (local.set $n (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 4) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)))
    (if (local.get $n) (then (call $exit (local.get $n))))
    (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (i32.const 4096))
    (drop (call $read (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 4) (i32.load (i32.const 8)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))`, data('word'),
  '(import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))'),
  // Waits for input, then touches memory until there is no more.
  eat: start(`(i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 1))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (loop $l
      (br_if $l (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
    (loop $t (i32.store8 (local.get $n) (i32.const 1)) (local.set $n (i32.add (local.get $n) (i32.const 4096)))
      (br_if $t (i32.lt_u (local.get $n) (i32.shl (memory.size) (i32.const 16)))))
    (loop $s (br $s))`),
};

// Writes them into a folder; the paths by name.
export function programs(folder) {
  mkdirSync(folder, { recursive: true });
  return Object.fromEntries(Object.entries(sources).map(([name, text]) => {
    const source = path.join(folder, `${name}.wat`), module = path.join(folder, `${name}.wasm`);
    writeFileSync(source, text);
    execFileSync('wat2wasm', [source, '-o', module]);
    return [name, module];
  }));
}
