import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inspect, languageModel, LakeletError, predict, type ModelRequest, type ReportedUsage } from 'lakelet';

import { reply } from './support.js';

const qa = predict('question -> answer');
const ASKED = { question: '?' };
const usage: ReportedUsage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, prompt_tokens_details: { cached_tokens: 2 } };

test('a function answers with one text, with several, or with what the API answers', async () => {
  const alone = await qa.run(ASKED, { lm: () => ({ text: reply({ answer: 'a' }), model: 'm-1', usage }) });
  assert.deepEqual(alone, { answer: 'a' });
  assert.deepEqual(inspect(alone).usage, { promptTokens: 3, completionTokens: 4, totalTokens: 7, cachedTokens: 2, reasoningTokens: 0 });
  assert.equal(inspect(alone).trace[0]?.calls[0]?.model, 'm-1');

  const several = await qa.run(ASKED, { lm: () => ['a', 'b', 'c'].map((answer) => reply({ answer })), config: { n: 3 } });
  assert.deepEqual([several, ...inspect(several).others], [{ answer: 'a' }, { answer: 'b' }, { answer: 'c' }]);

  const api = await qa.run(ASKED, { lm: () => ({ choices: [{ message: { content: reply({ answer: 'a' }) }, finish_reason: 'stop' }], usage }) });
  assert.equal(inspect(api).usage.totalTokens, 7);

  const nothing = qa.run(ASKED, { lm: () => ({}) as never });
  await assert.rejects(nothing, (error: unknown) => error instanceof LakeletError && error.code === 'protocol');
});

test('pieces stream, whether or not they are the API\'s, and are joined where nobody listens', async () => {
  async function* texts() {
    yield '[[ ## answer ## ]]\nOne ';
    yield 'two.\n\n[[ ## completed ## ]]';
  }
  async function* chunks() {
    for await (const content of texts()) yield { choices: [{ index: 0, delta: { content } }], model: 'm-2' };
    yield { choices: [], usage };
  }
  for (const pieces of [texts, chunks]) {
    assert.deepEqual(await qa.run(ASKED, { lm: pieces }), { answer: 'One two.' });
    const running = qa.stream(ASKED, { lm: pieces });
    const told: string[] = [];
    for await (const event of running) if (event.type === 'text') told.push(event.text);
    assert.deepEqual(told, ['One', ' two.']);
    const { usage: used, trace } = inspect(await running.result);
    assert.equal(used.totalTokens, pieces === chunks ? 7 : 0);
    assert.equal(trace[0]?.calls[0]?.model, pieces === chunks ? 'm-2' : 'texts');
  }
});

test('who leaves stops the function', async () => {
  let request: ModelRequest | undefined;
  let returned = false;
  async function* endless(asked: ModelRequest) {
    request = asked;
    try {
      yield '[[ ## answer ## ]]\nand ';
      while (true) yield 'so on ';
    } finally {
      returned = true;
    }
  }
  const running = qa.stream(ASKED, { lm: endless });
  for await (const event of running) if (event.type === 'text') break;
  await assert.rejects(running.result, (error: unknown) => error instanceof LakeletError && error.code === 'cancelled');
  assert.ok(request?.signal.aborted);
  assert.ok(returned);
});

test('capabilities decide what a function is asked', async () => {
  const seen: ModelRequest[] = [];
  const json = (request: ModelRequest) => (seen.push(request), '{"answer": "a"}');
  const asJson = predict('question -> answer', { adapter: 'json' });
  await asJson.run(ASKED, { lm: languageModel('plain', json) });
  await asJson.run(ASKED, { lm: languageModel('object', json, { capabilities: { jsonObject: true }, defaults: { temperature: 0.2, max_tokens: 9 } }), config: { max_tokens: 5 } });
  await asJson.run(ASKED, { lm: languageModel('schema', json, { capabilities: { jsonSchema: true } }) });
  assert.deepEqual(seen.map(({ responseFormat }) => (responseFormat as { type?: string } | undefined)?.type), [undefined, 'json_object', 'json_schema']);
  assert.deepEqual(seen[1]?.options, { temperature: 0.2, max_tokens: 5 });
});

test('reasoning comes from the answer where a model has it', async () => {
  const thinking = predict('question -> why: dspy.Reasoning, answer');
  const lm = languageModel('thinker', () => ({ choices: [{ message: { content: reply({ answer: 'a' }), reasoning_content: 'So.' } }] }), { capabilities: { reasoning: true } });
  const { why, answer } = await thinking.run(ASKED, { lm });
  assert.deepEqual([why, answer], ['So.', 'a']);
});

test('adapters have names and options', async () => {
  const asked: string[] = [];
  const lm = ({ messages }: ModelRequest) => {
    asked.push(String(messages.at(-1)?.content));
    return asked.length === 1 ? 'no' : '{"answer": "a"}';
  };
  assert.deepEqual(await qa.run(ASKED, { lm }), { answer: 'a' });
  assert.match(asked[1] ?? '', /JSON object/);

  const strict = predict('question -> answer', { adapter: { adapter: 'chat', useJsonAdapterFallback: false } });
  await assert.rejects(strict.run(ASKED, { lm: () => 'no' }), (error: unknown) => error instanceof LakeletError && error.code === 'parse');
  assert.deepEqual(await predict('question -> answer', { adapter: 'xml' }).run(ASKED, { lm: () => '<answer>a</answer>' }), { answer: 'a' });
  assert.deepEqual(await predict('question -> answer', { adapter: 'baml' }).run(ASKED, { lm }), { answer: 'a' });
  assert.throws(() => predict('question -> answer', { adapter: 'yaml' as never }).messages(ASKED), /no adapter `yaml`/);
});
