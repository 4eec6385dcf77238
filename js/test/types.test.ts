import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import {
  Audio, Citations, Code, Document, File, float, History, Image, init, LakeletError, predict, Reasoning, ToolCalls, tuple, type Message,
} from 'lakelet';

import { reply } from './support.js';

before(() => init());

const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** What the prompt shows of an input. */
function shown(type: string, value: unknown): Message['content'] {
  const content = predict(`x: ${type} -> y`).messages({ x: value } as never).at(-1)?.content ?? null;
  if (typeof content !== 'string') return content;
  return /## x ## \]\]\n(.*?)\n\nRespond/s.exec(content)?.[1] ?? content;
}

function parts(type: string, value: unknown): unknown[] {
  const content = shown(type, value);
  assert.ok(Array.isArray(content), String(content));
  return content.filter((part: { type: string }) => part.type !== 'text');
}

test('what JavaScript has no form for can be said', () => {
  assert.equal(shown('float', float(1)), '1.0');
  assert.equal(shown('list[float]', [float(2), 0.5]), '[2.0, 0.5]');
  assert.equal(shown('Any', tuple('a', 1)), '["a", 1]');
  assert.equal(shown('str', [tuple('a', 1), 'b']), "[1] «('a', 1)»\n[2] «b»");
  assert.equal(shown('datetime.datetime', new Date('2026-01-02T03:04:05Z')), '2026-01-02T03:04:05Z');
  assert.equal(shown('Any', [new Date('2026-01-02T03:04:05.067Z')]), '["2026-01-02T03:04:05.067000Z"]');
  assert.throws(() => shown('Any', new Date(NaN)), /date is invalid/);
});

test('media become parts of the message', async () => {
  const url = 'https://example.com/cat.png';
  const data = 'data:image/png;base64,iVBORw0KGgo=';
  assert.deepEqual(parts('dspy.Image', new Image(url)), [{ type: 'image_url', image_url: { url } }]);
  assert.deepEqual(parts('list[dspy.Image]', [new Image({ url }), new Image(PNG)]), [
    { type: 'image_url', image_url: { url } },
    { type: 'image_url', image_url: { url: data } },
  ]);
  assert.equal((await Image.fromBlob(new Blob([PNG], { type: 'image/png' }))).url, data);
  assert.equal((await Image.fromUrl(data)).url, data);
  assert.throws(() => new Image('cat.png'), (error: unknown) => error instanceof LakeletError && error.code === 'input');
  assert.throws(() => new Image(new Uint8Array([1, 2, 3])), /no PNG/);

  const sound = [{ type: 'input_audio', input_audio: { data: 'AQID', format: 'mp3' } }];
  assert.deepEqual(parts('dspy.Audio', new Audio(new Uint8Array([1, 2, 3]), { audioFormat: 'mp3' })), sound);
  assert.deepEqual(parts('dspy.Audio', new Audio('data:audio/x-mp3;base64,AQID')), sound);
  assert.deepEqual(parts('dspy.Audio', await Audio.fromBlob(new Blob([new Uint8Array([1, 2, 3])], { type: 'audio/mp3' }))), sound);
  assert.throws(() => new Audio('hello.wav'), /data URI/);

  assert.deepEqual(parts('dspy.File', new File({ fileId: 'file-1', filename: 'a.pdf' })), [{ type: 'file', file: { file_id: 'file-1', filename: 'a.pdf' } }]);
  assert.deepEqual(parts('dspy.File', File.fromBytes(new Uint8Array([1, 2, 3]), { mimeType: 'application/pdf' })), [
    { type: 'file', file: { file_data: 'data:application/pdf;base64,AQID' } },
  ]);
  assert.throws(() => new File({}), /neither data nor an id/);

  assert.deepEqual(parts('Document', new Document({ data: 'Leave is 25 days.', title: 'Leave' })), [
    { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'Leave is 25 days.' }, citations: { enabled: true }, title: 'Leave' },
  ]);
  assert.equal(parts('Document', new Document('x')).length, 1);
});

test('code and reasoning are their text, in and out', async () => {
  assert.equal(shown('dspy.Code', new Code({ code: 'x = 1' })), 'x = 1');
  assert.equal(shown('dspy.Reasoning', new Reasoning({ content: 'Hm.' })), 'Hm.');
  const { code, why } = await predict('task -> code: dspy.Code, why: dspy.Reasoning').run({ task: 'one' }, {
    lm: () => reply({ code: '```python\nx = 1\n```', why: 'It is one.' }),
  });
  assert.deepEqual([code, why], ['x = 1', 'It is one.']);
});

test('a history becomes messages of its own', () => {
  const history = new History({ messages: [{ question: 'Who?', answer: 'Ada.' }] });
  history.messages.push({ question: 'When?', answer: '1843.' });
  const messages = predict('question, history: dspy.History -> answer').messages({ question: 'Where?', history });
  assert.deepEqual(messages.map(({ role }) => role), ['system', 'user', 'assistant', 'user', 'assistant', 'user']);
  assert.match(String(messages[4]?.content), /1843\./);
});

test('tool calls come back as objects that a history takes again', async () => {
  const agent = predict('question, history: dspy.History -> calls: dspy.ToolCalls');
  const answer = '{"tool_calls": [{"id": "c1", "name": "search", "args": {"query": "cats"}}]}';
  const { calls } = await agent.run({ question: 'Cats?', history: new History() }, { lm: () => reply({ calls: answer }) });
  assert.ok(calls instanceof ToolCalls);
  assert.deepEqual(calls.toolCalls, [{ id: 'c1', name: 'search', args: { query: 'cats' } }]);

  const done = new ToolCalls({ ...calls, toolCallResults: [{ call_id: 'c1', name: 'search', value: 'Cats purr.' }] });
  const history = new History({ messages: [{ question: 'Cats?', calls: done }] });
  const messages = agent.messages({ question: 'And?', history });
  assert.deepEqual(messages.map(({ role }) => role), ['system', 'user', 'assistant', 'user', 'user']);
  assert.match(String(messages[2]?.content), /\{"tool_calls": \[\{"name": "search", "args": \{"query": "cats"\}\}\]\}/);
  assert.match(String(messages[3]?.content), /Cats purr\./);
});

test('citations come back as objects', async () => {
  const citation = { type: 'char_location', cited_text: 'Leave', document_index: 0, document_title: null, start_char_index: 0, end_char_index: 5, supported_text: null };
  const { sources } = await predict('question -> sources: Citations').run({ question: '?' }, {
    lm: () => reply({ sources: JSON.stringify({ citations: [{ ...citation, type: undefined }] }) }),
  });
  assert.ok(sources instanceof Citations);
  assert.deepEqual(sources.citations, [citation]);
});
