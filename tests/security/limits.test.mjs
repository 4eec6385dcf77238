// Bodies that come slowly, that are larger than they say, or that never end: over real connections, byte by byte.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { serve } from 'lakelet/gateway/node';

import { makeCookies } from './cookies.mjs';
import { openGateway } from './gateway.mjs';
import { throughSocket } from './senders.mjs';
import { openWorker } from './workerd.mjs';

const LIMIT = 1000;

/** A server that takes small bodies, and the lines of its audit. */
async function open(t, bodyMs = 60_000) {
  const lines = [];
  const { gateway } = openGateway(undefined, { limits: { bodyBytes: LIMIT, bodyMs },
    audit: ({ status, error_code }) => lines.push([status, error_code]) });
  const server = await serve(gateway, { port: 0 });
  t.after(server.close);
  const { good } = await makeCookies(() => {});
  const { host, port } = new URL(server.url);
  const head = (...headers) => ['POST /api/programs/assistant HTTP/1.1', `Host: ${host}`, `Cookie: ${good}`,
    'Content-Type: application/json', ...headers, '', ''].join('\r\n');
  /** Sends these bytes, then more of them until the server hangs up; gives what it answered. */
  const send = async (bytes, more) => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => {});
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk));
    const closed = once(socket, 'close');
    socket.write(bytes);
    const dripping = more && setInterval(() => socket.writable && socket.write(more), 20);
    await closed;
    clearInterval(dripping);
    return answer.split('\r\n')[0];
  };
  return { head, send, lines };
}

const body = JSON.stringify({ inputs: { question: 'Why?' } });
const chunk = (text) => `${text.length.toString(16)}\r\n${text}\r\n`;

test('a body that drips, or stops, is given up in time', async (t) => {
  const { head, send, lines } = await open(t, 200);
  assert.match(await send(head('Content-Length: 900'), ' '), / 408 /);
  assert.match(await send(head('Content-Length: 900') + body.slice(0, 5)), / 408 /);
  assert.match(await send(head('Transfer-Encoding: chunked'), chunk(' ')), / 408 /);
  assert.deepEqual(lines, Array(3).fill([408, 'REQUEST_TIMEOUT']));
});

test('a Worker gives up a body that stops', async (t) => {
  const worker = await openWorker({ host: 'http://127.0.0.1:9', token: 'dapi-test', onLine: () => {} });
  t.after(worker.close);
  const { good } = await makeCookies(() => {});
  const { host } = new URL(worker.url);
  const head = ['POST /api/programs/assistant HTTP/1.1', `Host: ${host}`, `Cookie: ${good}`, 'Content-Type: application/json',
    'Content-Length: 900', '', ''].join('\r\n');
  assert.equal((await throughSocket(worker.url).exchange(Buffer.from(head + body.slice(0, 5)))).status, 408);
});

test('a body is counted as it comes, whatever is said of its length', async (t) => {
  const { head, send, lines } = await open(t);
  const large = ' '.repeat(LIMIT + 1);
  assert.match(await send(head('Transfer-Encoding: chunked') + chunk(large)), / 413 /);
  assert.match(await send(head('Transfer-Encoding: chunked'), chunk(' '.repeat(LIMIT))), / 413 /);
  assert.match(await send(head(`Content-Length: ${large.length}`)), / 413 /, 'what is announced is not waited for');
  assert.match(await send(head(`Content-Length: ${2 ** 53}`), large), / 413 /);
  assert.match(await send(head('Content-Length: 99999999999999999999')), / 4\d\d /);
  assert.deepEqual(lines, Array(4).fill([413, 'REQUEST_TOO_LARGE']));
});

test('a body that is compressed is not unpacked', async (t) => {
  const { head, send, lines } = await open(t);
  const bomb = gzipSync(Buffer.alloc(500_000, 0x20));
  assert.ok(bomb.length < LIMIT);
  const bytes = Buffer.concat([Buffer.from(head('Content-Encoding: gzip', `Content-Length: ${bomb.length}`, 'Connection: close')), bomb]);
  assert.match(await send(bytes), / 4\d\d /);
  assert.equal(lines.length, 1);
});

test('a client that hangs up in the middle of its body leaves nothing behind', async (t) => {
  const { head, lines } = await open(t);
  const [, host, port] = /Host: ([\d.]+):(\d+)/.exec(head());
  const socket = connect(Number(port), host);
  socket.end(head('Content-Length: 900') + body);
  await once(socket.resume(), 'close');
  for (let tries = 0; lines.length === 0 && tries < 100; tries++) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(lines.length, 1);
  assert.ok(lines[0][0] >= 400, `${lines}`);
});

test('bytes behind the end of a request are another request, and judged as such', async (t) => {
  const { head, send } = await open(t);
  const inner = 'GET /api/programs HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n';
  let answers = '';
  const [, host, port] = /Host: ([\d.]+):(\d+)/.exec(head());
  const socket = connect(Number(port), host);
  socket.on('data', (chunk) => (answers += chunk));
  socket.write(head(`Content-Length: ${body.length}`) + body + inner);
  await once(socket, 'close');
  assert.deepEqual(answers.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 421']);
});
