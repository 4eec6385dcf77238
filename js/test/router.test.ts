import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inspect, LakeletError, languageModel, predict, router, Workspace, type PassedOver } from 'lakelet';

import { complete, json, reply, serve, stream } from './support.js';

const qa = predict('question -> answer');

test('a router asks the next model when one is throttled, and leaves that one alone', async (t) => {
  const server = await serve(t, ({ url }, response) => {
    if (url.includes('/one/')) json(response, 429, { error_code: 'REQUEST_LIMIT_EXCEEDED', message: 'slow down' }, { 'retry-after': '30' });
    else complete(response, reply({ answer: 'from two' }));
  });
  const workspace = new Workspace({ host: server.url, token: 'dapi-1' });
  const passed: PassedOver[] = [];
  const lm = router([workspace.lm('one'), workspace.lm('two')], { onPassedOver: (of) => passed.push(of) });
  assert.equal(lm.name, 'one | two');
  for (const question of ['a', 'b']) {
    const prediction = await qa.run({ question }, { lm, cache: false });
    assert.equal(prediction.answer, 'from two');
    assert.deepEqual(Object.keys(inspect(prediction).lmUsage), ['two']);
  }
  assert.deepEqual(server.received.map(({ url }) => url.split('/')[2]), ['one', 'two', 'two']);
  assert.deepEqual(passed.map(({ model, forMs, error }) => [model, forMs, error.code]), [['one', 30_000, 'rate_limited']]);
});

test('a stream falls back before its first piece', async (t) => {
  const server = await serve(t, ({ url }, response) => {
    if (url.includes('/one/')) json(response, 503, { error_code: 'TEMPORARILY_UNAVAILABLE', message: 'down' });
    else stream(response, [reply({ answer: 'two words' })]);
  });
  const workspace = new Workspace({ host: server.url, token: 'dapi-1' });
  const told = qa.stream({ question: 'q' }, { lm: router([workspace.lm('one'), workspace.lm('two')]), cache: false });
  let text = '';
  for await (const event of told) if (event.type === 'text') text += event.text;
  assert.equal(text, 'two words');
  assert.deepEqual(await told.result, { answer: 'two words' });
});

test('a router takes functions, and tells what is wrong with a request at once', async () => {
  const asked: string[] = [];
  const model = (name: string, answer: () => string) => languageModel(name, () => (asked.push(name), answer()));
  const failing = model('failing', () => { throw new LakeletError('no', { code: 'network' }); });
  const lm = router([failing, model('good', () => reply({ answer: 'yes' }))], { retries: 0 });
  assert.equal((await qa.run({ question: 'q' }, { lm })).answer, 'yes');
  assert.deepEqual(asked, ['failing', 'good']);
  const wrong = model('wrong', () => { throw new LakeletError('too long', { code: 'context_window' }); });
  await assert.rejects(qa.run({ question: 'q' }, { lm: router([wrong, model('good', () => '')]) }), { code: 'context_window' });
  assert.equal(asked.at(-1), 'wrong');
  assert.throws(() => router([]), { code: 'config' });
});
