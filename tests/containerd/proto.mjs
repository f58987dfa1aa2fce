// Protocol buffers and ttrpc for tests, written apart from the shim's own: a message is described as
// {name: [number, kind]}, where kind is 'n' (number), 's' (string), 'b' (bytes), or another message,
// and an array around it says that it is repeated.

export const timestamp = { seconds: [1, 'n'], nanos: [2, 'n'] };
export const any = { type_url: [1, 's'], value: [2, 'b'] };
const mount = { type: [1, 's'], source: [2, 's'], target: [3, 's'], options: [4, ['s']] };
const named = { id: [1, 's'], exec_id: [2, 's'] };
const pid = { pid: [1, 'n'] };
const empty = {};
const ended = { exit_status: [1, 'n'], exited_at: [2, timestamp] };

// method: [request, response]
export const methods = {
  Create: [{ id: [1, 's'], bundle: [2, 's'], rootfs: [3, [mount]], terminal: [4, 'n'], stdin: [5, 's'], stdout: [6, 's'], stderr: [7, 's'], checkpoint: [8, 's'], options: [10, 'b'] }, pid],
  Start: [named, pid],
  State: [named, { id: [1, 's'], bundle: [2, 's'], pid: [3, 'n'], status: [4, 'n'], stdin: [5, 's'], stdout: [6, 's'], stderr: [7, 's'], terminal: [8, 'n'], exit_status: [9, 'n'], exited_at: [10, timestamp], exec_id: [11, 's'] }],
  Delete: [named, { pid: [1, 'n'], exit_status: [2, 'n'], exited_at: [3, timestamp] }],
  Wait: [named, ended],
  Pids: [{ id: [1, 's'] }, { processes: [1, [{ pid: [1, 'n'], info: [2, any] }]] }],
  Kill: [{ id: [1, 's'], exec_id: [2, 's'], signal: [3, 'n'], all: [4, 'n'] }, empty],
  Pause: [{ id: [1, 's'] }, empty],
  Resume: [{ id: [1, 's'] }, empty],
  Checkpoint: [{ id: [1, 's'], path: [2, 's'] }, empty],
  Exec: [{ id: [1, 's'], exec_id: [2, 's'], terminal: [3, 'n'], stdin: [4, 's'], stdout: [5, 's'], stderr: [6, 's'], spec: [7, any] }, empty],
  ResizePty: [{ id: [1, 's'], exec_id: [2, 's'], width: [3, 'n'], height: [4, 'n'] }, empty],
  CloseIO: [{ id: [1, 's'], exec_id: [2, 's'], stdin: [3, 'n'] }, empty],
  Update: [{ id: [1, 's'], resources: [2, any] }, empty],
  Stats: [{ id: [1, 's'] }, { stats: [1, any] }],
  Connect: [{ id: [1, 's'] }, { shim_pid: [1, 'n'], task_pid: [2, 'n'], version: [3, 's'] }],
  Shutdown: [{ id: [1, 's'], now: [2, 'n'] }, empty],
};
export const request = { service: [1, 's'], method: [2, 's'], payload: [3, 'b'], timeout_nano: [4, 'n'] };
export const response = { status: [1, { code: [1, 'n'], message: [2, 's'] }], payload: [2, 'b'] };
export const envelope = { timestamp: [1, timestamp], namespace: [2, 's'], topic: [3, 's'], event: [4, any] };
export const forward = { envelope: [1, envelope] };
export const events = {
  '/tasks/create': { container_id: [1, 's'], bundle: [2, 's'], io: [4, { stdin: [1, 's'], stdout: [2, 's'], stderr: [3, 's'], terminal: [4, 'n'] }], pid: [6, 'n'] },
  '/tasks/start': { container_id: [1, 's'], pid: [2, 'n'] },
  '/tasks/exit': { container_id: [1, 's'], id: [2, 's'], pid: [3, 'n'], exit_status: [4, 'n'], exited_at: [5, timestamp] },
  '/tasks/delete': { container_id: [1, 's'], pid: [2, 'n'], exit_status: [3, 'n'], exited_at: [4, timestamp], id: [5, 's'] },
  '/tasks/oom': { container_id: [1, 's'] },
  '/tasks/paused': { container_id: [1, 's'] },
  '/tasks/resumed': { container_id: [1, 's'] },
  '/tasks/exec-added': { container_id: [1, 's'], exec_id: [2, 's'] },
  '/tasks/exec-started': { container_id: [1, 's'], exec_id: [2, 's'], pid: [3, 'n'] },
};
const entry = { limit: [1, 'n'], usage: [2, 'n'], max: [3, 'n'] };
export const metrics = {
  'io.containerd.cgroups.v1.Metrics': { pids: [2, { current: [1, 'n'], limit: [2, 'n'] }], cpu: [3, { usage: [1, { total: [1, 'n'] }] }], memory: [4, { rss: [2, 'n'], usage: [33, entry] }] },
  'io.containerd.cgroups.v2.Metrics': { pids: [1, { current: [1, 'n'], limit: [2, 'n'] }], cpu: [2, { usage_usec: [1, 'n'] }], memory: [4, { anon: [1, 'n'], usage: [32, 'n'], usage_limit: [33, 'n'] }] },
};

