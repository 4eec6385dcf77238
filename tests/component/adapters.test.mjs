// The component through jco: the same core, called by names and types that WIT defines, with no JavaScript of ours between.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adapters, signatures } from './dist/lakelet.js';

const { Signature } = signatures;

test('a signature tells its fields and instructions', () => {
  const signature = Signature.parse('context: list[str], question -> answer, confidence: float', undefined);
  assert.deepEqual(
    signature.inputs().map((field) => [field.name, field.annotation]),
    [['context', 'list[str]'], ['question', 'str']],
  );
  assert.deepEqual(
    signature.outputs().map((field) => [field.name, field.annotation, field.prefix]),
    [['answer', 'str', 'Answer:'], ['confidence', 'float', 'Confidence:']],
  );
  assert.equal(signature.instructions(), 'Given the fields `context`, `question`, produce the fields `answer`, `confidence`.');
});

test('a malformed signature is an error that says what is wrong', () => {
  assert.throws(
    () => Signature.parse('question answer', undefined),
    (error) => error.code === 'signature' && error.message.includes('->'),
  );
});

test('the chat adapter writes the messages that DSPy writes', () => {
  const signature = Signature.parse('question -> answer', 'Answer briefly.');
  const demos = JSON.stringify([{ question: '1+1?', answer: '2' }]);
  const messages = JSON.parse(adapters.format('chat', signature, demos, JSON.stringify({ question: '2+2?' })));
  assert.deepEqual(messages.map((message) => message.role), ['system', 'user', 'assistant', 'user']);
  assert.match(messages[0].content, /your objective is: \n        Answer briefly\.$/);
  assert.equal(messages[2].content, '[[ ## answer ## ]]\n2\n\n[[ ## completed ## ]]\n');
  assert.match(messages[3].content, /^\[\[ ## question ## \]\]\n2\+2\?\n\nRespond with/);
});

test('every adapter writes its own messages', () => {
  const signature = Signature.parse('question -> answer', undefined);
  const prompts = ['chat', 'json', 'xml', 'baml'].map((adapter) => adapters.format(adapter, signature, '[]', '{"question": "2+2?"}'));
  assert.equal(new Set(prompts).size, 4);
  assert.match(prompts[2], /<question>/);
});

test('replies are parsed to typed values', () => {
  const signature = Signature.parse('question -> answer, confidence: float', undefined);
  const chat = adapters.parse('chat', signature, '[[ ## answer ## ]]\nParis\n\n[[ ## confidence ## ]]\n0.9\n\n[[ ## completed ## ]]');
  assert.deepEqual(JSON.parse(chat), { answer: 'Paris', confidence: 0.9 });
  for (const adapter of ['json', 'baml']) {
    assert.deepEqual(JSON.parse(adapters.parse(adapter, signature, 'Sure: {"answer": "Paris", confidence: 0.9,}')), { answer: 'Paris', confidence: 0.9 });
  }
  const xml = adapters.parse('xml', signature, '<answer>Paris</answer>\n<confidence>0.9</confidence>');
  assert.deepEqual(JSON.parse(xml), { answer: 'Paris', confidence: 0.9 });
});

test('a reply without a field is an error that keeps the reply', () => {
  const signature = Signature.parse('question -> answer, confidence: float', undefined);
  assert.throws(
    () => adapters.parse('chat', signature, '[[ ## answer ## ]]\nParis'),
    (error) => error.code === 'parse' && error.reply.includes('Paris'),
  );
});
