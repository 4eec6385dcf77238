import assert from 'node:assert/strict';
import { test } from 'node:test';

import { answerExactMatch, chainOfThought, init, inspect, LakeletError, languageModel, Module, pipeline, predict, type ModelRequest } from 'lakelet';
import {
  BetterTogether, BootstrapFewShot, BootstrapFewShotWithRandomSearch, COPRO, DatabricksOptimizedOptimizer, Ensemble, GEPA, InferRules, KNNFewShot,
  LabeledFewShot, MIPROv2, MultiObjective, SIMBA,
  type Progress, type TracedCall, type Trial,
} from 'lakelet/optimize';

import { reply } from './support.js';

const qa = predict('question -> answer');
const row = (question: string) => ({ question, answer: 'right' });
const trainset = ['a', 'hard', 'b', 'c', 'd'].map(row);

/** What a prompt ends with, and how many demos it has. */
const last = ({ messages }: ModelRequest) => String(messages.at(-1)?.content);
const shown = ({ messages }: ModelRequest) => (messages.length - 2) / 2;

/** A model that is right when it has seen a demo or the question is easy, and that proposes. */
const learner = (request: ModelRequest) => {
  const prompt = last(request);
  if (prompt.includes('proposed_instruction')) return reply({ proposed_instruction: 'Be right.', proposed_prefix_for_output_field: 'Answer:' });
  if (prompt.includes('natural_language_rules')) return reply({ reasoning: 'So.', natural_language_rules: 'Be right.' });
  const isRight = shown(request) > 0 || JSON.stringify(request.messages[0]).includes('Be right.') || !prompt.includes('hard');
  return reply({ answer: isRight ? 'right' : 'wrong' });
};
const is = (code: string, field?: string) => (error: unknown) => error instanceof LakeletError && error.code === code && error.field === field;

test('a bootstrapped program is a new one', async () => {
  const traces: (readonly TracedCall[] | undefined)[] = [];
  const metric = (example: { answer: string }, { answer }: { answer: string }, trace?: readonly TracedCall[]) => (traces.push(trace), example.answer === answer);
  const { program, score, candidates, stoppedBy } = await new BootstrapFewShot({ metric, maxBootstrappedDemos: 2, maxLabeledDemos: 3 }).compile(qa, { trainset, lm: learner });
  assert.deepEqual([score, candidates, stoppedBy, qa.demos.length], [null, [], null, 0]);
  assert.deepEqual(program.demos.slice(0, 2), [{ augmented: true, question: 'a', answer: 'right' }, { augmented: true, question: 'hard', answer: 'right' }]);
  assert.equal(program.demos.length, 3);
  assert.deepEqual(traces[0], [{ predictor: 'self', inputs: { question: 'a' }, outputs: { answer: 'right' } }]);
  assert.equal((await program.run({ question: 'hard' }, { lm: learner })).answer, 'right');
  qa.demos = [];
  await assert.rejects(new BootstrapFewShot().compile(program, { trainset, lm: learner }), is('input'));
});

