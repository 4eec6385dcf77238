import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import {
  answerExactMatch, answerPassageMatch, completeAndGrounded, exactMatch, f1, hotPotF1, init, majority, normalizeText, precisionScore, predict, semanticF1,
} from 'lakelet';

import { reply } from './support.js';

before(() => init());

test('metrics are those of DSPy', () => {
  assert.ok(answerExactMatch({ answer: ['Paris', 'The Eiffel Tower'] }, { answer: 'eiffel tower!' }));
  assert.ok(!answerExactMatch({ answer: 'Paris' }, { answer: 'Paris, France' }));
  assert.ok(answerExactMatch({ answer: 'Paris' }, { answer: 'Paris, France' }, { frac: 0.5 }));
  assert.ok(answerPassageMatch({ answer: 'Paris' }, { context: ['Paris is in France.'] }));
  assert.ok(exactMatch('the cat', ['Cat']));
  assert.equal(f1('a red cat', ['red dog']), 0.5);
  assert.equal(hotPotF1('yes', ['no']), 0);
  assert.equal(precisionScore('red cat', 'red dog'), 0.5);
  assert.equal(normalizeText('The  Cat!'), 'cat');
});

test('most completions decide', async () => {
  const lm = () => ['4', '5', '5!'].map((answer) => reply({ answer }));
  const prediction = await predict('question -> answer', { config: { n: 3 } }).run({ question: '?' }, { lm });
  assert.deepEqual(majority(prediction), { answer: '5' });
  assert.deepEqual(majority([{ a: 'x', b: '1' }, { a: 'y', b: '2' }, { a: 'y', b: '1' }], { field: 'a' }), { a: 'y', b: '2' });
});

test('a model judges', async () => {
  const lm = () => reply({ reasoning: 'So.', precision: '0.5', recall: '1.0', completeness: '1', groundedness: '1', discussion: 'd', ground_truth_key_ideas: 'a', system_response_key_ideas: 'b', system_response_claims: 'c' });
  const judged = { example: { question: '?', response: 'a' }, pred: { response: 'b' } };
  const judge = semanticF1();
  assert.deepEqual(await judge.run(judged, { lm }), { score: 2 / 3 });
  assert.deepEqual(await semanticF1({ threshold: 0.7 }).run({ ...judged, trace: [] }, { lm }), { score: false });
  assert.deepEqual([...judge.namedPredictors().keys()], ['module.predict']);
  const grounded = await completeAndGrounded().run({ ...judged, pred: { response: 'b', context: ['c'] } }, { lm });
  assert.equal(typeof grounded.score, 'number');
});
