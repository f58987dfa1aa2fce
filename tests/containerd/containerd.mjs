// A private containerd: its own sockets, state and root below a folder, started and stopped by its
// process id. To be run in a mount namespace of its own, where /run/containerd is the test's.
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export class Containerd {
  constructor(folder, build, { cri = false, namespace = 'default' } = {}) {
    this.folder = folder;
    this.namespace = namespace; // ctr's: containers are in a control group of that name
    this.build = path.resolve(build);
    this.socket = '/run/containerd/containerd.sock';
    this.config = path.join(folder, 'config.toml');
    const disabled = ['aufs', 'btrfs', 'devmapper', 'zfs', 'native'].map((n) => `"io.containerd.snapshotter.v1.${n}"`);
    if (!cri) disabled.push('"io.containerd.grpc.v1.cri"');
    mkdirSync(folder, { recursive: true });
    const runtimes = ['carrel', 'runc'].map((n) => `
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.${n}]
        runtime_type = "io.containerd.${n}.v${n === 'runc' ? 2 : 1}"
        pod_annotations = ["carrel.policy/*"]
        container_annotations = ["carrel.policy/*"]`).join('');
    writeFileSync(this.config, `version = 2
root = "${folder}/root"
state = "/run/containerd/state"
disabled_plugins = [${disabled.join(', ')}]
[grpc]
  address = "${this.socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:latest"
  restrict_oom_score_adj = true
  disable_tcp_service = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${folder}/cni/bin"
    conf_dir = "${folder}/cni/conf"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "carrel"
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes]${runtimes}
`);
    this.env = { ...process.env, PATH: `${this.build}:${process.env.PATH}`, CONTAINERD_ADDRESS: this.socket, CONTAINERD_NAMESPACE: namespace };
  }
  async start() {
    const log = openSync(path.join(this.folder, 'log'), 'a');
    this.process = spawn('containerd', ['-c', this.config], { stdio: ['ignore', log, log], env: this.env });
    this.ended = new Promise((done) => this.process.on('exit', done));
    for (let i = 0; i < 400; i++) {
      if ((await this.ctr('version')).code === 0) return;
      await sleep(25);
    }
    throw new Error(`containerd does not start: ${this.log().slice(-2000)}`);
  }
  async stop(signal = 'SIGTERM') {
    this.process.kill(signal);
    await this.ended;
  }
  log() { return existsSync(path.join(this.folder, 'log')) ? readFileSync(path.join(this.folder, 'log'), 'utf8') : ''; }
  // Runs ctr; what it printed, and its exit code.
  ctr(...args) { return this.run('ctr', args); }
  run(program, args, options = {}) {
    return new Promise((done) => {
      const child = execFile(program, args, { env: this.env, timeout: 60000, maxBuffer: 64 << 20, ...options }, (error, stdout, stderr) =>
        done({ code: error ? (error.code ?? error.signal) : 0, stdout, stderr }));
      if (options.input !== undefined) child.stdin.end(options.input);
    });
  }
}
