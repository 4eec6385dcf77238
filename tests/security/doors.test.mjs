// The table of attacks against the gateway in every place that it runs in.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Workspace } from 'lakelet';
import { serve } from 'lakelet/gateway/node';

import { makeCookies } from './cookies.mjs';
import { openGateway, SECRET, TOKEN } from './gateway.mjs';
import { defend } from './runner.mjs';
import { throughHandler, throughSocket } from './senders.mjs';
import { openUpstream } from './upstream.mjs';
import { openWorker } from './workerd.mjs';

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
