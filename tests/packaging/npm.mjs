// Packages of npm in a folder, as `npm install` puts them there. Those that packaging/deps has installed
// already are only linked: a test that has them needs no network.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const modules = spawnSync('npm', ['root', '-g'], { encoding: 'utf8' }).stdout?.trim() ?? '';

const of_package = (name) => {
  const file = path.join(modules, name, 'package.json');
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
};

const link = (name, folder) => {
  const there = path.join(folder, 'node_modules', name), programs = path.join(folder, 'node_modules/.bin');
  const { bin = {} } = of_package(name);
  fs.mkdirSync(path.dirname(there), { recursive: true });
  fs.mkdirSync(programs, { recursive: true });
  fs.symlinkSync(path.join(modules, name), there);
  for (const [program, file] of Object.entries(typeof bin === 'string' ? { [path.basename(name)]: bin } : bin)) {
    fs.symlinkSync(path.join(there, file), path.join(programs, program));
  }
};

// `wanted` are words NAME@VERSION. '' or what npm said.
export const npm_install = (folder, wanted) => {
  const split = wanted.map((word) => [word.slice(0, word.lastIndexOf('@')), word.slice(word.lastIndexOf('@') + 1)]);
  if (split.every(([name, version]) => of_package(name).version === version)) {
    for (const [name] of split) link(name, folder);
    return '';
  }
  const { status, stderr } = spawnSync('npm', ['install', '--no-fund', '--no-audit', ...wanted], { cwd: folder, encoding: 'utf8' });
  return status === 0 ? '' : stderr || 'npm cannot be started';
};
