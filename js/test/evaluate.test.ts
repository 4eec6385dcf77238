import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  answerExactMatch, evaluate, inspect, LakeletError, languageModel, Module, pipeline, predict, semanticF1,
  type EvaluationProgress, type ModelRequest,
} from 'lakelet';

import { reply } from './support.js';

const qa = predict('question -> answer');
const devset = ['a', 'b', 'fail', 'd'].map((question) => ({ question, answer: question.toUpperCase() }));

/** The question of a prompt. */
const asked = ({ messages }: ModelRequest) => /## question ## \]\]\n(.*)\n/.exec(String(messages.at(-1)?.content))?.[1] ?? '';

let under = 0, most = 0;
const lm = languageModel('letters', async (request: ModelRequest) => {
  most = Math.max(most, ++under);
  const question = asked(request);
  await new Promise((resolve) => setTimeout(resolve, question === 'a' ? 20 : 5));
  under--;
  if (question === 'fail') throw new Error('no');
  const content = reply({ answer: question === 'd' ? 'x' : question });
  return { choices: [{ message: { role: 'assistant', content } }], usage: { prompt_tokens: 2, completion_tokens: 1, total_tokens: 3 } };
});

const is = (code: string, field?: string) => (error: unknown) => error instanceof LakeletError && error.code === code && error.field === field;

test('rows stand in the order of the set', async () => {
  const progress: EvaluationProgress[] = [];
  const evaluation = await evaluate(qa, { devset, metric: answerExactMatch, concurrency: 2, onProgress: (it) => progress.push(it), lm });
  const { score, margin, results, failed, usage, latencyMs } = evaluation;
  assert.deepEqual([score, margin, failed, most, usage.totalTokens], [50, 56.58, 1, 2, 9]);
  assert.deepEqual(results.map(({ prediction }) => prediction?.answer), ['a', 'b', undefined, 'x']);
  assert.deepEqual(results.map((row) => row.score), [true, true, 0, false]);
  assert.equal(results[0]?.example, devset[0]);
  assert.equal(results[2]?.error?.message, 'no');
  assert.ok(latencyMs.p99 !== null && latencyMs.p99 >= (latencyMs.p50 ?? Infinity));
  assert.deepEqual(progress.map(({ done }) => done), [1, 2, 3, 4]);
  assert.deepEqual(progress.map(({ row }) => row).sort(), [0, 1, 2, 3]);
  const { total, failed: failures, score: last, leftMs, error } = progress[3] as EvaluationProgress;
  assert.deepEqual([total, failures, last, leftMs, error], [4, 1, 50, 0, undefined]);
  assert.equal(progress.find(({ row }) => row === 2)?.error?.code, 'server');
  assert.deepEqual([inspect(evaluation).usage, inspect(evaluation).trace], [usage, []]);
});

test('a budget ends it, and the score is of what was evaluated', async () => {
  const { score, results, failed, stoppedBy } = await evaluate(qa, { devset, metric: answerExactMatch, concurrency: 1, lm, cache: false, budget: { calls: 2 } });
  assert.deepEqual([score, failed, stoppedBy?.code], [100, 0, 'budget']);
  assert.deepEqual(results.map(({ prediction, error }) => prediction?.answer ?? error?.code), ['a', 'b', 'budget', 'budget']);
  const whole = await evaluate(qa, { devset: devset.slice(0, 2), metric: answerExactMatch, lm });
  assert.equal(whole.stoppedBy, null);
  await assert.rejects(evaluate(qa, { devset, metric: answerExactMatch, lm, budget: { calls: 0 } }), is('input', 'calls'));
});

test('a class is evaluated by a function that may wait', async () => {
  class Twice extends Module<{ question: string }, { answers: string[] }> {
    qa = qa;
    async forward({ question }: { question: string }) {
      const [first, second] = [await this.qa.run({ question }), await this.qa.run({ question })];
      return { answers: [first.answer, second.answer] };
    }
  }
  const metric = async (example: { wanted: string }, { answers }: { answers: string[] }) =>
    Promise.resolve(answers.filter((answer) => answer === example.wanted).length / 3);
  const options = { devset: [{ question: 'a', wanted: 'a' }, { question: 'b', wanted: 'c' }], metric, lm };
  const { score, results } = await evaluate(new Twice(), { ...options, inputs: ['question'] });
  assert.deepEqual([score, results[0]?.score], [33.33, 2 / 3]);
  await assert.rejects(evaluate(new Twice(), options), is('config', 'inputs'));
});

