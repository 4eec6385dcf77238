// Ways to put a request to a gateway: to its function, or as bytes on a connection, where nothing tidies it up first.
import { connect } from 'node:net';

/** Sends through a function from `Request` to `Response`, as hosts like Workers call it. */
export function throughHandler(handler, origin) {
  return async ({ method, target, headers, body }) => {
    const init = method === 'GET' || method === 'HEAD' ? {} : { body };
    const response = await handler(new Request(origin + target, { method, headers, ...init }));
    return { status: response.status, headers: new Headers(response.headers), text: await response.text() };
  };
}

/**
 * Sends over a connection of its own, and gives what comes back; status 0 when the server hangs up without a word. A server that waits
 * for more is not waited for.
 */
export function throughSocket(url, silenceMs = 20_000) {
  const { hostname, port, host } = new URL(url);
  const send = ({ method, target, headers, body = '' }) => {
    const bytes = Buffer.from(body);
    const lines = [...headers, ['host', host], ['content-length', String(bytes.length)], ['connection', 'close']];
    const head = [`${method} ${target} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n');
    return exchange(Buffer.concat([Buffer.from(head), bytes]));
  };
  const exchange = (bytes) =>
    new Promise((resolve) => {
      const socket = connect(Number(port), hostname);
      const chunks = [];
      const done = () => resolve(readAnswer(Buffer.concat(chunks).toString()));
      socket.on('data', (chunk) => chunks.push(chunk)).on('close', done).on('error', () => {});
      socket.setTimeout(silenceMs, () => socket.destroy());
      socket.write(bytes);
    });
  return { send, exchange };
}

function readAnswer(text) {
  const [head, ...rest] = text.split('\r\n\r\n');
  const [line, ...lines] = head.split('\r\n');
  const headers = new Headers(lines.filter(Boolean).map((line) => [line.slice(0, line.indexOf(':')),
    line.slice(line.indexOf(':') + 1).trim()]));
  return { status: Number(line.split(' ')[1] ?? 0), headers, text: rest.join('\r\n\r\n') };
}