test('a search tells what it tries, and keeps the best', async () => {
  const trials: Trial<typeof qa>[] = [], ends: unknown[] = [], progress: Progress[] = [];
  const optimizer = new BootstrapFewShotWithRandomSearch({ metric: answerExactMatch, numCandidatePrograms: 1, numThreads: 1 });
  const options = { trainset, lm: learner };
  const found = await optimizer.compile(qa, {
    ...options,
    observer: { tried: (trial) => void trials.push(trial), optimized: ({ program }) => void ends.push(program?.demos.length) },
    onProgress: (it) => progress.push(it),
    budget: { calls: 1000 },
  });
  const { program, score, candidates } = found;
  assert.deepEqual([score, candidates.map((it) => it.score)], [100, [100, 100, 100, 80]]);
  assert.deepEqual(trials.map((it) => [it.optimizer, it.number, it.evaluation.score]), [80, 100, 100, 100].map((of, i) => [optimizer.name, i, of]));
  assert.deepEqual([trials[0]?.program.demos, trials[1]?.program.demos.length, ends], [[], 5, [program.demos.length]]);
  assert.deepEqual([candidates[0]?.program.demos, candidates[3]?.program.demos], [program.demos, []]);
  const { scored, best, trials: tried, spent } = progress.at(-1) as Progress;
  const { promptTokens, completionTokens, ...estimate } = await optimizer.estimate(qa, options);
  assert.deepEqual([best, tried, inspect(found).spent], [100, 4, spent]);
  assert.deepEqual(estimate, { programCalls: 30, proposals: 0, modelCalls: 30 });
  assert.ok(promptTokens > 100 * estimate.modelCalls && completionTokens > estimate.modelCalls);
  assert.ok(scored <= estimate.programCalls && (spent?.calls ?? Infinity) <= estimate.modelCalls);
});

test('an observer that fails stops nothing', async () => {
  const observer = { tried: () => { throw new Error('no room'); }, optimized: async () => Promise.reject(new Error('gone')) };
  const { score } = await new COPRO({ metric: answerExactMatch, breadth: 2, depth: 1 }).compile(qa, { trainset, lm: learner, observer });
  assert.equal(score, 100);
});

test('what fails on the way is counted, and the last of it told', async () => {
  const thrown = new TypeError('no team');
  const metric = () => { throw thrown; };
  const searches = {
    BootstrapFewShot: new BootstrapFewShot({ metric }),
    SIMBA: new SIMBA({ metric, bsize: 4, numCandidates: 2, maxSteps: 1 }),
    GEPA: new GEPA({ metric, maxMetricCalls: 10, reflectionLm: learner }),
    BetterTogether: new BetterTogether({ metric, optimizers: { demos: new BootstrapFewShot({ metric }) }, strategy: 'demos' }),
  };
  for (const [name, optimizer] of Object.entries(searches)) {
    const told: number[] = [];
    const { failed, lastFailure } = await optimizer.compile(qa, { trainset, lm: learner, onProgress: ({ failed: so }) => told.push(so) });
    assert.ok(failed >= 5 && told.every((so) => so <= failed), `${name}: ${failed}`);
    assert.ok(is('server', 'metric')(lastFailure) && lastFailure?.cause === thrown, `${name}: ${lastFailure}`);
  }
  const { failed, lastFailure } = await new BootstrapFewShot({ metric: answerExactMatch }).compile(qa, { trainset, lm: learner });
  assert.deepEqual([failed, lastFailure], [0, null]);
  // Too many failures are one of their own in what they lead to, and not counted twice.
  const many = Array.from({ length: 12 }, (_, i) => row(`${i}`));
  const mipro = new MIPROv2({ metric, auto: null, numCandidates: 1, numTrials: 1, minibatch: false, maxBootstrappedDemos: 0, maxLabeledDemos: 0, dataAwareProposer: false, numThreads: 1 });
  const worst = await mipro.compile(qa, { trainset: many.slice(0, 2), valset: many, lm: learner });
  assert.equal(worst.lastFailure?.cause, thrown);
});

test('instructions are written by the model that is named for it', async () => {
  const asked: string[] = [];
  const writer = (request: ModelRequest) => (asked.push('writer'), learner(request));
  const { program } = await new COPRO({ metric: answerExactMatch, breadth: 3, depth: 2, promptModel: writer }).compile(qa, { trainset, lm: learner });
  assert.deepEqual([program.instructions, qa.instructions, asked.length], ['Be right.', 'Given the fields `question`, produce the fields `answer`.', 2]);
  const named = { small: learner, large: writer };
  const rules = await new InferRules({ metric: answerExactMatch, numCandidates: 2, teacherSettings: { lm: 'large' } }).compile(qa, { trainset, lm: named });
  assert.match(rules.program.instructions, /adhere to the following rules[^]*Be right\./);
});

