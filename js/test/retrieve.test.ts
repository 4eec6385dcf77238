import assert from 'node:assert/strict';
import { test } from 'node:test';

import { knn, LakeletError, predict, retrieve, Workspace, type ModelRequest } from 'lakelet';

import { json, reply, serve } from './support.js';

test('passages come from the index of the settings', async (t) => {
  const server = await serve(t, (_, response) => json(response, 200, {
    manifest: { column_count: 3, columns: [{ name: 'id' }, { name: 'text' }, { name: 'score' }] },
    result: { row_count: 2, data_array: [['1', 'One.', 0.9], ['2', 'Two.', 0.8]] },
  }));
  const workspace = new Workspace({ host: server.url, token: 'dapi-test' });
  const settings = { workspace, rm: 'main.rag.docs' };
  assert.deepEqual(await retrieve({ k: 2 }).run({ query: 'leave' }, settings), { passages: ['One.', 'Two.'] });
  assert.equal(server.received[0]?.body['num_results'], 2);
  await retrieve().run({ query: 'leave', k: 5 }, settings);
  assert.equal(server.received[1]?.body['num_results'], 5);
});

test('the nearest examples are found, with an embedder of the workspace too', async (t) => {
  const vector = (text: string) => [text.length, 1];
  const trainset = ['a', 'bbb', 'cc'].map((q) => ({ q, a: q.toUpperCase() }));
  const asked: string[][] = [];
  const nearest = knn({ k: 2, trainset, inputs: ['q'], vectorizer: (texts) => (asked.push([...texts]), texts.map(vector)) });
  assert.deepEqual(await nearest.run({ q: 'x' }), { examples: [{ q: 'bbb', a: 'BBB' }, { q: 'cc', a: 'CC' }] });
  await nearest.run({ q: 'y' });
  assert.deepEqual(asked, [['q: a', 'q: bbb', 'q: cc'], ['q: x'], ['q: y']]);

  const server = await serve(t, ({ body }, response) => {
    const texts = body['input'] as string[];
    json(response, 200, { data: texts.map((text, index) => ({ index, embedding: vector(text) })), model: 'e' });
  });
  const vectorizer = new Workspace({ host: server.url, token: 'dapi-test' }).embedder('gte');
  const { examples } = await knn({ k: 1, trainset, inputs: ['q'], vectorizer }).run({ q: 'x' });
  assert.equal(examples[0]?.a, 'BBB');
  assert.equal(server.received.length, 2);

  const broken = knn({ k: 1, trainset, inputs: ['q'], vectorizer: () => 'no' as never });
  await assert.rejects(broken.run({ q: 'x' }), (error: unknown) => error instanceof LakeletError && error.code === 'protocol');
});

test('a second model finds the fields in what the first one writes', async () => {
  const seen: string[] = [];
  const extractionModel = ({ messages }: ModelRequest) => {
    seen.push(String(messages.at(-1)?.content));
    return reply({ answer: '4' });
  };
  const qa = predict('question -> answer: int', { adapter: { adapter: 'twoStep', extractionModel } });
  assert.deepEqual(await qa.run({ question: '2+2?' }, { lm: () => 'It is four, I think.' }), { answer: 4 });
  assert.match(seen[0] ?? '', /It is four, I think\./);
});
