// wasi.h for scenarios in C: a function w_ID for each row of the table. Started by itself, it prints it.
import { fileURLToPath } from 'node:url';
import { core_signature, p1_rows, rows, track_name } from './table.mjs';

const C = { i: 'int', I: 'unsigned long long', f: 'float', F: 'double', '': 'void' };
const import_name = row => row.kind === 'resource' ? `[resource-drop]${row.name}` : row.name;

export const header = () => [...rows.values()].filter(row => row.provided).map(row => {
  const { params, result } = core_signature(row);
  return `__attribute__((import_module("${track_name(row.interface)}"), import_name("${import_name(row)}")))\n`
    + `${C[result]} w_${row.id}(${params.map(one => C[one]).join(', ') || 'void'});\n`;
}).join('') + p1_rows.map(row =>
  `__attribute__((import_module("wasi_snapshot_preview1"), import_name("${row.name}")))\n`
  + `${C[row.results]} w_${row.id}(${[...row.params].map(one => C[one]).join(', ') || 'void'});\n`).join('');

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(header());