test('SIMBA shows what went well at times, and lets a model write rules', async () => {
  let asked = 0;
  const student = (request: ModelRequest) => {
    const isRight = JSON.stringify(request.messages).includes('Look twice.') || asked++ % 2 === 0;
    return reply({ answer: isRight ? 'right' : 'wrong' });
  };
  const coach = () => reply({ discussion: 'So.', module_advice: '{"self": "Look twice."}' });
  const optimizer = new SIMBA({ metric: answerExactMatch, bsize: 3, numCandidates: 3, maxSteps: 2, maxDemos: 0, promptModel: coach, numThreads: 1 });
  const { program, score, candidates } = await optimizer.compile(qa, { trainset, lm: student });
  assert.match(program.instructions, /Look twice\.$/);
  assert.equal(score, 100);
  assert.ok(candidates.length > 1);
  await assert.rejects(new SIMBA({ metric: answerExactMatch }).compile(qa, { trainset, lm: student }), is('input', 'trainset'));
});

test('GEPA is told what each predictor did', async () => {
  const judged: unknown[] = [];
  const metric = (example: { question: string; answer: string }, { answer }: { answer: string }, _: unknown, predName?: string, predTrace?: readonly TracedCall[]) => {
    if (predName) judged.push([predName, predTrace?.[0]?.outputs['answer']]);
    return { score: example.answer === answer, feedback: 'Be right.' };
  };
  const reflection = (request: ModelRequest) => (assert.match(JSON.stringify(request.messages), /Be right/), '{"new_instruction": "Be right."}');
  const { program, score } = await new GEPA({ metric, maxMetricCalls: 40, reflectionLm: reflection, numThreads: 1 }).compile(qa, { trainset, lm: learner });
  assert.deepEqual([program.instructions, score], ['Be right.', 100]);
  assert.ok(judged.some((it) => JSON.stringify(it) === '["self","wrong"]'));
});

class Twice extends Module<{ question: string }, { answer: string }> {
  plan = chainOfThought('question -> hint');
  steps = [predict('question, hint -> answer')];
  again = this.steps[0];
  rest = { tries: 1, seen: new Map() };
  async forward({ question }: { question: string }) {
    const { hint } = await this.plan.run({ question });
    return (this.steps[0] as (typeof this.steps)[0]).run({ question, hint });
  }
}

const planner = (request: ModelRequest) => (last(request).includes('## hint ## ]]`') ? reply({ reasoning: 'So.', hint: 'think' }) : learner(request));

test('a class is copied deeply, and its predictors once', async () => {
  await init();
  const twice = new Twice();
  twice.steps[0]!.demos = [row('x')];
  const copy = twice.deepcopy(), empty = twice.resetCopy();
  assert.ok(copy instanceof Twice && copy.steps !== twice.steps && copy.rest !== twice.rest && copy.rest.seen === twice.rest.seen);
  assert.equal(copy.again, copy.steps[0]);
  copy.steps[0]!.instructions = 'Other.';
  assert.deepEqual([copy.steps[0]!.demos.length, empty.steps[0]!.demos.length, twice.steps[0]!.demos.length], [1, 0, 1]);
  assert.notEqual(twice.steps[0]!.instructions, 'Other.');
  assert.deepEqual([...copy.namedPredictors().keys()], ['plan.predict', 'steps[0]']);
});

