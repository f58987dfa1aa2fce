// What containerd is to a shim, in a test: a server of events, a client of the task service, bundles.
// Everything lies below a folder of the test's own.
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import http2 from 'node:http2';
import net from 'node:net';
import path from 'node:path';
import * as proto from './proto.mjs';

export class CallError extends Error {
  constructor(status) { super(status.message); this.code = status.code; }
}

// The shim closed its connection without an answer.
export class HungUp extends Error {
  constructor(method) { super(`hung up at ${method}`); }
}

// A client of one shim.
export class Client {
  static async connect(address, version = 2) {
    const client = new Client();
    client.socket = net.connect(address.replace('unix://', ''));
    client.service = `containerd.task.v${version}.Task`;
    client.calls = new Map();
    client.stream = 1;
    client.closed = new Promise((done) => client.socket.on('close', done));
    client.socket.on('error', () => {});
    client.closed.then(() => { for (const call of client.calls.values()) call.reject(new HungUp(call.method)); });
    proto.frames(client.socket, (stream, type, body) => {
      const call = client.calls.get(stream);
      client.calls.delete(stream);
      const answer = proto.decode(proto.response, body);
      if (answer.status?.code) call?.reject(new CallError(answer.status));
      else call?.resolve(call.of ? proto.decode(call.of, answer.payload) : answer);
    });
    await new Promise((done, fail) => { client.socket.on('connect', done); client.socket.on('error', fail); });
    return client;
  }
  raw(method, payload, service = this.service, of = null) {
    const stream = this.stream;
    this.stream += 2;
    const body = proto.encode(proto.request, { service, method, payload });
    return this.frame(stream, proto.frame(stream, 1, body), of, method);
  }
  frame(stream, bytes, of = null, method = 'a frame') {
    return new Promise((resolve, reject) => {
      this.calls.set(stream, { resolve, reject, of, method });
      this.socket.write(bytes);
    });
  }
  call(method, message) {
    const [asked, answered] = proto.methods[method];
    return this.raw(method, proto.encode(asked, message), this.service, answered);
  }
  close() { this.socket.destroy(); }
}

// A server of events that can be stopped and started again, as containerd is.
export class Events {
  constructor(socket) { this.path = socket; this.seen = []; this.waiting = []; this.refuse = 0; }
  async start() {
    this.sockets = new Set();
    this.server = net.createServer((socket) => {
      this.sockets.add(socket);
      socket.on('error', () => {});
      proto.frames(socket, (stream, type, body) => {
        const asked = proto.decode(proto.request, body);
        const refused = this.refuse > 0 && this.refuse--;
        if (!refused) this.take(proto.decode(proto.forward, asked.payload).envelope);
        socket.write(proto.frame(stream, 2, proto.encode(proto.response, refused ? { status: { code: 14, message: 'later' } } : {})));
      });
    });
    rmSync(this.path, { force: true });
    await new Promise((done) => this.server.listen(this.path, done));
  }
  take(said) {
    const of = proto.events[said.topic];
    this.seen.push({ topic: said.topic, namespace: said.namespace, type: said.event.type_url, ...proto.decode(of, said.event.value) });
    this.waiting = this.waiting.filter(([wanted, done]) => { const hit = this.seen.find(wanted); if (hit) done(hit); return !hit; });
  }
  // The first event that `wanted` is true of.
  until(wanted) {
    const hit = this.seen.find(wanted);
    return hit ? Promise.resolve(hit) : new Promise((done) => this.waiting.push([wanted, done]));
  }
  topics(id) { return this.seen.filter((e) => e.container_id === id).map((e) => e.topic.replace('/tasks/', '')); }
  async stop() {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((done) => this.server.close(done));
    rmSync(this.path, { force: true });
  }
}

