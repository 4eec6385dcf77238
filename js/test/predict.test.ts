import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chainOfThought, inspect, LakeletError, predict, signature, withStatus, Workspace, init } from 'lakelet';

import { complete, json, reply, serve, stream } from './support.js';

const DSPY = 'context: list[str], question -> answer: str, score: float';
const INPUTS = { context: ['Lakelet is small.', 'It is fast.'], question: 'Is it small?' };
const REPLY = reply({ answer: 'Yes.', score: '0.9' });

test('what needs the core says so before init, and the first run loads it', async () => {
  assert.throws(() => signature('question -> answer'), (error: unknown) => {
    assert.ok(error instanceof LakeletError);
    assert.equal(error.code, 'config');
    assert.match(error.hint ?? '', /await init\(\)/);
    return true;
  });
  const { answer } = await predict('question -> answer').run({ question: 'Hm?' }, { lm: () => reply({ answer: 'Ah.' }) });
  assert.equal(answer, 'Ah.');
});

test('a prediction is asked of an endpoint, typed, and leaves a record', async (t) => {
  const server = await serve(t, (_, response) => complete(response, REPLY));
  const workspace = new Workspace({ host: server.url, token: 'dapi-test' });
  const prediction = await predict(DSPY, { config: { max_tokens: 50 } }).run(INPUTS, { lm: workspace.lm('small', { temperature: 0 }) });

  assert.deepEqual(prediction, { answer: 'Yes.', score: 0.9 });
  assert.equal(prediction.answer.length + prediction.score, 4.9);
  const [request] = server.received;
  assert.ok(request);
  assert.equal(request.url, '/serving-endpoints/small/invocations');
  assert.equal(request.headers.authorization, 'Bearer dapi-test');
  assert.equal(request.body['max_tokens'], 50);
  assert.equal(request.body['temperature'], 0);
  assert.match(request.body.messages?.at(-1)?.content ?? '', /\["Lakelet is small\.", "It is fast\."\]/);

  const { usage, trace, stoppedBy } = inspect(prediction);
  assert.equal(usage.totalTokens, 18);
  assert.equal(stoppedBy, null);
  assert.equal(trace.length, 1);
  assert.deepEqual(trace[0]?.outputs, prediction);
  assert.deepEqual(trace[0]?.calls[0]?.messages, request.body.messages);
});

test('chain of thought reasons first, with demos in every prompt', async () => {
  const seen: unknown[] = [];
  const qa = chainOfThought('question -> answer: int', { demos: [{ question: '1 + 1?', reasoning: 'Count.', answer: 2 }] });
  const { reasoning, answer } = await qa.run({ question: '2 + 2?' }, {
    lm: ({ messages }) => {
      seen.push(...messages.map(({ role }) => role));
      return { text: reply({ reasoning: 'Twice two.', answer: '4' }), usage: { total_tokens: 9 } };
    },
  });
  assert.equal(reasoning, 'Twice two.');
  assert.equal(answer, 4);
  assert.deepEqual(seen, ['system', 'user', 'assistant', 'user']);
  assert.deepEqual([...qa.namedPredictors().keys()], ['predict']);
});

test('values of every kind reach the prompt as Python shows them', async () => {
  await init();
  const given = {
    a: 'é “x” 漢字 😀', b: 1, c: 0.5, d: -0, e: true, f: null, g: [1, [2.5, 'x']], h: { k: 'v', n: { m: [] } },
    i: 12345678901234567890n, j: new Date('2026-01-02T03:04:05Z'), k: new Map([['x', 1]]), l: 'long '.repeat(20_000), m: undefined,
  };
  const names = Object.keys(given).filter((name) => name !== 'm');
  const [, user] = predict(`${names.map((name) => `${name}: Any`).join(', ')} -> z`).messages(given as never);
  const shown = (name: string) => new RegExp(`## ${name} ## \\]\\]\\n(.*)\\n`).exec(String(user?.content))?.[1];
  assert.equal(shown('a'), given.a);
  assert.deepEqual(['b', 'c', 'd', 'e', 'f', 'i'].map(shown), ['1', '0.5', '-0.0', 'True', 'None', '12345678901234567890']);
  assert.equal(shown('g'), '[1, [2.5, "x"]]');
  assert.equal(shown('h'), '{"k": "v", "n": {"m": []}}');
  assert.equal(shown('j'), '2026-01-02T03:04:05Z');
  assert.equal(shown('k'), '{"x": 1}');
  assert.equal(shown('l'), given.l);

  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  assert.throws(() => predict('a -> b').messages({ a: cyclic }), /nested too deeply/);
  assert.throws(() => predict('a -> b').messages({ a: () => 1 }), /of type function/);
});

test('a stream tells fields as they grow, then the result', async (t) => {
  const server = await serve(t, (_, response) => stream(response, ['[[ ## answer ## ]]\nYe', 's.\n\n[[ ## sco', 're ## ]]\n0.9\n\n[[ ## completed ## ]]']));
  const running = predict(DSPY).stream(INPUTS, { lm: new Workspace({ host: server.url, token: 'dapi-test' }).lm('small') });
  const types: string[] = [];
  let text = '';
  for await (const event of running) {
    types.push(event.type);
    if (event.type === 'text' && event.field === 'answer') text += event.text;
    if (event.type === 'value' && event.field === 'score') assert.equal(event.value, 0.9);
  }
  assert.equal(text, 'Yes.');
  assert.equal(types[0], 'started');
  assert.deepEqual(types.slice(-2), ['finished', 'result']);
  assert.equal(server.received[0]?.body.stream, true);
  const result = await running.result;
  assert.deepEqual(result, { answer: 'Yes.', score: 0.9 });
  assert.equal(inspect(result).usage.totalTokens, 18);
});