test('searches for the same class side by side do not mix', async () => {
  const twice = new Twice();
  const optimizer = (maxBootstrappedDemos: number) => new BootstrapFewShot({ maxBootstrappedDemos, maxLabeledDemos: 0 });
  const search = { trainset, inputs: ['question'] as const, lm: planner };
  const found = await Promise.all([1, 2, 3].map(async (demos) => (await optimizer(demos).compile(twice, search)).program));
  assert.deepEqual(found.map((it) => [it.plan.demos.length, it.steps[0]?.demos.length]), [[1, 1], [2, 2], [3, 3]]);
  assert.deepEqual([twice.plan.demos, found[2]?.again === found[2]?.steps[0]], [[], true]);

  // Variants are evaluated several examples at a time, and forward reaches the predictors of its variant.
  const { score, candidates } = await new BootstrapFewShotWithRandomSearch({ metric: answerExactMatch, numCandidatePrograms: 0, maxLabeledDemos: 2 }).compile(twice, search);
  assert.deepEqual([score, candidates.map((it) => it.score)], [100, [100, 100, 80]]);
  twice.plan.instructions = 'Changed.'; // the search is over, and holds nothing of it
});

test('a compiled part stays as it is', async () => {
  const { program: plan } = await new LabeledFewShot({ k: 1 }).compile(chainOfThought('question -> hint'), { trainset, lm: planner });
  const { program: compiled } = await new BootstrapFewShot({ maxLabeledDemos: 0 }).compile(plan, { trainset, lm: planner });
  class Around extends Module<{ question: string }, { hint: string }> {
    plan = compiled;
    forward(inputs: { question: string }) {
      return this.plan.run(inputs);
    }
  }
  assert.deepEqual([[...new Around().namedPredictors().keys()], [...compiled.namedPredictors().keys()]], [[], ['predict']]);
});

test('a pipeline becomes a pipeline', async () => {
  const document = pipeline<{ question: string; tone?: string }, { answer: string }>({
    lakelet: 1,
    name: 'answers',
    inputs: { question: 'str', tone: { type: 'str', default: 'plain' } },
    steps: { answer: { do: 'predict', signature: 'question, tone -> answer', inputs: { question: 'question', tone: 'tone' } } },
    outputs: { answer: 'answer.answer' },
  });
  const { program } = await new LabeledFewShot({ k: 2 }).compile(document, { trainset });
  assert.deepEqual([program.name, [...program.namedPredictors()].map(([path, it]) => [path, it.demos.length])], ['answers', [['answer', 2]]]);
  assert.equal((await program.run({ question: 'hard' }, { lm: learner })).answer, 'right');
});

test('a budget ends a search, and a checkpoint goes on with it', async () => {
  const optimizer = new BootstrapFewShotWithRandomSearch({ metric: answerExactMatch, numCandidatePrograms: 2, numThreads: 1 });
  let calls = 0;
  const counting = (request: ModelRequest) => (calls++, learner(request));
  const search = { trainset, lm: counting, cache: false };
  const short = await optimizer.compile(qa, { ...search, budget: { calls: 7 } });
  assert.deepEqual([calls, short.stoppedBy?.code, short.score, short.program.demos], [7, 'budget', 80, []]);
  assert.deepEqual(inspect(short).spent, { calls: 7, tokens: 0, dollars: 0 });
  const button = new AbortController();
  const pressing = (request: ModelRequest) => (calls === 13 && button.abort(), counting(request));
  const stopped = await optimizer.compile(qa, { ...search, lm: pressing, budget: { until: button.signal } });
  assert.deepEqual([calls, stopped.stoppedBy?.code, stopped.score, stopped.program.demos], [14, 'budget', 80, []]);
  const unbegun = await optimizer.compile(qa, { ...search, budget: { until: button.signal } });
  assert.deepEqual([calls, unbegun.stoppedBy?.code, unbegun.score], [14, 'budget', null]);
  await assert.rejects(optimizer.compile(qa, { ...search, budget: { calls: 0 } }), is('input', 'calls'));
  await assert.rejects(qa.run({ question: 'a' }, { lm: counting, budget: { dollars: 1 } }), is('config', 'prices'));

  calls = 0;
  const whole = await optimizer.compile(qa, search);
  const all = calls;
  const store = new Map<string, string>();
  const stop = new AbortController();
  const breaking = (request: ModelRequest) => {
    if (++calls === 9) stop.abort();
    return learner(request);
  };
  calls = 0;
  await assert.rejects(optimizer.compile(qa, { ...search, lm: languageModel('learner', breaking), checkpoint: { store, job: 'search' }, signal: stop.signal }), is('cancelled'));
  assert.ok(store.size >= 7 && store.size <= 9);
  calls = store.size;
  const again = await optimizer.compile(qa, { ...search, lm: languageModel('learner', counting), checkpoint: { store, job: 'search' } });
  assert.deepEqual([calls, again.program.save(), again.candidates.map((it) => it.score)], [all, whole.program.save(), whole.candidates.map((it) => it.score)]);
});

