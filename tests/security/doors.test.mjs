// The table of attacks against the gateway in every place that it runs in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Workspace } from 'lakelet';
import { serve } from 'lakelet/gateway/node';

import { makeCookies } from './cookies.mjs';
import { openGateway, SECRET, TOKEN } from './gateway.mjs';
import { defend } from './runner.mjs';
import { throughHandler, throughSocket } from './senders.mjs';
import { openUpstream } from './upstream.mjs';
import { openWorker } from './workerd.mjs';
import { hasWasmtime, startWasmtime } from '../../www/server/wasmtime.mjs';

const COMPONENT = fileURLToPath(new URL('../../build/component/lakelet-server.component.wasm', import.meta.url));
/** Answers with what it was given, as the program of `gateway.mjs` does. */
const ECHO = JSON.stringify({
  lakelet: 1,
  name: 'assistant',
  inputs: { question: 'str', role: 'str' },
  steps: { echo: { do: 'join', values: ['question', 'role'], separator: ' ' } },
  outputs: { answer: 'echo.text' },
});

/** What the doors in this process have in common. */
async function openHere(t) {
  const upstream = await openUpstream();
  t.after(upstream.close);
  const { gateway, kept } = openGateway(new Workspace({ host: upstream.url, token: TOKEN, retries: 0 }));
  const cookies = await makeCookies((cookie) => kept.close(new Request('https://app.example', { headers: { cookie } })));
  return { gateway, common: { signedIn: ['cookie', cookies.good], cookies, received: upstream.received,
    secrets: [TOKEN, SECRET, upstream.url] } };
}

defend('the gateway as a function', async (t) => {
  const { gateway, common } = await openHere(t);
  const origin = 'https://app.example';
  return { ...common, origin, send: throughHandler(gateway, origin) };
});

defend('the gateway as a server in Node', async (t) => {
  const { gateway, common } = await openHere(t);
  const server = await serve(gateway, { port: 0 });
  t.after(server.close);
  return { ...common, origin: server.url, ...throughSocket(server.url) };
});

test('a Worker with names answers to no other', async (t) => {
  const { url, close } = await openWorker({ host: 'http://127.0.0.1:9', token: TOKEN, onLine: () => {} });
  t.after(close);
  const ask = async (line,
    host) => (await throughSocket(url).exchange(Buffer.from(`GET ${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`))).status;
  const { host } = new URL(url);
  assert.equal(await ask('/api/programs', host), 200);
  assert.equal(await ask('/api/programs', 'evil.example'), 421);
  assert.equal(await ask('/api/programs', `${host}@evil.example`), 421);
});

defend('the gateway as a Worker', async (t) => {
  const upstream = await openUpstream();
  t.after(upstream.close);
  const log = [];
  const { url, close } = await openWorker({ host: upstream.url, token: TOKEN, onLine: (line) => log.push(line) });
  t.after(close);
  t.after(() => assert.ok(!log.join('\n').includes(TOKEN)));
  const cookies = await makeCookies((cookie) => fetch(`${url}/sign-out`, { headers: { cookie } }));
  return { origin: url, signedIn: ['cookie', cookies.good], cookies, received: upstream.received, secrets: [TOKEN, SECRET, upstream.url],
    send: throughSocket(url).send };
});

defend('the gateway as a component', async (t) => {
  const upstream = await openUpstream();
  t.after(upstream.close);
  const log = [];
  const { url, close } = await startWasmtime(COMPONENT, {
    environment: { DATABRICKS_HOST: upstream.url, DATABRICKS_TOKEN: TOKEN, LAKELET_CHAT_ENDPOINT: 'chat', LAKELET_PROGRAM: ECHO,
      LAKELET_USER_HEADERS: 'role=x-user-role' },
    onLine: (line) => log.push(line),
  });
  t.after(close);
  t.after(() => assert.ok(!log.join('\n').includes(TOKEN)));
  return { origin: url, signedIn: ['x-user-role', 'employee'], relays: false, received: upstream.received, secrets: [TOKEN, upstream.url],
    send: throughSocket(url).send };
}, { skip: hasWasmtime ? false : 'there is no wasmtime command' });
