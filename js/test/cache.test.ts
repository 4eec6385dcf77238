import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bestOfN, inspect, predict, Workspace, type CacheStore } from 'lakelet';

import { complete, json, reply, serve } from './support.js';

const qa = predict('question -> answer');
const ASKED = { question: '?' };

test('an endpoint is asked once for the same thing, unless another answer is wanted', async (t) => {
  const server = await serve(t, (_, response) => complete(response, reply({ answer: String(server.received.length) })));
  const workspace = new Workspace({ host: server.url, token: 'dapi-test' });
  const settings = { workspace, lm: 'cached-once' };
  const first = await qa.run(ASKED, settings);
  const again = await qa.run(ASKED, settings);
  assert.deepEqual(again, { answer: '1' });
  assert.equal(inspect(first).usage.totalTokens, 18);
  assert.deepEqual(inspect(first).lmUsage, { 'cached-once': { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 } });
  assert.deepEqual([inspect(again).usage.totalTokens, inspect(again).lmUsage], [0, {}]);
  const running = qa.stream(ASKED, settings);
  for await (const event of running) if (event.type === 'text') assert.equal(event.text, '1');
  assert.equal(server.received.length, 1);

  assert.deepEqual(await qa.run(ASKED, { ...settings, config: { rollout_id: 1 } }), { answer: '2' });
  assert.deepEqual(await qa.run(ASKED, { ...settings, config: { rollout_id: 1 } }), { answer: '2' });
  assert.deepEqual(await qa.run(ASKED, { ...settings, config: { cache: false } }), { answer: '3' });
  assert.deepEqual(await qa.run(ASKED, { ...settings, cache: false }), { answer: '4' });
  assert.ok(server.received.every(({ body }) => !('cache' in body) && !('rollout_id' in body)));

  let tries = 0;
  await bestOfN(qa, { n: 3, rewardFn: () => ++tries, threshold: 10 }).run(ASKED, settings);
  assert.deepEqual([tries, server.received.length], [3, 7]);
});

test('answers are kept in the store that is handed in', async () => {
  const texts = new Map<string, string>();
  const kv = { get: async (key: string) => texts.get(key) ?? null, put: async (key: string, text: string) => void texts.set(key, text) };
  const api = {
    match: async (key: string) => (texts.has(key) ? new Response(texts.get(key)) : undefined),
    put: async (key: string, response: Response) => void texts.set(key, await response.text()),
  };
  for (const store of [texts, kv, api as unknown as CacheStore]) {
    texts.clear();
    let asked = 0;
    const settings = { lm: () => reply({ answer: String(++asked) }), cache: store };
    assert.deepEqual(await qa.run(ASKED, settings), { answer: '1' });
    assert.deepEqual(await qa.run(ASKED, settings), { answer: '1' });
    assert.equal(texts.size, 1);
    assert.match([...texts.keys()][0] ?? '', /[0-9a-f]{64}$/);
  }
  const broken: CacheStore = { get: () => Promise.reject(new Error('gone')), set: () => { throw new Error('gone'); } };
  assert.deepEqual(await qa.run(ASKED, { lm: () => reply({ answer: 'a' }), cache: broken }), { answer: 'a' });
});

test('vectors are kept by their text, and only new texts are sent', async (t) => {
  const server = await serve(t, ({ body }, response) => {
    const texts = body['input'] as string[];
    json(response, 200, { data: texts.map((text, index) => ({ index, embedding: [text.length, 0.5] })), model: 'e' });
  });
  const cache = new Map<string, string>();
  const embed = new Workspace({ host: server.url, token: 'dapi-test' }).embedder('gte', { cache });
  assert.deepEqual(await embed(['a', 'bb']), [[1, 0.5], [2, 0.5]]);
  assert.deepEqual(await embed(['ccc', 'bb', 'a']), [[3, 0.5], [2, 0.5], [1, 0.5]]);
  assert.deepEqual(server.received.map(({ body }) => body['input']), [['a', 'bb'], ['ccc']]);
  assert.equal(cache.size, 3);
});

test('functions are asked each time unless told otherwise', async () => {
  let asked = 0;
  const lm = () => reply({ answer: String(++asked) });
  await qa.run(ASKED, { lm });
  await qa.run(ASKED, { lm });
  assert.equal(asked, 2);
});