test('what cannot be learned from is refused', async () => {
  const search = { trainset, lm: learner };
  const bootstrap = new BootstrapFewShot({ metric: answerExactMatch });
  await assert.rejects(bootstrap.compile(qa, { ...search, trainset: [] }), is('input', 'trainset'));
  const incomplete = [row('a'), { answer: 'right' }] as typeof trainset;
  await assert.rejects(bootstrap.compile(qa, { ...search, trainset: incomplete }), (error: unknown) => is('input', 'question')(error) && /row 1 of the trainset/.test(String(error)));
  await assert.rejects(bootstrap.compile(new Twice(), search), is('config', 'inputs'));
  await assert.rejects(new COPRO({ metric: undefined as never }).compile(qa, search), is('config', 'metric'));
  await assert.rejects(new BootstrapFewShot({ metric: 'f1' as never }).compile(qa, search), is('config', 'metric'));
  await assert.rejects(new COPRO({ metric: answerExactMatch, breadth: 1 }).compile(qa, search), is('input', 'breadth'));
  const misspelt = new COPRO({ metric: answerExactMatch, bredth: 3 } as never);
  await assert.rejects(misspelt.compile(qa, search), (error: unknown) => is('config', 'bredth')(error) && (error as LakeletError).hint === 'did you mean `breadth`?');
  const cause = new Error('no label');
  const { candidates } = await new COPRO({
    metric: ({ question }: { question: string }) => {
      if (question === 'a') throw cause;
      return true;
    }, breadth: 2, depth: 1,
  }).compile(qa, search);
  assert.equal(candidates[0]?.score, 80);
});

test('demos are looked for among examples like the question', async () => {
  const vectorizer = (texts: readonly string[]) => texts.map((text) => (text.includes('hard') ? [1, 0] : [0, 1]));
  const prompts: string[] = [];
  const lm = (request: ModelRequest) => (prompts.push(JSON.stringify(request.messages)), learner(request));
  const set = [row('hard one'), row('easy one'), row('hard two')];
  const { program } = await new KNNFewShot({ k: 2, trainset: set, vectorizer, metric: answerExactMatch }).compile(qa);
  assert.equal((await program.run({ question: 'hard' }, { lm })).answer, 'right');
  const prompt = prompts.at(-1) ?? '';
  assert.deepEqual([prompt.includes('hard one'), prompt.includes('hard two'), prompt.includes('easy one')], [true, true, false]);
  assert.deepEqual([...program.namedPredictors()].map(([path, it]) => [path, it.demos]), [['self', []]]);
});

test('programs vote', async () => {
  const fixed = (answer: string) => {
    class Fixed extends Module<{ question: string }, { answer: string }> {
      forward() {
        return { answer };
      }
    }
    return new Fixed();
  };
  const programs = ['a', 'b', 'b'].map(fixed);
  assert.deepEqual(await new Ensemble().compile(programs).run({ question: '?' }), { answer: 'b' });
  const drawn = new Ensemble<{ answer: string }>({ size: 1, seed: 3, reduceFn: ([first]) => first as { answer: string } });
  const draws = async () => {
    const ensemble = drawn.compile<{ question: string }>(programs);
    const answers = [];
    for (let i = 0; i < 12; i++) answers.push((await ensemble.run({ question: '?' })).answer);
    return answers.join('');
  };
  const first = await draws();
  assert.ok(/a/.test(first) && /b/.test(first) && first === (await draws()));
  assert.throws(() => new Ensemble({ size: 4 }).compile(programs), is('input', 'size'));
});