// containerd's own services, as far as a shim asks them.
export const images = {
  named: { name: [1, 's'] },
  container: { container: [1, { id: [1, 's'], image: [3, 's'] }] },
  image: { image: [1, { name: [1, 's'], target: [3, { media_type: [1, 's'], digest: [2, 's'], size: [3, 'n'] }] }] },
  info: { info: [1, { digest: [1, 's'], size: [2, 'n'], labels: [5, [{ key: [1, 's'], value: [2, 's'] }]] }] },
  read: { digest: [1, 's'], offset: [2, 'n'], size: [3, 'n'] },
  part: { offset: [1, 'n'], data: [2, 'b'] },
};

function varint(value) {
  const bytes = [];
  for (let v = BigInt(value); ; v >>= 7n) {
    bytes.push(Number(v & 0x7fn) | (v > 0x7fn ? 0x80 : 0));
    if (v <= 0x7fn) return Buffer.from(bytes);
  }
}
const chunk = (number, bytes) => Buffer.concat([varint(number << 3 | 2), varint(bytes.length), bytes]);

export function encode(of, message) {
  const parts = [];
  for (const [name, [number, kind]] of Object.entries(of)) {
    const value = message?.[name];
    if (value === undefined) continue;
    for (const one of Array.isArray(kind) ? value : [value]) {
      const as = Array.isArray(kind) ? kind[0] : kind;
      if (as === 'n') parts.push(varint(number << 3), varint(one === true ? 1 : one || 0));
      else parts.push(chunk(number, as === 's' || as === 'b' ? Buffer.from(one) : encode(as, one)));
    }
  }
  return Buffer.concat(parts);
}

export function decode(of, bytes) {
  const message = {};
  for (const [name, [, kind]] of Object.entries(of))
    message[name] = Array.isArray(kind) ? [] : kind === 'n' ? 0 : kind === 's' ? '' : kind === 'b' ? Buffer.alloc(0) : null;
  let at = 0;
  const number = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('cut short');
      value |= BigInt(byte & 0x7f) << shift;
      if (!(byte & 0x80)) return Number(value);
    }
  };
  while (at < bytes.length) {
    const key = number(), wire = key & 7;
    const [name, [, kind]] = Object.entries(of).find(([, [n]]) => n === key >> 3) ?? [null, [0, null]];
    const as = Array.isArray(kind) ? kind[0] : kind;
    let value;
    if (wire === 0) value = number();
    else if (wire === 2) {
      const size = number();
      if (at + size > bytes.length) throw new Error('cut short');
      value = bytes.subarray(at, at += size);
      if (as === 's') value = value.toString();
      else if (as && as !== 'b' && as !== 'n') value = decode(as, value);
    } else throw new Error(`wire type ${wire}`);
    if (!name) continue;
    if (Array.isArray(kind)) message[name].push(value); else message[name] = value;
  }
  return message;
}

export function frame(stream, type, body, flags = 0) {
  const head = Buffer.alloc(10);
  head.writeUInt32BE(body.length, 0);
  head.writeUInt32BE(stream, 4);
  head[8] = type;
  head[9] = flags;
  return Buffer.concat([head, body]);
}

// Calls take(stream, type, body) for each whole frame of a socket.
export function frames(socket, take) {
  let rest = Buffer.alloc(0);
  socket.on('data', (data) => {
    rest = Buffer.concat([rest, data]);
    while (rest.length >= 10 && rest.length >= 10 + rest.readUInt32BE(0)) {
      const size = rest.readUInt32BE(0);
      take(rest.readUInt32BE(4), rest[8], rest.subarray(10, 10 + size));
      rest = rest.subarray(10 + size);
    }
  });
}
