import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import type { GatewayHandler } from 'lakelet/gateway';
import { serve } from 'lakelet/gateway/node';

let handler: GatewayHandler;
const server = await serve((request, connection) => handler(request, connection), { port: 0, report: () => {} });
const { port } = new URL(server.url);
after(() => server.close());

/** Sends bytes as they are, and gives the status line of the answer. */
async function raw(text: string): Promise<string> {
  const socket = connect(Number(port), '127.0.0.1');
  socket.end(text);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer.split('\r\n')[0]!;
}

test('a request arrives whole, and its answer leaves whole', async () => {
  handler = async (request, connection) => Response.json({ body: await request.text(), method: request.method, path: new URL(request.url).pathname, header: request.headers.get('x-one'), connection }, { status: 201 });
  const response = await fetch(`${server.url}/some/path`, { method: 'POST', body: 'é'.repeat(100_000), headers: { 'x-one': '1' } });
  assert.equal(response.status, 201);
  assert.deepEqual(await response.json(), { body: 'é'.repeat(100_000), method: 'POST', path: '/some/path', header: '1', connection: { address: '127.0.0.1' } });
});

test('an answer streams as it comes to be, and no faster than it is read', async () => {
  let made = 0;
  handler = async () => new Response(new ReadableStream({
    pull(controller) {
      made++;
      controller.enqueue(new Uint8Array(65_536));
    },
  }));
  const reader = (await fetch(server.url)).body!.getReader();
  await reader.read();
  let before;
  do {
    before = made;
    await sleep(200);
  } while (made > before);
  assert.ok(made < 1000, `${made} chunks were made for one that was read`);
  await reader.cancel();
});

test('a client that goes away aborts the request', async () => {
  let began!: () => void;
  const started = new Promise<void>((resolve) => (began = resolve));
  const aborted = new Promise((resolve) => {
    handler = async (request) => {
      request.signal.addEventListener('abort', resolve);
      began();
      return new Response(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) }));
    };
  });
  const leaving = new AbortController();
  const response = await fetch(server.url, { signal: leaving.signal });
  await started;
  leaving.abort();
  await aborted;
  await assert.rejects(response.text());
});

test('an answer that breaks cuts the connection, so that nobody takes it for whole', async () => {
  handler = async () => new Response(new ReadableStream({
    start: (controller) => controller.enqueue(new Uint8Array(1)),
    pull: (controller) => controller.error(new Error('broken')),
  }));
  await assert.rejects(fetch(server.url).then((response) => response.text()));
});

test('a handler that throws says nothing of why', async () => {
  handler = async () => {
    throw new Error('secret');
  };
  const response = await fetch(server.url);
  assert.deepEqual([response.status, await response.text()], [500, '']);
});

test('requests that have no single meaning, and other names, do not reach the handler', async () => {
  let reached = 0;
  handler = async () => {
    reached++;
    return new Response('ok');
  };
  const to = (line: string, host = `127.0.0.1:${port}`) => raw(`${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  for (const target of ['http://evil.example/', 'https://127.0.0.1/', '//evil.example/', '/\\evil.example/', '/a/../b', '/a/./b', '/..', '/a\\b', '/a#b', '*']) {
    assert.match(await to(`GET ${target}`), / 400 /, target);
  }
  for (const host of ['evil.example', `evil.example:${port}`, `127.0.0.1@evil.example`, '127.0.0.1.evil.example', 'evil.example/127.0.0.1']) {
    assert.match(await to('GET /', host), / 4(00|21) /, host);
  }
  assert.match(await to('TRACE /'), / 405 /);
  assert.equal(reached, 0);
  assert.match(await to('GET /', `localhost:${port}`), / 200 /);
  assert.match(await to('GET /a?b=c%20d'), / 200 /);
  assert.equal(reached, 2);
});

test('a server that closes ends what runs', async () => {
  const other = await serve(async () => new Response(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) })), { port: 0 });
  const response = await fetch(other.url);
  await Promise.all([other.close(), assert.rejects(response.text())]);
  await assert.rejects(fetch(other.url));
});
