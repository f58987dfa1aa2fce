// A client of HTTP/1.1 that sends what it is told to, byte by byte, and takes what comes; and claims about that.
import fs from 'node:fs';
import net from 'node:net';

export const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

// A connection: what was received so far, and waiting for more of it.
export const connect = async port => {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const state = { socket, text: '', closed: false };
  socket.setEncoding('latin1');
  socket.on('data', data => { state.text += data; });
  socket.on('error', () => { state.closed = true; });
  socket.on('end', () => { state.closed = true; });
  socket.on('close', () => { state.closed = true; });
  await new Promise((resolve, reject) => { socket.once('connect', resolve); socket.once('error', reject); });
  state.until = async (done, ms = 8000) => {
    for (const end = Date.now() + ms; !done(state) && Date.now() < end;) await sleep(5);
    return state;
  };
  state.send = text => { socket.write(text, 'latin1'); return state; };
  return state;
};

// Sends `text`, and takes what comes until `done`, or the connection ends; then closes it.
export const talk = async (port, text, done = () => false, ms = 8000) => {
  const state = await connect(port);
  state.send(text);
  await state.until(one => one.closed || done(one), ms);
  state.socket.destroy();
  return state;
};

// The body of a response without its chunks; undefined if it is not whole.
export const unchunked = text => {
  let data = '', rest = text.slice(text.indexOf('\r\n\r\n') + 4);
  if (!/\r\nTransfer-Encoding: chunked\r\n/.test(text)) return rest;
  for (let chunk; (chunk = /^([0-9a-fA-F]+)\r\n/.exec(rest)) && Number.parseInt(chunk[1], 16);) {
    const begin = chunk[0].length, size = Number.parseInt(chunk[1], 16);
    data += rest.slice(begin, begin + size);
    rest = rest.slice(begin + size + 2);
  }
  return rest === '0\r\n\r\n' ? data : undefined;
};

export const statuses = text => [...text.matchAll(/HTTP\/1\.1 (\d\d\d) /g)].map(found => Number(found[1]));
export const claim = (condition, what) => { if (!condition) throw Error(what); };
export const same = (got, wanted, what = 'got') =>
  claim(JSON.stringify(got) === JSON.stringify(wanted), `${what} ${JSON.stringify(got)}, expected ${JSON.stringify(wanted)}`);

export const private_memory = pid => {
  try {
    const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter(Boolean);
    const sum = [...fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1').matchAll(/^Private_\w+: +(\d+) kB/gm)]
      .reduce((all, found) => all + Number(found[1]), 0);
    return children.reduce((all, child) => all + (private_memory(child) ?? 0), sum); // one that ends meanwhile has none
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return undefined;
    throw error;
  }
};
