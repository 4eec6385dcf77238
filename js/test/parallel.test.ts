import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inspect, LakeletError, Module, parallel, predict, type ModelRequest } from 'lakelet';

import { reply } from './support.js';

const qa = predict('question -> answer');
const rate = predict('text -> score: float');

let under = 0, most = 0;
const lm = async ({ messages }: ModelRequest) => {
  most = Math.max(most, ++under);
  await new Promise((resolve) => setTimeout(resolve, 5));
  under--;
  const asked = /## question ## \]\]\n(.*)\n/.exec(String(messages.at(-1)?.content))?.[1];
  if (asked === 'fail') throw new Error('no');
  return asked ? reply({ answer: asked }) : reply({ score: '0.5' });
};

test('calls run a few at a time, and keep their order', async () => {
  most = 0;
  const results = await parallel({ numThreads: 2 }).run([[qa, { question: 'a' }], [rate, { text: 'x' }], [qa, { question: 'fail' }], [qa, { question: 'd' }]], { lm });
  assert.deepEqual(results as unknown, [{ answer: 'a' }, { score: 0.5 }, null, { answer: 'd' }]);
  assert.equal(results[1]?.score.toFixed(1), '0.5');
  assert.equal(most, 2);
  assert.equal(inspect(results).trace.find(({ status }) => status === 'failed')?.error?.message, 'no');
  const given = parallel({ maxErrors: 1 }).run([[qa, { question: 'fail' }], [qa, { question: 'a' }]], { lm });
  await assert.rejects(given, (error: unknown) => error instanceof LakeletError && error.code === 'cancelled');
});

test('a class asks its parts at once', async () => {
  class Each extends Module<{ questions: string[] }, { answers: (string | undefined)[] }> {
    qa = qa;
    each = parallel();
    async forward({ questions }: { questions: string[] }) {
      const results = await this.each.run(questions.map((question) => [this.qa, { question }] as const));
      return { answers: results.map((result) => result?.answer) };
    }
  }
  const prediction = await new Each().run({ questions: ['a', 'b', 'c'] }, { lm });
  assert.deepEqual(prediction, { answers: ['a', 'b', 'c'] });
  assert.equal(inspect(prediction).trace.length, 3);
  assert.deepEqual([...new Each().namedPredictors().keys()], ['qa']);
});