test('a judge is a metric', async () => {
  const answers = predict('question -> response');
  const model = ({ messages }: ModelRequest) =>
    JSON.stringify(messages).includes('ground_truth') ? reply({ reasoning: 'So.', precision: '0.5', recall: '1.0' }) : reply({ response: 'b' });
  const { score, results } = await evaluate(answers, { devset: [{ question: '?', response: 'a' }], metric: semanticF1(), lm: model });
  assert.deepEqual([score, results[0]?.score], [66.67, 2 / 3]);
});

test('a pipeline tells its inputs, and which of them a row may lack', async () => {
  const document = pipeline<{ question: string; tone?: string }, { answer: string }>({
    lakelet: 1,
    name: 'answers',
    inputs: { question: 'str', tone: { type: 'str', default: 'plain' } },
    steps: { answer: { do: 'predict', signature: 'question, tone -> answer', inputs: { question: 'question', tone: 'tone' } } },
    outputs: { answer: 'answer.answer' },
  });
  const { score } = await evaluate(document, { devset: [{ question: 'a', answer: 'a' }, { question: 'b', tone: 'x', answer: 'b' }], metric: answerExactMatch, lm });
  assert.equal(score, 100);
});

test('what a metric throws counts as an error', async () => {
  const cause = new Error('no label');
  const metric = ({ question }: { question: string }) => {
    if (question === 'a') throw cause;
    return (question === 'b' ? 'good' : 1) as number;
  };
  const readable = devset.filter(({ question }) => question !== 'fail');
  const { score, results } = await evaluate(qa, { devset: readable, metric, failureScore: 0.5, lm });
  assert.deepEqual([score, results.map((row) => row.error?.message.split('\n')[0])], [66.67, ['no label', 'a metric gave str, which is no score', undefined]]);
  const given = evaluate(qa, { devset: readable, metric: () => { throw cause; }, maxErrors: 2, lm });
  await assert.rejects(given, (error: unknown) => is('cancelled')(error) && /no label/.test((error as LakeletError).hint ?? ''));
});

test('sets that cannot be evaluated are refused', async () => {
  let calls = 0;
  const counting = () => (calls++, reply({ answer: 'a' }));
  await assert.rejects(evaluate(qa, { devset: [], metric: answerExactMatch, lm: counting }), is('input'));
  const incomplete = [{ question: 'a' }, { answer: 'b' }] as { question: string }[];
  await assert.rejects(evaluate(qa, { devset: incomplete, metric: answerExactMatch, lm: counting }), (error: unknown) => is('input', 'question')(error) && /row 1/.test(String(error)));
  await assert.rejects(evaluate(qa, { devset: 'a' as never, metric: answerExactMatch, lm: counting }), is('config', 'devset'));
  await assert.rejects(evaluate(qa, { devset, metric: undefined as never, lm: counting }), is('config', 'metric'));
  assert.equal(calls, 0);
});

test('a signal ends the work', async () => {
  const stop = new AbortController();
  let calls = 0;
  const model = () => {
    if (++calls === 3) stop.abort();
    return reply({ answer: 'a' });
  };
  const many = Array.from({ length: 100 }, (_, i) => ({ question: String(i), answer: 'a' }));
  await assert.rejects(evaluate(qa, { devset: many, metric: answerExactMatch, concurrency: 1, signal: stop.signal, lm: model }), is('cancelled'));
  assert.ok(calls < 5);
});

/** Checked by the compiler alone. */
export function types(): void {
  // @ts-expect-error a row lacks an input
  void evaluate(qa, { devset: [{ answer: 'a' }], metric: answerExactMatch });
  // @ts-expect-error a metric reads what is not there
  void evaluate(qa, { devset, metric: (example, prediction) => example.missing === prediction.answer });
}
