// What containers of a private containerd have left behind.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

// The processes of shims, and the cells of those that are gone.
const cellsOf = new Set(['1']);
const ours = () => readdirSync('/proc').filter((pid) => /^\d+$/.test(pid)).filter((pid) => {
  try {
    const comm = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
    return comm === 'carrel-engine' ? cellsOf.has(readFileSync(`/proc/${pid}/status`, 'utf8').match(/PPid:\s*(\d+)/)[1]) : ['carrel-shim', 'carrel-pause'].includes(comm) && mine(pid);
  } catch { return false; }
});
// Of this test: the shim's mounts are its own, and a cell's parent is such a shim.
const mine = (pid) => readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes(' /run/containerd ');
// Processes, sockets, mounts and groups that are left.
export function left() {
  const sockets = existsSync('/run/containerd/s') ? readdirSync('/run/containerd/s') : [];
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter((line) => line.includes('/run/containerd/state')).map((line) => line.split(' ')[4]);
  const places = existsSync('/sys/fs/cgroup/cgroup.controllers') ? ['/sys/fs/cgroup'] : readdirSync('/sys/fs/cgroup').map((n) => `/sys/fs/cgroup/${n}`);
  const groups = places.filter((place) => existsSync(`${place}/default`)).map((place) => `${place}/default`);
  const bundles = existsSync('/run/containerd/state/io.containerd.runtime.v2.task/default') ? readdirSync('/run/containerd/state/io.containerd.runtime.v2.task/default') : [];
  return { sockets, mounts, groups, bundles, processes: ours() };
}

