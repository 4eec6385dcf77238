import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import {
  answerExactMatch, compare, evaluate, init, inspect, LakeletError, languageModel, Module, pipeline, predict, semanticF1, toCsv, toJson, toTable,
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
    return 1;
  };
  const readable = devset.filter(({ question }) => question !== 'fail');
  const { score, results } = await evaluate(qa, { devset: readable, metric, failureScore: 0.5, lm });
  assert.deepEqual([score, results.map((row) => row.error?.message.split('\n')[0])], [83.33, ['field `metric`: no label', undefined, undefined]]);
  const given = evaluate(qa, { devset: readable, metric: () => { throw cause; }, maxErrors: 2, lm });
  await assert.rejects(given, (error: unknown) => is('cancelled')(error) && /no label/.test((error as LakeletError).hint ?? ''));
});

test('a metric that gives what is no score ends it', async () => {
  for (const [given, kind] of [['good', 'str'], [undefined, 'NoneType'], [NaN, 'nan']] as const) {
    let calls = 0;
    const metric = () => (calls++, given as number);
    const work = evaluate(qa, { devset: [...devset, ...devset], metric, concurrency: 1, lm: () => reply({ answer: 'a' }) });
    await assert.rejects(work, (error: unknown) => is('input', 'metric')(error) && String(error).includes(`a metric gave ${kind}, which is no score`));
    assert.equal(calls, 1);
  }
});

/** Answers with the letter that is asked for. */
const echo = (request: ModelRequest) => reply({ answer: asked(request) });

/** Letters one by one, with what happens to them. */
async function* letters(count: number, taken: number[], failure?: Error) {
  try {
    for (let i = 0; i < count; i++) {
      taken.push(i);
      yield { question: 'abc'[i % 3] as string, answer: 'a' };
    }
    if (failure) throw failure;
  } finally {
    taken.push(-1);
  }
}

test('examples that come one by one are taken when they are begun, and their rows are told', async () => {
  const taken: number[] = [], told: unknown[] = [], ahead: number[] = [];
  const progress: EvaluationProgress[] = [];
  const summary = await evaluate(qa, {
    devset: letters(9, taken),
    metric: (example, prediction) => {
      ahead.push(taken.length - told.length);
      return answerExactMatch(example, prediction);
    },
    concurrency: 2,
    lm: echo,
    cache: false,
    onRow: ({ example, prediction, score }, place) => void told.push([place, example.question, prediction?.answer, score]),
    onProgress: (it) => progress.push(it),
  });
  assert.deepEqual(taken, [0, 1, 2, 3, 4, 5, 6, 7, 8, -1]);
  assert.ok(ahead.every((count) => count <= 2), String(ahead));
  assert.deepEqual(told.sort(), Array.from({ length: 9 }, (_, i) => [i, 'abc'[i % 3], 'abc'[i % 3], i % 3 === 0]));
  assert.deepEqual([summary.score, summary.failed, 'results' in summary, inspect(summary).trace], [33.33, 0, false, []]);
  assert.deepEqual([progress.length, progress[8]?.done, progress[8]?.total, progress[8]?.leftMs], [9, 9, null, null]);
});

test('what the rows are told to is waited for', async () => {
  const taken: number[] = [], told: number[] = [];
  let busy = 0;
  await evaluate(qa, {
    devset: letters(6, taken), metric: answerExactMatch, concurrency: 3, lm: echo,
    onRow: async (_, place) => {
      assert.equal(++busy, 1);
      await new Promise((resolve) => setImmediate(resolve));
      assert.ok(taken.length <= told.length + 3);
      busy--;
      told.push(place);
    },
  });
  assert.equal(told.length, 6);
});

test('the results of an array can be left out', async () => {
  const places: number[] = [];
  const summary = await evaluate(qa, { devset, keepResults: false, metric: answerExactMatch, lm, onRow: ({ example }, place) => void places.push(devset.indexOf(example) - place) });
  assert.deepEqual([summary.score, 'results' in summary, places], [50, false, [0, 0, 0, 0]]);
});