test('optimizers are taken one after the other', async () => {
  const asked: string[] = [];
  const promptModel = (request: ModelRequest) => (asked.push('copro'), learner(request));
  const together = new BetterTogether({
    metric: answerExactMatch, strategy: 'labels -> copro', valsetRatio: 0.4,
    optimizers: { labels: new LabeledFewShot({ k: 1 }), copro: new COPRO({ metric: answerExactMatch, breadth: 2, depth: 1, promptModel }) },
  });
  const { score, candidates } = await together.compile(qa, { trainset, lm: learner });
  assert.deepEqual([score, asked], [100, ['copro']]);
  assert.ok(candidates.length >= 2);
  await assert.rejects(new BetterTogether({ metric: answerExactMatch, strategy: 'p -> w' }).compile(qa, { trainset, lm: learner }), is('unsupported', 'strategy'));
});

test('instructions and demos are chosen together', async () => {
  const lm = (request: ModelRequest) => {
    const wanted = [...last(request).matchAll(/`\[\[ ## (\w+) ## \]\]`/g)].map(([, name]) => name as string).filter((name) => name !== 'completed');
    return wanted.includes('answer') ? learner(request) : reply(Object.fromEntries(wanted.map((name) => [name, 'Be right.'])));
  };
  const mipro = new MIPROv2({ metric: answerExactMatch, auto: null, numCandidates: 2, numTrials: 2, minibatch: false });
  const { program, score } = await mipro.compile(qa, { trainset, valset: trainset, lm });
  assert.equal(score, 100);
  assert.ok(program.demos.length > 0 || program.instructions === 'Be right.');
  await assert.rejects(new MIPROv2({ metric: answerExactMatch, auto: 'lite' as never }).compile(qa, { trainset, lm }), is('input', 'auto'));
});

test('programs and models are searched together, and served measures are told', async () => {
  const tokens = (used: number) => (request: ModelRequest) => ({ text: learner(request), usage: { prompt_tokens: used, completion_tokens: 0, total_tokens: used } });
  const lm = { large: languageModel('large', tokens(100)), small: languageModel('small', tokens(10)) };
  const objectives = [{ measure: 'score', weight: 1 }, { measure: 'tokens', weight: 1 }] as const;
  const search = new MultiObjective({ metric: answerExactMatch, objectives, models: ['large', 'small'], sources: [new LabeledFewShot({ k: 1 })] });
  const trials: Trial[] = [];
  const { candidates, front, why, program } = await search.compile(qa, { trainset, lm, observer: { tried: (trial) => void trials.push(trial) } });
  // Right and cheap at once: no other one is better by anything.
  assert.deepEqual(front.map((it) => [it.model, it.examples, it.objectives, it.program.demos]), [['small', 5, { score: 100, tokens: 10 }, program.demos]]);
  assert.match(why, /1 of 4 candidates on 5 examples/);
  assert.ok(candidates.length > 0 && trials.some(({ objectives }) => objectives['tokens'] === 10));

  const stats: unknown[] = [];
  const serving = new DatabricksOptimizedOptimizer({ metric: answerExactMatch, budgetMs: 10_000 });
  const served = await serving.compile(qa, { trainset, lm, observer: { tried: ({ objectives }) => void stats.push(objectives['tokens']) } });
  assert.deepEqual([served.program.demos.length > 0, stats], [true, [100]]);
  assert.deepEqual([served.serving?.tokens, served.serving?.error_rate, served.serving?.dollars], [100, 0, undefined]);
  await assert.rejects(new DatabricksOptimizedOptimizer({ metric: answerExactMatch, budgetMs: 0 }).compile(qa, { trainset, lm }), is('input', 'budget_ms'));
});
