// Random requests, the same ones every time: whatever comes, the gateway answers with a status, keeps its secrets, and goes on.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Workspace } from 'lakelet';
import { serve } from 'lakelet/gateway/node';

import { makeCookies } from './cookies.mjs';
import { openGateway, SECRET, TOKEN } from './gateway.mjs';
import { throughHandler, throughSocket } from './senders.mjs';
import { openUpstream } from './upstream.mjs';

const ORIGIN = 'https://app.example';
const PATHS = ['/api/programs/assistant', '/api/serving-endpoints/chat/completions', '/api/serving-endpoints/chat/invocations',
  '/api/api/2.0/vector-search/indexes/main.default.handbook/query', '/api/programs'];
const BODIES = [{ inputs: { question: 'Why?' } }, { model: 'chat', messages: [{ role: 'user', content: 'Hello' }] }, { messages: [] },
  { columns: ['id'], query_text: 'x', filters_json: '{"region":["EU"]}' }].map((body) => JSON.stringify(body));
/** What readers of paths, headers and JSON are known to stumble over. */
const SPLINTERS = ['/', '//', '\\', '..', '%2e', '%2f', '%5c', '%00', '%', '?', '#', '@', ';', ':', '[::1]', 'evil.example', '\t', ' ',
  '\r', '\n', '\r\n', '\0', '\u007f', 'é', '\u200b', '😀', '\ufeff', '"', "'", '{', '}', '[', ']', ',', 'null', 'true', '1e999', '-0',
  '\\u0000', '\\ud800', '__proto__', 'constructor', '{"a":', '[[[[', 'audience', 'NOT', 'data:', 'url'];

/** Numbers that look random (mulberry32). */
function chance(seed) {
  const next = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(next() * n);
  const pick = (items) => items[below(items.length)];
  const mutate = (text) => {
    for (let edits = below(4); edits >= 0; edits--) {
      const [from, to] = [below(text.length + 1), below(text.length + 1)].sort((a, b) => a - b);
      text = pick([
        () => text.slice(0, from) + pick(SPLINTERS) + text.slice(from),
        () => text.slice(0, from) + text.slice(to),
        () => text.slice(0, to) + text.slice(from),
        () => text.slice(0, from) + String.fromCharCode(below(256)) + text.slice(from + 1),
      ])();
    }
    return text;
  };
  return { below, pick, mutate };
}

async function open(t, serving) {
  const upstream = await openUpstream();
  t.after(upstream.close);
  const reported = [];
  const { gateway } = openGateway(new Workspace({ host: upstream.url, token: TOKEN, retries: 0 }),
    { report: (error) => reported.push(error) });
  const { good } = await makeCookies(() => {});
  if (!serving) return { upstream, reported, good, gateway };
  const server = await serve(gateway, { port: 0, report: (error) => reported.push(error) });
  t.after(server.close);
  return { upstream, reported, good, server };
}

/** What must hold of every call that reached the workspace, however it came to be. */
function checkReceived({ received }) {
  for (const { url, headers, body } of received) {
    assert.match(url, /^\/(serving-endpoints\/(chat\/invocations|chat\/completions)|api\/2\.0\/vector-search\/indexes\/main\.default\.handbook\/query)$/);
    assert.equal(headers.authorization, `Bearer ${TOKEN}`);
    const sent = JSON.parse(body);
    assert.ok(sent.model === undefined || sent.model === 'chat', body);
    if (url.includes('vector-search')) assert.deepEqual(JSON.parse(sent.filters_json).audience, ['all']);
  }
}

test('random paths, headers and bodies are answered, and reach nothing that is not listed', async (t) => {
  const { upstream, reported, good, gateway } = await open(t);
  const send = throughHandler(gateway, ORIGIN);
  const { below, pick, mutate } = chance(1);
  const statuses = new Map();
  for (let i = 0; i < 4000; i++) {
    const which = below(PATHS.length);
    const target = below(2) ? PATHS[which] : mutate(PATHS[which]);
    const body = below(3) ? mutate(pick(BODIES)) : pick(BODIES);
    const headers = [['origin', ORIGIN], ['content-type', 'application/json'], ['cookie', below(4) ? good : mutate(good)],
      [pick(['accept', 'x-a', 'sec-fetch-site', 'content-encoding']), mutate('a')]];
    const request = { method: below(10) ? 'POST' : 'GET', target, headers, body };
    const answer = await send(request).catch((error) => {
      // A request that cannot be written cannot arrive.
      assert.ok(error instanceof TypeError, `${error.stack}`);
      return undefined;
    });
    if (!answer) continue;
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    assert.ok(answer.status !== 500, `${JSON.stringify(request)}: ${answer.text}`);
    assert.ok(![TOKEN, SECRET, upstream.url].some((secret) => answer.text.includes(secret)), answer.text);
  }
  for (const status of [200, 400, 401, 404]) assert.ok(statuses.get(status) > 20, `${status}: ${statuses.get(status)}`);
  assert.deepEqual(reported, []);
  checkReceived(upstream);
  assert.ok(upstream.received.length > 100);
});

test('random bytes on a connection are answered or hung up on, and the server goes on', async (t) => {
  const { upstream, reported, good, server } = await open(t, true);
  const { host } = new URL(server.url);
  const { exchange } = throughSocket(server.url, 50);
  const { below, pick, mutate } = chance(2);
  for (let batch = 0; batch < 30; batch++) {
    await Promise.all(Array.from({ length: 20 }, async () => {
      const body = pick(BODIES);
      const lines = [`POST ${pick(PATHS)} HTTP/1.1`, `Host: ${host}`, `Cookie: ${good}`, 'Content-Type: application/json', `Content-Length: ${body.length}`];
      const head = [...lines, 'Connection: close', '', ''].join('\r\n');
      const text = below(5) ? mutate(head) + body : mutate(head + body);
      const { status, text: told } = await exchange(Buffer.from(text, 'latin1'));
      assert.ok(status !== 500, `${JSON.stringify(text)}: ${status}`);
      assert.ok(![TOKEN, SECRET, upstream.url].some((secret) => told.includes(secret)), told);
    }));
  }
  assert.equal((await fetch(`${server.url}/api/programs`)).status, 200);
  assert.deepEqual(reported, []);
  checkReceived(upstream);
});