test('what ends the examples ends the evaluation, and the other way round', async () => {
  const gone = new Error('the file is gone'), full = new Error('the disk is full');
  const options = { metric: answerExactMatch, concurrency: 2, lm: echo };
  let taken: number[] = [];
  await assert.rejects(evaluate(qa, { ...options, devset: letters(3, taken, gone) }), (error) => error === gone);
  assert.deepEqual(taken, [0, 1, 2, -1]);
  await assert.rejects(evaluate(qa, { ...options, devset: letters(99, taken = []), onRow: () => { throw full; } }), (error) => error === full);
  assert.ok(taken.length < 9 && taken.at(-1) === -1, String(taken));
  await assert.rejects(evaluate(qa, { ...options, devset, onRow: async () => { throw full; } }), (error) => error === full);
  const stop = new AbortController();
  await assert.rejects(evaluate(qa, { ...options, devset: letters(99, taken = []), signal: stop.signal, onRow: (_, place) => void (place === 3 && stop.abort()) }), is('cancelled'));
  assert.ok(taken.length < 9 && taken.at(-1) === -1, String(taken));
  const { stoppedBy, score } = await evaluate(qa, { ...options, devset: letters(99, taken = []), budget: { calls: 3 }, cache: false });
  assert.deepEqual([stoppedBy?.code, score, taken.at(-1)], ['budget', 33.33, -1]);
  assert.ok(taken.length <= 6, String(taken));
});

test('the iterator of examples that never come is told that no more are taken', async () => {
  const stop = new AbortController();
  let returned = 0;
  const never = {
    [Symbol.asyncIterator]: () => ({
      next: () => (queueMicrotask(() => stop.abort()), new Promise<IteratorResult<{ question: string }>>(() => {})),
      return: async () => (returned++, { done: true as const, value: undefined }),
    }),
  };
  await assert.rejects(evaluate(qa, { devset: never, metric: () => 1, lm: echo, signal: stop.signal }), is('cancelled'));
  assert.equal(returned, 1);
});

test('an example that lacks an input ends a stream, and one that is none', async () => {
  const options = { metric: answerExactMatch, concurrency: 1, lm: echo };
  const lacking = (row: unknown) => new Set([{ question: 'a', answer: 'a' }, row as { question: string; answer: string }]);
  await assert.rejects(evaluate(qa, { ...options, devset: lacking({ answer: 'b' }) }), (error: unknown) => is('input', 'question')(error) && /row 1/.test(String(error)));
  await assert.rejects(evaluate(qa, { ...options, devset: lacking('b') }), (error: unknown) => is('input')(error) && /row 1 of the devset must be an object/.test(String(error)));
  await assert.rejects(evaluate(qa, { ...options, devset: lacking({ question: () => 1 }) }), (error: unknown) => is('input')(error) && /function cannot be part/.test(String(error)));
  await assert.rejects(evaluate(qa, { ...options, devset: new Set<{ question: string }>() }), is('input'));
});

test('an evaluation tells what it cost, where there are prices', async () => {
  const prices = { letters: { input: 1, output: 10 } };
  const { dollars, usage } = await evaluate(qa, { devset: devset.slice(0, 2), metric: answerExactMatch, lm, cache: false, budget: { prices } });
  assert.deepEqual([usage.totalTokens, dollars], [6, (2 * 2 + 2 * 10) / 1e6]);
  const unpriced = await evaluate(qa, { devset: devset.slice(0, 2), metric: answerExactMatch, lm });
  assert.equal(unpriced.dollars, null);
});

