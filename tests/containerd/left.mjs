// What containers of a private containerd have left behind.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

// What is mounted at /run/containerd: run.sh gives each test one of its own.
const own = (pid) => readFileSync(`/proc/${pid}/mountinfo`, 'utf8').split('\n').map((line) => line.split(' ')).filter((parts) => parts[4] === '/run/containerd').at(-1)?.[2];
const ours = own('self');
// Whether a process is of a shim of this test, or a cell whose shim is gone: it is nobody's child then, in the group of
// a container. Other tests may run at the same time.
function remains(pid, namespace) {
  try {
    const comm = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
    if (comm !== 'carrel-engine') return ['carrel-shim', 'carrel-pause'].includes(comm) && own(pid) === ours;
    return /PPid:\s*1\n/.test(readFileSync(`/proc/${pid}/status`, 'utf8')) && readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(`/${namespace}/`);
  } catch { return false; }
}
// Processes, sockets, mounts and groups that are left of a namespace of containerd's.
export function left(namespace) {
  const sockets = existsSync('/run/containerd/s') ? readdirSync('/run/containerd/s') : [];
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter((line) => line.includes('/run/containerd/state')).map((line) => line.split(' ')[4]);
  const places = existsSync('/sys/fs/cgroup/cgroup.controllers') ? ['/sys/fs/cgroup'] : readdirSync('/sys/fs/cgroup').map((n) => `/sys/fs/cgroup/${n}`);
  const groups = places.filter((place) => existsSync(`${place}/${namespace}`)).map((place) => `${place}/${namespace}`);
  const tasks = `/run/containerd/state/io.containerd.runtime.v2.task/${namespace}`, bundles = existsSync(tasks) ? readdirSync(tasks) : [];
  const processes = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && remains(pid, namespace));
  return { sockets, mounts, groups, bundles, processes };
}
