import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chainOfThought, configure, inspect, Module, predict } from 'lakelet';

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

test('a module streams what its parts tell', async () => {
  const running = new RAG().stream({ question: 'q1' });
  const steps = new Set<string>();
  for await (const event of running) if (event.type === 'started') steps.add(event.step);
  assert.deepEqual([...steps], ['query', 'answer', 'checks[0]']);
  assert.deepEqual(await running.result, { answer: 'about q1' });
});
