// Metrics of the component.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { metrics } from './dist/lakelet.js';
import { FRESH, failure, startEndpoint } from './workspace.mjs';

const ANSWERS = ['The Eiffel Tower', 'Tour Eiffel'];
const json = JSON.stringify;
let endpoint;
before(async () => (endpoint = await startEndpoint()));
after(() => endpoint.stop());

test('texts are compared as DSPy compares them', () => {
  assert.equal(metrics.normalizeText('The  Eiffel-Tower!'), 'eiffeltower');
  assert.equal(metrics.exactMatch('eiffel tower!', ANSWERS), true);
  assert.equal(metrics.exactMatch('eiffel', ANSWERS), false);
  assert.equal(metrics.f1('the eiffel', ANSWERS), 2 / 3);
  assert.equal(metrics.hotPotF1('yes it is', ['yes']), 0);
  assert.equal(metrics.precisionScore('eiffel tower in Paris', 'Eiffel Tower'), 0.5);
});

test('examples and predictions are compared by their fields', () => {
  const prediction = json({ answer: 'eiffel', context: ['It is the Eiffel Tower.'] });
  const example = json({ answer: 'Eiffel Tower' });
  assert.equal(metrics.answerExactMatch(example, prediction, 1), false);
  assert.equal(metrics.answerExactMatch(example, prediction, 0.5), true);
  assert.equal(metrics.answerPassageMatch(example, prediction), true);
  const completions = ['a', 'b', 'B!'].map((answer, i) => json({ answer, i }));
  assert.deepEqual(JSON.parse(metrics.majority(completions, 'answer')), { answer: 'b', i: 1 });
});

test('what cannot be compared is named', () => {
  assert.deepEqual([failure(() => metrics.exactMatch('a', [])).code, failure(() => metrics.f1('a', [])).code], ['input', 'input']);
  const error = failure(() => metrics.answerExactMatch('{}', '{"answer": "a"}', 1));
  assert.deepEqual([error.code, error.field], ['input', 'answer']);
  assert.match(failure(() => metrics.majority(['7'], undefined)).message, /completions/);
});

test('a model judges', () => {
  const workspace = endpoint.model('filling');
  const [example, prediction] = [json({ question: 'q', response: 'truth' }), json({ response: 'said', context: 'c' })];
  for (const decompositional of [false, true]) assert.equal(metrics.semanticF1(workspace, example, prediction, decompositional, FRESH), 0.5);
  assert.equal(metrics.completeAndGrounded(workspace, example, prediction, FRESH), 0.5);
  assert.equal(failure(() => metrics.semanticF1(workspace, '{}', prediction, false, FRESH)).field, 'question');
});
