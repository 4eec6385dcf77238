import assert from 'node:assert/strict';
import { test } from 'node:test';

import { History, inspect, languageModel, LakeletError, Module, multiChainComparison, predict, react, reactV2, tool, ToolCalls, type ModelRequest } from 'lakelet';

import { reply } from './support.js';

const weather = tool(
  { name: 'weather', desc: 'The weather in a city.', args: { city: { type: 'string' }, days: { type: 'integer', default: 1 } } },
  async ({ city, days = 1 }) => {
    if (city === 'Atlantis') throw new Error('it sank');
    return { city, days, sky: 'clear' };
  },
);

function scripted(...replies: string[]) {
  const asked: string[] = [];
  const lm = ({ messages }: ModelRequest) => {
    asked.push(String(messages.at(-1)?.content));
    return replies[asked.length - 1] ?? '';
  };
  return { asked, lm };
}

const turn = (name: string, args: object) => reply({ next_thought: 'Hm.', next_tool_name: name, next_tool_args: JSON.stringify(args) });

test('an agent calls tools in turns, and is shown what they give or throw', async () => {
  const agent = react('question -> answer', { tools: [weather], maxIters: 4 });
  const { asked, lm } = scripted(
    turn('weather', { city: 'Atlantis' }), turn('weather', { city: 'Delft', days: 2 }), turn('finish', {}), reply({ reasoning: 'So.', answer: 'Clear.' }),
  );
  const prediction = await agent.run({ question: 'Rain?' }, { lm });
  assert.equal(prediction.answer, 'Clear.');
  assert.equal(prediction.trajectory['tool_name_1'], 'weather');
  assert.deepEqual(prediction.trajectory['observation_1'], { city: 'Delft', days: 2, sky: 'clear' });
  assert.match(asked[1] ?? '', /it sank/);
  assert.deepEqual([...agent.namedPredictors().keys()], ['react', 'extract.predict']);
  assert.deepEqual(inspect(prediction).trace.filter(({ kind }) => kind === 'tool').length, 3);
  agent.load(agent.save());
});

test('an agent in a class has the paths and steps of its place', async () => {
  class Desk extends Module<{ question: string }, { answer: string }> {
    agent = react('question -> answer', { tools: [weather] });
    async forward({ question }: { question: string }) {
      const { answer } = await this.agent.run({ question, max_iters: 1 });
      assert.equal(this.agent.namedPredictors().size, 2);
      return { answer };
    }
  }
  const desk = new Desk();
  const { lm } = scripted(turn('finish', {}), reply({ reasoning: 'So.', answer: 'Yes.' }));
  const prediction = await desk.run({ question: '?' }, { lm });
  assert.deepEqual(prediction, { answer: 'Yes.' });
  assert.deepEqual([...desk.namedPredictors().keys()], ['agent.react', 'agent.extract.predict']);
  assert.ok(inspect(prediction).trace.some(({ name }) => name === 'agent.react'));
});

test('an agent that submits gives its history, which goes in again', async () => {
  const agent = reactV2('question -> answer', { tools: [weather] });
  const calls = (name: string, args: object) => reply({ next_thought: 'Hm.', tool_calls: JSON.stringify({ tool_calls: [{ name, args }] }) });
  const first = await agent.run({ question: 'Rain?' }, { lm: scripted(calls('weather', { city: 'Delft' }), calls('submit', { answer: 'No.' })).lm });
  assert.deepEqual([first.answer, first.termination_reason], ['No.', 'submit']);
  assert.ok(first.history instanceof History);
  const { asked, lm } = scripted(calls('submit', { answer: 'Still no.' }));
  const second = await agent.run({ question: 'Sure?', history: first.history }, { lm });
  assert.equal(second.answer, 'Still no.');
  assert.equal(asked.length, 1);
  assert.ok(second.history.messages.length > first.history.messages.length);
});

test('tools go to a model that takes them, and its calls come back', async () => {
  let options: Readonly<Record<string, unknown>> = {};
  const lm = languageModel('caller', (request) => {
    ({ options } = request);
    return { choices: [{ message: { content: null, tool_calls: [{ id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city": "Delft"}' } }] } }] };
  }, { capabilities: { functionCalling: true } });
  const ask = predict('question, tools: list[dspy.Tool] -> calls: dspy.ToolCalls', { adapter: { adapter: 'chat', useNativeFunctionCalling: true, parallelToolCalls: true } });
  const { calls } = await ask.run({ question: '?', tools: [weather] }, { lm });
  assert.ok(calls instanceof ToolCalls);
  assert.deepEqual(calls.toolCalls, [{ id: 'c1', name: 'weather', args: { city: 'Delft' } }]);
  assert.equal((options['tools'] as { function: { name: string } }[])[0]?.function.name, 'weather');
  assert.deepEqual(await weather.call({ city: 'Delft' }), { city: 'Delft', days: 1, sky: 'clear' });
});

test('answers are compared', async () => {
  const compare = multiChainComparison('question -> answer', { m: 2 });
  const { asked, lm } = scripted(reply({ rationale: 'Both.', answer: '4' }));
  const completions = [{ reasoning: 'Count.', answer: '4' }, { reasoning: 'Guess.', answer: '5' }];
  const prediction = await compare.run({ question: '2+2?', completions }, { lm });
  assert.deepEqual(prediction, { rationale: 'Both.', answer: '4' });
  assert.match(asked[0] ?? '', /«I'm trying to Guess\. I'm not sure but my prediction is 5»/);
  assert.deepEqual(inspect(prediction).trace[0]?.calls[0]?.options, { temperature: 0.7 });
  await assert.rejects(compare.run({ question: '?', completions: [] }, { lm }), (error: unknown) => error instanceof LakeletError && error.code === 'input');
});