// containerd's services for images, on its own socket, of one image: {image, target, blobs}, where a blob is
// [bytes, labels]; and what may go wrong with it.
export class Images {
  constructor(socket, content) { this.path = socket; this.content = content; this.namespaces = []; }
  async start() {
    this.sockets = new Set();
    this.server = this.content.garbage ? net.createServer((socket) => socket.end(this.content.garbage)) : http2.createServer({ paddingStrategy: this.content.noise ? http2.constants.PADDING_STRATEGY_MAX : 0 });
    this.server.on('connection', (socket) => { this.sockets.add(socket); socket.on('error', () => {}); });
    this.server.on('session', (session) => { session.on('error', () => {}); if (this.content.noise) session.ping(() => {}); });
    this.server.on('stream', (stream, headers) => {
      const parts = [];
      stream.on('error', () => {});
      stream.on('data', (part) => parts.push(part));
      stream.on('end', () => this.answer(stream, headers, Buffer.concat(parts).subarray(5)));
    });
    rmSync(this.path, { force: true });
    await new Promise((done) => this.server.listen(this.path, done));
  }
  answer(stream, headers, asked) {
    this.namespaces.push(headers['containerd-namespace']);
    const messages = this.messages(headers[':path'], asked);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': messages.length ? '0' : '5', 'grpc-message': messages.length ? '' : 'not found' }));
    for (const message of messages) {
      const head = Buffer.alloc(5);
      head[0] = this.content.compressed ? 1 : 0;
      head.writeUInt32BE(message.length, 1);
      stream.write(Buffer.concat([head, message]));
      if (this.content.noise) stream.session.ping(() => {});
    }
    stream.end();
  }
  messages(method, asked) {
    const { image, target, blobs, spoilt, nonsense } = this.content, digest = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    const of = proto.images, found = (name) => blobs.find(([bytes]) => digest(bytes) === name);
    if (nonsense) return [Buffer.from([0xff])];
    if (method.endsWith('Containers/Get')) return image === undefined ? [] : [proto.encode(of.container, { container: { id: 'c', image } })];
    if (method.endsWith('Images/Get')) return target ? [proto.encode(of.image, { image: { name: image, target: { digest: digest(target), size: target.length } } })] : [];
    const { digest: name, size } = proto.decode(of.read, asked), blob = found(method.endsWith('Info') ? proto.decode(of.named, asked).name : name);
    if (!blob) return [];
    if (method.endsWith('Info')) return [proto.encode(of.info, { info: { digest: name, size: blob[0].length, labels: blob[1] ?? [] } })];
    const bytes = size ? blob[0].subarray(0, size) : spoilt ? blob[0].subarray(0, -1) : blob[0];
    return Array.from({ length: Math.ceil(bytes.length / 1e6) }, (_, i) => proto.encode(of.part, { offset: i * 1e6, data: bytes.subarray(i * 1e6, (i + 1) * 1e6) }));
  }
  async stop() {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((done) => this.server.close(done));
    rmSync(this.path, { force: true });
  }
}

export class Host {
  constructor(folder, shim) {
    this.folder = folder;
    this.shim = shim;
    this.namespace = 'test';
    this.address = path.join(folder, 'containerd.sock');
    this.events = new Events(`${this.address}.ttrpc`);
    this.group = `carrel-test-${process.pid}`;
  }
  // A bundle with a component as /module.wasm, and a log.
  bundle(id, component, { args = ['/module.wasm'], env = [], annotations = {}, resources, mounts = [], network, group, terminal = false, user = {} } = {}) {
    const bundle = path.join(this.folder, 'bundles', id), rootfs = path.join(bundle, 'rootfs');
    mkdirSync(rootfs, { recursive: true });
    if (component) copyFileSync(component, path.join(rootfs, 'module.wasm'));
    const namespaces = ['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type }));
    if (network !== 'host') namespaces.push(network ? { type: 'network', path: network } : { type: 'network' });
    writeFileSync(path.join(bundle, 'config.json'), JSON.stringify({
      ociVersion: '1.0.2', process: { args, env, cwd: '/', terminal, user: { uid: 0, gid: 0 }, ...user }, root: { path: 'rootfs' },
      hostname: id.slice(0, 60), mounts, annotations, linux: { cgroupsPath: group ?? `/${this.group}/${id}`, namespaces, resources },
    }));
    execFileSync('mkfifo', [path.join(bundle, 'log')]);
    return bundle;
  }
  env(version) {
    return { PATH: process.env.PATH, TTRPC_ADDRESS: `${this.address}.ttrpc`, ...(version >= 3 ? { MAX_SHIM_VERSION: String(version) } : {}) };
  }
  // Runs `start`; what it prints.
  async start(id, bundle, version = 2, options = undefined) {
    const log = openSync(path.join(bundle, 'log'), constants.O_RDWR | constants.O_NONBLOCK);
    (this.logs ??= []).push(log);
    return new Promise((done, fail) => execFile(this.shim, ['-namespace', this.namespace, '-address', this.address, '-publish-binary', '/bin/false', '-id', id, 'start'],
      { cwd: bundle, env: this.env(version) }, (error, stdout, stderr) => error ? fail(new Error(`start: ${stderr}`)) : done(stdout)).stdin.end(options));
  }
  remove(id, bundle) {
    return new Promise((done, fail) => execFile(this.shim, ['-namespace', this.namespace, '-address', this.address, '-publish-binary', '/bin/false', '-id', id, '-bundle', bundle, 'delete'],
      { cwd: bundle, env: this.env(2), encoding: 'buffer' }, (error, stdout, stderr) => error ? fail(new Error(`delete: ${stderr}`)) : done(proto.decode(proto.methods.Delete[1], stdout))));
  }
  fifo(name) {
    const file = path.join(this.folder, 'fifo', name);
    mkdirSync(path.dirname(file), { recursive: true });
    if (!existsSync(file)) execFileSync('mkfifo', [file]);
    return file;
  }
  end() { for (const log of this.logs ?? []) closeSync(log); }
}

// All that comes out of a FIFO, as text.
export async function drain(file) {
  const handle = await open(file, 'r');
  const parts = [];
  for await (const part of handle.createReadStream()) parts.push(part);
  return Buffer.concat(parts).toString();
}
