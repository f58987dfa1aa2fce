// The blocks of the README that ask containerd, in a containerd of the test's own. Usage: node documents.mjs SHIM FOLDER
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Containerd } from './containerd.mjs';

const [shim, folder] = process.argv.slice(2);
const build = path.dirname(shim), root = fileURLToPath(new URL('../..', import.meta.url));
const daemon = new Containerd(path.join(folder, 'containerd'), build);
await daemon.start();
const { status } = spawnSync('node', [
  path.join(root, 'tests/packaging/blocks.mjs'), '--by', 'containerd', '--carrel', path.join(build, 'carrel'),
  '--components', path.join(build, 'test/components'), path.join(root, 'README.md'),
], { stdio: 'inherit', env: daemon.env });
await daemon.stop();
process.exitCode = status;