test('two programs are compared on the same set', async () => {
  const set = Array.from({ length: 12 }, (_, i) => ({ question: String(i), answer: 'a' }));
  const right = (share: number) => (request: ModelRequest) => reply({ answer: Number(asked(request)) < share ? 'a' : 'b' });
  const options = { devset: set, metric: answerExactMatch };
  const before = await evaluate(qa, { ...options, lm: right(3) }), after = await evaluate(qa, { ...options, lm: right(10) });
  // 7 of 12 are better: 2 / 2 ** 7; the margin is 1.96 * sqrt((7 / 12 - (7 / 12) ** 2) / 11)
  assert.deepEqual(compare(before, after), { count: 12, better: 7, worse: 0, difference: 58.33, margin: 29.13, pValue: 2 / 2 ** 7 });
  const graded = { ...options, metric: ({ question }: { question: string }) => Number(question) / 10 };
  const half = await evaluate(qa, { ...graded, metric: () => 0.5, lm: right(0) }), grades = await evaluate(qa, { ...graded, lm: right(0) });
  const { difference, pValue } = compare(half, grades);
  assert.ok(difference === 5 && pValue > 0.5 && pValue < 0.8, String(pValue));
  const some = await evaluate(qa, { ...options, lm: right(10), cache: false, concurrency: 1, budget: { calls: 4 } });
  assert.deepEqual(compare(before, some), { count: 4, better: 1, worse: 0, difference: 25, margin: 49, pValue: 1 });
  assert.throws(() => compare(before, { results: after.results.slice(1) }), is('input'));
  assert.throws(() => compare({ results: [] }, { results: [] }), is('input'));
  assert.throws(() => compare(before, { results: after.results.map((row) => ({ ...row, score: 'good' as never })) }), is('input', 'results'));
  assert.throws(() => compare(before, { score: 1 } as never), is('input', 'results'));
});

test('results are written as DSPy writes them', async () => {
  // What DSPy 3.4.1's Evaluate wrote with save_as_csv and save_as_json; with an example that failed it writes no CSV.
  const recorded = JSON.parse(readFileSync(new URL('../recorded/evaluate.json', import.meta.url), 'utf8')) as
    { metric: string; results: { example: object; prediction: object | null; score: number | boolean }[]; csv: string | null; json: string }[];
  await init();
  const error = new LakeletError('no', { code: 'server' });
  for (const { metric, results: rows, csv, json } of recorded) {
    const results = rows.map((row) => ({ latencyMs: 1, ...row, ...(row.prediction === null && { error }) }));
    assert.equal(toJson({ results }, { metric }), json);
    if (csv !== null) assert.equal(toCsv({ results }, { metric }), csv);
    else assert.equal(toCsv({ results }, { metric }).split('\r\n')[1], '2 + 2?,4,4,"Two and two, ""plain"".",1.0');
  }
});

test('results are shown as a table', async () => {
  const evaluation = await evaluate(qa, { devset, metric: answerExactMatch, lm });
  assert.equal(toTable(evaluation, { metric: 'exact' }), [
    '   question  example_answer  pred_answer       exact  error',
    '0         a               A            a   ✔️ [True]       ',
    '1         b               B            b   ✔️ [True]       ',
    '2      fail            FAIL               ✔️ [0.000]     no',
    '3         d               D            x  ✔️ [False]       ',
    '',
  ].join('\n'));
  assert.equal(toTable(evaluation, { rows: 1 }), '   question  example_answer  pred_answer      score\n0         a               A            a  ✔️ [True]\n... 3 more rows not displayed ...\n');
  const long = { results: [{ example: { text: `a\n😀 ${'word '.repeat(30)}` }, prediction: { list: ['it\'s', 1] }, score: 1 / 3, latencyMs: 1 }] };
  assert.deepEqual(toTable(long).split('\n')[1]?.split('  '), ['0', 'a 😀 word word word word word word word word wor...', '["it\'s", 1]', '✔️ [0.333]']);
  assert.equal(toCsv(evaluation).split('\r\n')[3], 'fail,FAIL,,0.0');
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
  void evaluate(qa, { devset, metric: answerExactMatch }).then(({ results }) => results[0]?.example.question);
  void evaluate(qa, { devset: devset.values(), metric: (example, prediction) => example.answer === prediction.answer }).then(({ score }) => score);
  // @ts-expect-error the results of a stream are not kept
  void evaluate(qa, { devset: devset.values(), metric: answerExactMatch }).then(({ results }) => results);
  // @ts-expect-error these are not either
  void evaluate(qa, { devset, keepResults: false, metric: answerExactMatch }).then(({ results }) => results);
  // @ts-expect-error a row lacks an input
  void evaluate(qa, { devset: [{ answer: 'a' }], metric: answerExactMatch });
  // @ts-expect-error a metric reads what is not there
  void evaluate(qa, { devset, metric: (example, prediction) => example.missing === prediction.answer });
}
