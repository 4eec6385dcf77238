import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { float, init, inputField, LakeletError, outputField, predict, signature } from 'lakelet';

import { reply } from './support.js';

before(() => init());

const types = {
  Mood: { enum: ['happy', 'sad'] },
  Person: {
    doc: 'Somebody.',
    extra: 'forbid',
    model: { name: 'str', mood: 'Mood', age: { type: 'int', ge: 0, description: 'in years' }, nick: { type: 'str | None', default: null, alias: 'nickName' }, friends: { type: 'list[Person]', default: [] } },
  },
  Point: { typedDict: { x: 'float', y: 'float' } },
} as const;

test('fields have constraints, defaults and descriptions', async () => {
  const rate = signature({
    instructions: 'Rate the text.',
    inputs: { text: { desc: 'what to rate', minLength: 1 }, scale: { type: 'int', default: 5 } },
    outputs: { score: { type: 'float', ge: float(0), le: 1, multipleOf: 0.5 }, why: 'str | None' },
  });
  assert.equal(String(rate), 'text, scale -> score, why');
  assert.deepEqual(rate.fields.map(({ constraints }) => constraints), [
    'minimum length: 1', undefined, 'greater than or equal to: 0.0, less than or equal to: 1, a multiple of the given number: 0.5', undefined,
  ]);
  const seen: string[] = [];
  const { score, why } = await predict(rate).run({ text: 'Fine.' } as never, {
    lm: ({ messages }) => {
      seen.push(...messages.map(({ content }) => String(content)));
      return reply({ score: '0.5' });
    },
  });
  assert.deepEqual([score, why], [0.5, null]);
  assert.match(seen[0] ?? '', /`score` \(float\): \nConstraints: greater than or equal to: 0\.0/);
  assert.match(seen[1] ?? '', /## scale ## \]\]\n5\n/);
});

test('types of one\'s own are named in strings and in fields', async () => {
  const find = predict('text -> people: list[Person], at: Point', { types });
  const [system] = find.messages({ text: 'Ada' });
  assert.match(String(system?.content), /`people` \(list\[Person\]\)/);
  assert.match(String(system?.content), /"description": "in years", "minimum": 0/);
  assert.match(String(system?.content), /"additionalProperties": false/);
  const { people, at } = await find.run({ text: 'Ada' }, {
    lm: () => reply({ people: '[{"name": "Ada", "mood": "happy", "age": "36", "nickName": "A"}]', at: '{"x": 1, "y": 2.5}' }),
  });
  assert.deepEqual(people, [{ name: 'Ada', mood: 'happy', age: 36, nick: 'A', friends: [] }]);
  assert.equal(people[0]?.mood, 'happy');
  assert.equal(at.x + at.y, 3.5);

  const { mood } = await predict(signature({ inputs: { text: 'str' }, outputs: { mood: 'Mood' }, types })).run({ text: '!' }, { lm: () => reply({ mood: 'sad' }) });
  assert.equal(mood, 'sad');

  const unread = predict('text -> people: list[Person]', { types }).run({ text: '' }, { lm: () => reply({ people: '[{"name": "Ada", "mood": "glad", "age": 1}]' }) });
  await assert.rejects(unread, (error: unknown) => error instanceof LakeletError && error.code === 'parse');
  assert.throws(() => signature('a -> b', { types: { X: { modle: {} } as never } }), /of no known kind/);
});

test('edits give another signature, and its types', async () => {
  const qa = signature('question -> answer');
  const more = qa.append('score', outputField({ type: 'float', desc: 'of trust' })).prepend('context', inputField('list[str]')).insert(-1, 'hint', inputField());
  assert.equal(String(more), 'context, question, hint -> answer, score');
  assert.equal(String(qa), 'question -> answer');
  const { score } = await predict(more).run({ context: [], question: '', hint: '' }, { lm: () => reply({ answer: 'a', score: '1' }) });
  assert.equal(score.toFixed(1), '1.0');

  assert.equal(String(more.delete('context').delete('nothing')), 'question, hint -> answer, score');
  assert.equal(qa.withInstructions('Be brief.').appendInstructions('Be kind.').instructions, 'Be brief.\n\nBe kind.');
  const described = qa.withUpdatedFields('answer', { desc: 'one word', type: 'int' });
  assert.deepEqual(described.fields[1], { name: 'answer', io: 'output', type: 'int', desc: 'one word', prefix: 'Answer:' });
  assert.throws(() => qa.insert(5, 'x', inputField()), /Invalid index/);
  assert.throws(() => qa.withUpdatedFields('nothing' as never, {}), /no field `nothing`/);
});

test('signatures are compared and saved as DSPy does it', () => {
  const qa = signature('question -> answer');
  assert.ok(qa.equals(signature('question -> answer: int')));
  assert.ok(!qa.equals(described()));
  assert.deepEqual(described().dumpState().fields[1], { prefix: 'Answer:', description: 'one word' });
  assert.ok(qa.loadState(described().dumpState()).equals(described()));
  function described() {
    return qa.withUpdatedFields('answer', { desc: 'one word' });
  }
});

test('a predictor shows its settings, and takes others', async () => {
  const asked: { roles: string[]; options: unknown; system: string }[] = [];
  const lm = ({ messages, options }: { messages: readonly { role: string; content: unknown }[]; options: unknown }) => {
    asked.push({ roles: messages.map(({ role }) => role), options, system: String(messages[0]?.content) });
    return reply({ reasoning: 'So.', answer: 'Yes.', score: '1.0' });
  };
  const qa = predict('question -> answer, score: float', { config: { temperature: 0.5 } });
  assert.deepEqual([qa.demos, qa.config], [[], { temperature: 0.5 }]);
  qa.demos = [{ question: 'a?', answer: 'a', score: float(1), at: new Date(0) }];
  assert.equal(qa.messages({ question: '?' }).length, 4);
  assert.match(String(qa.messages({ question: '?' })[2]?.content), /## score ## \]\]\n1\.0/);
  qa.demos = [...qa.demos, ...qa.demos];
  assert.match(String(qa.messages({ question: '?' })[4]?.content), /## score ## \]\]\n1\.0/);
  assert.deepEqual(qa.demos[1]?.['at'], new Date(0));
  qa.instructions = 'Answer.';
  qa.config = { ...qa.config, max_tokens: 5 };
  qa.signature = qa.signature.withUpdatedFields('answer', { desc: 'short' });
  await qa.run({ question: '?' }, { lm });
  assert.deepEqual(asked[0]?.roles, ['system', 'user', 'assistant', 'user', 'assistant', 'user']);
  assert.deepEqual(asked[0]?.options, { temperature: 0.5, max_tokens: 5 });
  assert.match(asked[0]?.system ?? '', /`answer` \(str\): short[^]*Answer\.$/);

  const own = await qa.run({ question: '?' }, { lm, demos: [], config: { max_tokens: 9 }, signature: signature('question -> answer: str', { instructions: 'Other.' }) });
  assert.deepEqual(own as object, { answer: 'Yes.' });
  assert.deepEqual(asked[1]?.roles, ['system', 'user']);
  assert.deepEqual(asked[1]?.options, { temperature: 0.5, max_tokens: 9 });
  assert.match(asked[1]?.system ?? '', /Other\.$/);
  assert.equal(qa.demos.length, 2);
});
