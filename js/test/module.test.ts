import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bestOfN, chainOfThought, configure, inspect, LakeletError, Module, predict } from 'lakelet';

import { reply } from './support.js';

class RAG extends Module<{ question: string }, { answer: string }> {
  query = chainOfThought('question -> search_query');
  answer = predict('context: list[str], question -> answer: str');
  checks = [predict('answer -> ok: bool')];
  tools = { shout: predict('text -> louder') };

  async forward({ question }: { question: string }) {
    const { search_query } = await this.query.run({ question });
    const prediction = await this.answer.run({ context: [search_query], question });
    const [check] = this.checks;
    const { ok } = (await check?.run({ answer: prediction.answer })) ?? { ok: false };
    return { answer: ok ? prediction.answer : 'no' };
  }
}

configure({
  lm: ({ messages }) => {
    const asked = String(messages.at(-1)?.content);
    if (asked.includes('`[[ ## reasoning ## ]]`')) return reply({ reasoning: 'Look.', search_query: `about ${/q\d/.exec(asked)?.[0]}` });
    if (asked.includes('`[[ ## ok ## ]]`')) return reply({ ok: 'True' });
    return reply({ answer: /about q\d/.exec(asked)?.[0] ?? '' });
  },
});

test('a module runs its parts as steps of one call, and calls never mix', async () => {
  const rag = new RAG();
  const predictions = await Promise.all(['q1', 'q2', 'q3'].map((question) => rag.run({ question })));
  assert.deepEqual(predictions, [{ answer: 'about q1' }, { answer: 'about q2' }, { answer: 'about q3' }]);
  for (const [i, prediction] of predictions.entries()) {
    const { trace } = inspect(prediction);
    assert.deepEqual(trace.map(({ name }) => name), ['query', 'answer', 'checks[0]']);
    assert.equal(trace[0]?.inputs['question'], `q${i + 1}`);
  }
});

test('predictors have the names that DSPy gives them', () => {
  class Outer extends Module {
    rag = new RAG();
    forward() {
      return {};
    }
  }
  assert.deepEqual([...new Outer().namedPredictors().keys()], ['rag.query.predict', 'rag.answer', 'rag.checks[0]', "rag.tools['shout']"]);
});

test('programs inside are found from the top down', () => {
  const shared = predict('a -> b');
  class Inner extends Module {
    first = shared;
    forward() {
      return {};
    }
  }
  class Outer extends Module {
    inner = new Inner();
    best = bestOfN(new Inner(), { n: 1, rewardFn: () => 1, threshold: 1 });
    byKey = { a: [shared], b: chainOfThought('a -> b') };
    forward() {
      return {};
    }
  }
  const found = new Outer().namedSubModules();
  assert.deepEqual([...found.keys()], ['self', 'self.inner', 'self.best', 'self.inner.first', 'self.best.module', 'self.byKey[b]']);
  assert.equal(found.get('self.inner.first'), shared);
});

test('a module streams what its parts tell', async () => {
  const running = new RAG().stream({ question: 'q1' });
  const steps = new Set<string>();
  for await (const event of running) if (event.type === 'started') steps.add(event.step);
  assert.deepEqual([...steps], ['query', 'answer', 'checks[0]']);
  assert.deepEqual(await running.result, { answer: 'about q1' });
});

test('a state goes to and fro, whole or not at all', async () => {
  const rag = new RAG();
  const fresh = rag.save();
  const state = JSON.parse(fresh) as Record<string, { demos: unknown[]; signature: { instructions: string } }>;
  assert.deepEqual(Object.keys(state), ['query.predict', 'answer', 'checks[0]', "tools['shout']", 'metadata']);
  const taught = JSON.stringify({ ...state, answer: { ...state['answer'], demos: [{ context: ['c'], question: 'q', answer: 'a', weight: 0 }] } });
  const floated = taught.replace('"weight":0', '"weight":1.0');
  rag.load(floated);
  assert.match(rag.save(), /"weight": 1\.0/);
  assert.equal(rag.answer.messages({ context: [], question: 'x' }).length, 4);

  const broken = JSON.stringify({ ...state, "tools['shout']": {} });
  assert.throws(() => rag.load(broken), (error: unknown) => error instanceof LakeletError && error.code === 'state' && error.step === "tools['shout']");
  assert.match(rag.save(), /"weight": 1\.0/);

  const running = rag.answer.run({ context: [], question: 'q1' });
  await running;
  rag.load(fresh);
  assert.equal(rag.save(), fresh);

  const alone = predict('question -> answer');
  assert.deepEqual([...alone.namedPredictors().keys()], ['self']);
  alone.load(alone.save());
  assert.ok('demos' in (JSON.parse(alone.save()) as object));
});

test('settings of predictors inside are found by name, and calls inside bring their own', async () => {
  const rag = new RAG();
  const found = rag.namedPredictors().get('query.predict');
  assert.ok(found);
  found.demos = [{ question: 'a?', reasoning: 'b', search_query: 'c' }];
  found.instructions = 'Search.';
  assert.equal(rag.query.messages({ question: '?' }).length, 4);
  assert.equal(rag.query.instructions, 'Search.');

  class Other extends Module<{ question: string }, { answer: string }> {
    answer = predict('question -> answer');
    forward({ question }: { question: string }) {
      return this.answer.run({ question }, { lm: () => reply({ answer: 'mine' }), config: { temperature: 1 } });
    }
  }
  const prediction = await new Other().run({ question: '?' });
  assert.equal(prediction.answer, 'mine');
  assert.deepEqual(inspect(prediction).trace[0]?.calls[0]?.options, { temperature: 1 });
});
