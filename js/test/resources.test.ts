import assert from 'node:assert/strict';
import { test } from 'node:test';

import { init, LakeletError, languageModel, Module, predict, ResourceManager, Workspace, type BatchProgress, type Model } from 'lakelet';

import { complete, json, reply, serve } from './support.js';

const qa = predict('question -> answer');
const from = (models: Readonly<Record<string, Model>>) => ({
  getModel: (modelType: string) => {
    const found = models[modelType];
    if (!found) throw new LakeletError(`Unknown model type: ${modelType}`, { code: 'input' });
    return found;
  },
});

test('so many requests are in flight as the pool has places', async (t) => {
  let inFlight = 0, most = 0;
  const server = await serve(t, (_, response) => {
    most = Math.max(most, ++inFlight);
    setImmediate(() => {
      inFlight--;
      complete(response, reply({ answer: 'a' }));
    });
  });
  const workspace = new Workspace({ host: server.url, token: 'dapi-1' });
  const resources = new ResourceManager(from({ chat: workspace.lm('chat') }));
  const lm = await resources.getEndpoint('chat', 2);
  await Promise.all(Array.from({ length: 9 }, (_, i) => qa.run({ question: String(i) }, { lm, cache: false })));
  assert.equal(server.received.length, 9);
  assert.equal(most, 2);
  assert.deepEqual(resources.loads, { chat: { inFlight: 0, waiting: 0, limit: 2, poolSize: 2, pausedMs: 0, halvings: 0 } });
  await assert.rejects(resources.getEndpoint('poem'), /Unknown model type: poem/);
  await assert.rejects(resources.getEndpoint('chat', 0), { code: 'input', field: 'poolSize' });
});

test('an endpoint that complains is asked less, and loses no request', async (t) => {
  let complaints = 0;
  const server = await serve(t, (_, response) => {
    if (complaints++ < 3) json(response, 429, { error_code: 'REQUEST_LIMIT_EXCEEDED', message: 'slow' }, { 'retry-after': '0' });
    else complete(response, reply({ answer: 'a' }));
  });
  const workspace = new Workspace({ host: server.url, token: 'dapi-1' });
  const resources = new ResourceManager(from({ chat: workspace.lm('chat') }));
  const lm = await resources.getEndpoint('chat', 4);
  const answers = await Promise.all(Array.from({ length: 6 }, (_, i) => qa.run({ question: String(i) }, { lm, cache: false })));
  assert.ok(answers.every(({ answer }) => answer === 'a'));
  assert.equal(server.received.length, 9);
  assert.ok((resources.loads['chat']?.halvings ?? 0) >= 1);
});

test('who gives up leaves the queue', async (t) => {
  const server = await serve(t, () => {});
  const workspace = new Workspace({ host: server.url, token: 'dapi-1' });
  const resources = new ResourceManager(from({ chat: workspace.lm('chat') }));
  const lm = await resources.getEndpoint('chat', 1);
  const giveUp = new AbortController();
  const calls = ['a', 'b'].map((question) => qa.run({ question }, { lm, cache: false, signal: giveUp.signal }));
  while (server.received.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(resources.loads['chat']?.waiting, 1);
  giveUp.abort();
  for (const call of calls) await assert.rejects(call, { code: 'cancelled' });
  await server.received[0]?.gone;
  const { inFlight, waiting } = resources.loads['chat'] ?? {};
  assert.deepEqual([server.received.length, inFlight, waiting], [1, 0, 0]);
});

test('many examples are done in their order; failures lose nothing, and what is kept is not asked again', async () => {
  await init();
  const asked: string[] = [];
  let isDown = true;
  const lm = languageModel('scripted', ({ messages }) => {
    const question = /question ## \]\]\n(\w+)/.exec(String(messages.at(-1)?.content))?.[1] ?? '';
    asked.push(question);
    if (question === 'bad' && isDown) throw new LakeletError('down', { code: 'server' });
    return reply({ answer: `${question}!` });
  });
  const resources = new ResourceManager(from({}));
  const examples = ['one', 'bad', 'two'].map((question) => ({ question, label: 'x' }));
  const told: BatchProgress[] = [];
  const store = new Map<string, string>();
  const options = { lm, store, job: 'qa 1', batchSize: 2, batchesInFlight: 1, onProgress: (progress: BatchProgress) => told.push(progress) };
  const first = await resources.optimizeBatchProcessing(qa, examples, options);
  assert.deepEqual(first.items.map(({ prediction, error }) => prediction?.answer ?? error?.code), ['one!', 'server', 'two!']);
  assert.equal(first.items[1]?.example, examples[1]);
  assert.deepEqual([first.failed, told.length, told.at(-1)?.done, told.at(-1)?.total, told.at(-1)?.failed], [1, 3, 3, 3, 1]);
  assert.equal(store.size, 2);

  isDown = false;
  asked.length = 0;
  const second = await resources.optimizeBatchProcessing(qa, examples, options);
  assert.deepEqual(second.items.map(({ prediction, isKept }) => [prediction?.answer, isKept]), [['one!', true], ['bad!', false], ['two!', true]]);
  assert.deepEqual(asked, ['bad']);
});

test('a class of the caller is a program, too', async () => {
  class Twice extends Module<{ n: number }, { twice: number }> {
    override async forward({ n }: { n: number }) {
      return { twice: 2 * n };
    }
  }
  const { items } = await new ResourceManager(from({})).optimizeBatchProcessing(new Twice(), [{ n: 1 }, { n: 2 }]);
  assert.deepEqual(items.map(({ prediction }) => prediction?.twice), [2, 4]);
});
