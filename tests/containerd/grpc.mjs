// gRPC as far as tests need it: calls with one message there and one back, in proto.mjs's form.
import http2 from 'node:http2';
import net from 'node:net';
import { decode, encode } from './proto.mjs';

// Connects to a socket: {call(path, [asked, answered], message, headers), close()}.
export function connect(socket) {
  const session = http2.connect('http://localhost', { createConnection: () => net.connect(socket) });
  const call = (path, [asked, answered], message, headers = {}) => new Promise((done, fail) => {
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', ...headers });
    const parts = [];
    let status = {};
    stream.on('data', (part) => parts.push(part));
    for (const event of ['response', 'trailers']) stream.on(event, (got) => { status = { ...status, ...got }; });
    stream.on('error', fail);
    stream.on('end', () => {
      if (Number(status['grpc-status']) !== 0) fail(new Error(`${path.split('/').at(-1)}: ${decodeURIComponent(status['grpc-message'] ?? status['grpc-status'])}`));
      else done(decode(answered, Buffer.concat(parts).subarray(5)));
    });
    const body = encode(asked, message), head = Buffer.alloc(5);
    head.writeUInt32BE(body.length, 1);
    stream.end(Buffer.concat([head, body]));
  });
  return { call, close: () => session.destroy() };
}
