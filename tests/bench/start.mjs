// Runs _start of a module that imports nothing, in node: node tests/bench/start.mjs FILE
import { readFileSync } from 'node:fs';
const module = new WebAssembly.Module(readFileSync(process.argv[2]));
new WebAssembly.Instance(module).exports._start();
