import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bestOfN, chainOfThought, configure, float, inspect, LakeletError, Module, predict, refine, type ModelRequest } from 'lakelet';

import { reply } from './support.js';

let asked: ModelRequest[] = [];
let answers: string[] = [];
configure({
  lm: (request) => {
    asked.push(request);
    return answers.shift() ?? '';
  },
});

function answering(...texts: string[]): void {
  asked = [];
  answers = texts.map((answer) => reply({ reasoning: 'So.', answer }));
}

const words = (text: string) => text.split(' ').length;

class Answer extends Module<{ question: string }, { answer: string; asked: string }> {
  qa = chainOfThought('question -> answer');

  async forward({ question }: { question: string }) {
    const { answer } = await this.qa.run({ question });
    return { answer, asked: question };
  }
}

test('the best of several tries counts', async () => {
  answering('one two three', 'one two', 'one two three four');
  const best = bestOfN(predict('question -> answer'), { n: 3, rewardFn: ({ question }, { answer }) => (question === '?' ? -words(answer) : -100), threshold: 0 });
  const prediction = await best.run({ question: '?' });
  assert.deepEqual(prediction, { answer: 'one two' });
  assert.deepEqual(asked.map(({ options }) => options['temperature']), [1, 1, 1]);
  assert.equal(inspect(prediction).trace.filter(({ kind }) => kind === 'predict').length, 3);

  answering('one', 'two words');
  await bestOfN(predict('question -> answer'), { n: 3, rewardFn: async (_, { answer }) => words(answer) === 1, threshold: 1 }).run({ question: '?' });
  assert.equal(asked.length, 1);
});

test('programs that are classes are tried as well, and streamed', async () => {
  answering('one two three', 'one');
  const best = bestOfN(new Answer(), { n: 2, rewardFn: (_, { answer }) => -words(answer), threshold: 0 });
  const running = best.stream({ question: '?' });
  const told: string[] = [];
  for await (const event of running) if (event.type === 'value' && event.field === 'answer') told.push(String(event.value));
  assert.deepEqual(await running.result, { answer: 'one', asked: '?' });
  assert.ok(told.includes('one'));
  const steps = inspect(await running.result).trace.filter(({ kind }) => kind === 'chain_of_thought');
  assert.deepEqual(steps.map(({ name }) => name), ['module.qa', 'module.qa']);
  assert.deepEqual([...best.namedPredictors().keys()], ['module.qa.predict']);
  best.load(best.save());
});

test('refine advises the predictors inside', async () => {
  const advice = { discussion: 'Too long.', advice: JSON.stringify({ 'qa.predict': 'Use one word.' }) };
  answering('one two three', 'x', 'one');
  answers[1] = reply(advice);
  const rewardFn = (_: unknown, { answer }: { answer: string }) => (words(answer) === 1 ? 1 : 0);
  const { answer } = await refine(new Answer(), { n: 2, rewardFn, threshold: 1 }).run({ question: '?' });
  assert.equal(answer, 'one');
  const texts = asked.map(({ messages }) => String(messages.at(-1)?.content));
  assert.match(texts[1] ?? '', /class Answer extends Module/);
  assert.match(texts[1] ?? '', /words\(answer\) === 1 \? 1 : 0/);
  assert.match(texts[2] ?? '', /## hint_ ## \]\]\nUse one word\./);
});

test('what a try fails with is told, with its details', async () => {
  answering();
  const qa = predict('question -> answer', { adapter: 'json' });
  const best = bestOfN(qa, { n: 2, rewardFn: () => 1, threshold: 1, failCount: 0 });
  await assert.rejects(best.run({ question: '?' }), (error: unknown) => error instanceof LakeletError && error.code === 'parse');
  class Failing extends Module<object, object> {
    async forward(): Promise<object> {
      return qa.run({ question: '?' });
    }
  }
  await assert.rejects(bestOfN(new Failing(), { n: 1, rewardFn: () => 1, threshold: 1 }).run({}), (error: unknown) => {
    return error instanceof LakeletError && error.code === 'parse' && error.reply !== undefined;
  });
  answering('a');
  const thrown = bestOfN(qa, { n: 1, rewardFn: () => { throw new TypeError('no such thing'); }, threshold: 1 });
  answers = ['{"answer": "a"}'];
  await assert.rejects(thrown.run({ question: '?' }), (error: unknown) => error instanceof LakeletError && error.cause instanceof TypeError);
  answers = ['{"answer": "a"}'];
  await assert.rejects(bestOfN(qa, { n: 1, rewardFn: () => 'good' as never, threshold: 1 }).run({ question: '?' }), /is no number/);
});

test('what goes through a class is what was given', async () => {
  class Pass extends Module<{ score: number }, { answer: string }> {
    qa = predict('score: float -> answer');
    forward(inputs: { score: number }) {
      return this.qa.run(inputs);
    }
  }
  answering('a');
  await bestOfN(new Pass(), { n: 1, rewardFn: () => 1, threshold: 1 }).run({ score: float(1) });
  assert.match(String(asked[0]?.messages.at(-1)?.content), /## score ## \]\]\n1\.0\n/);
});

test('a call that ends ends its tries', async () => {
  const slow = bestOfN(new Answer(), { n: 2, rewardFn: () => 0, threshold: 1 });
  let signal: AbortSignal | undefined;
  const lm = (request: ModelRequest) => {
    signal = request.signal;
    return new Promise<string>(() => {});
  };
  await assert.rejects(slow.run({ question: '?' }, { lm, timeout: 30 }), (error: unknown) => error instanceof LakeletError && error.code === 'deadline');
  assert.ok(signal?.aborted);
});