test('a stream tells lists while they are written, and every stage of the call', async (t) => {
  const server = await serve(t, (_, response) => stream(response, ['[[ ## tags ## ]]\n["one", "t', 'wo"]\n\n[[ ## completed ## ]]']));
  const running = predict('text -> tags: list[str]').stream({ text: 'x' }, { lm: new Workspace({ host: server.url, token: 'dapi-test' }).lm('small') });
  const told: unknown[] = [];
  for await (const event of withStatus(running, { lmStart: (model) => `Asking ${model}` })) {
    if (event.type === 'started') told.push([event.step, event.parent]);
    if (event.type === 'stage') told.push([event.call, event.stage, event.progress]);
    if (event.type === 'partial' || event.type === 'value') told.push(event.value);
    if (event.type === 'status') told.push(event.message);
  }
  assert.deepEqual(told, [
    ['predict', null],
    [0, 'adapter_format', 'started'], [0, 'adapter_format', 'done'],
    [0, 'lm', 'started'], 'Asking small', ['one', 't'], ['one', 'two'], ['one', 'two'], [0, 'lm', 'done'],
    [0, 'adapter_parse', 'started'], [0, 'adapter_parse', 'done'],
  ]);
});

test('leaving the loop, a signal and a timeout each hang up', async (t) => {
  const server = await serve(t, ({ body }, response) => {
    if (body.stream) stream(response, ['[[ ## answer ## ]]\nYes, it is quite ', 'small, '], false);
  });
  const lm = new Workspace({ host: server.url, token: 'dapi-test' }).lm('small');
  const qa = predict(DSPY);
  const cancelled = (error: unknown) => error instanceof LakeletError && error.code === 'cancelled';

  const running = qa.stream(INPUTS, { lm });
  for await (const event of running) if (event.type === 'text') break;
  await assert.rejects(running.result, cancelled);
  await server.received[0]?.gone;

  const controller = new AbortController();
  const call = qa.run(INPUTS, { lm, signal: controller.signal });
  setTimeout(() => controller.abort(), 50);
  await assert.rejects(call, cancelled);
  await assert.rejects(qa.run(INPUTS, { lm, signal: AbortSignal.abort() }), cancelled);
  await assert.rejects(qa.run(INPUTS, { lm, timeout: 50 }), (error: unknown) => error instanceof LakeletError && error.code === 'deadline');
  await Promise.all(server.received.map(({ gone }) => gone));
  assert.equal(server.received.length, 3);
});

test('fetch can be given', async () => {
  const asked: string[] = [];
  const workspace = new Workspace({
    baseUrl: 'https://page.example/api',
    fetch: async (url) => {
      asked.push(url);
      return Response.json({ model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: REPLY }, finish_reason: 'stop' }] });
    },
  });
  const { score } = await predict(DSPY).run(INPUTS, { workspace, lm: 'small' });
  assert.equal(score, 0.9);
  assert.deepEqual(asked, ['https://page.example/api/serving-endpoints/small/invocations']);
});

test('errors say what happened, where, and what to do', async (t) => {
  const server = await serve(t, ({ url }, response) => {
    if (url.includes('gone')) json(response, 404, { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'There is no such endpoint.' }, { 'x-request-id': 'r-1' });
    else complete(response, 'I would rather not.');
  });
  const workspace = new Workspace({ host: server.url, token: 'dapi-secret', retries: 0 });
  const failing = async (work: Promise<unknown>): Promise<LakeletError> => {
    const error: unknown = await work.then(() => assert.fail('it did not fail'), (thrown: unknown) => thrown);
    assert.ok(error instanceof LakeletError, String(error));
    assert.ok(!`${error.stack}${JSON.stringify(error)}`.includes('dapi-secret'));
    return error;
  };
  const qa = predict(DSPY);

  const gone = await failing(qa.run(INPUTS, { lm: workspace.lm('gone') }));
  assert.deepEqual([gone.code, gone.status, gone.errorCode, gone.requestId, gone.retryable], ['not_found', 404, 'RESOURCE_DOES_NOT_EXIST', 'r-1', false]);

  const sloppy = await failing(qa.run(INPUTS, { lm: workspace.lm('chatty') }));
  assert.equal(sloppy.code, 'parse');
  assert.equal(sloppy.reply?.text, 'I would rather not.');
  assert.equal(inspect(sloppy).trace[0]?.status, 'failed');

  const malformed = await failing(predict('question answer' as string).run({}, { lm: workspace.lm('small') }));
  assert.equal(malformed.code, 'signature');
  assert.ok(malformed.hint);

  const unconfigured = await failing(qa.run(INPUTS, { lm: 'small' }));
  assert.equal(unconfigured.code, 'config');
  assert.match(unconfigured.hint ?? '', /workspace/);

  const nothing = await failing(predict('question -> answer').run({ question: '?' }));
  assert.equal(nothing.code, 'config');

  const refused = await failing(qa.run(INPUTS, { lm: new Workspace({ host: 'http://127.0.0.1:9', token: 'dapi-secret', retries: 0 }).lm('small') }));
  assert.equal(refused.code, 'network');

  const thrown = await failing(qa.run(INPUTS, { lm: () => { throw new Error('no model here'); } }));
  assert.match(thrown.message, /no model here/);
});
