import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LakeletError, Workspace } from 'lakelet';
import { collect, fromCsv, fromJson, fromJsonLines, fromTable } from 'lakelet/data';
import { Warehouse } from 'lakelet/databricks';

import { json, serve } from './support.js';

const fails = (field: string | undefined, ...words: RegExp[]) => (error: unknown) => {
  assert.ok(error instanceof LakeletError && error.code === 'input', String(error));
  assert.equal(error.field, field);
  for (const word of words) assert.match(`${error.message} ${error.hint}`, word);
  return true;
};
const bytes = (text: string) => new TextEncoder().encode(text);

/** A stream that gives a byte at a time, and tells whether it was given up. */
function trickle(text: string): { stream: ReadableStream<Uint8Array>; given: () => number; cancelled: () => boolean } {
  const all = bytes(text);
  let place = 0, gone = false;
  const stream = new ReadableStream<Uint8Array>({
    pull: (into) => (place < all.length ? into.enqueue(all.subarray(place, ++place)) : into.close()),
    cancel: () => void (gone = true),
  });
  return { stream, given: () => place, cancelled: () => gone };
}

test('a JSON array is read from whatever holds it', async () => {
  const text = '\ufeff[{"question": "2 + 2?", "answer": 4, "id": 1}]';
  for (const source of [text, bytes(text), new Blob([text]), new Response(text), trickle(text).stream, (async function* () { yield bytes(text); })()]) {
    assert.deepEqual(await fromJson(source), [{ question: '2 + 2?', answer: 4, id: 1 }]);
  }
});

test('fields are chosen and renamed', async () => {
  const text = '[{"prompt": "a", "gold": null, "id": 1}]';
  assert.deepEqual(await fromJson(text, { fields: ['prompt', 'gold'] }), [{ prompt: 'a', gold: null }]);
  assert.deepEqual(await fromJson(text, { fields: { question: 'prompt', answer: 'gold' } }), [{ question: 'a', answer: null }]);
  await assert.rejects(fromJson(text, { fields: { question: 'promt' }, name: 'dev.json' }), fails('question', /row 1 of dev\.json has no `promt`/, /`prompt`, `gold`, `id`/));
  await assert.rejects(fromJson(text, { requires: ['gold'] }), fails('gold', /has no value in `gold`/));
  await assert.rejects(fromJson(text, { requires: ['toString'] }), fails('toString'));
});

test('JSON that holds no examples is refused', async () => {
  await assert.rejects(fromJson(''), fails(undefined, /no example/));
  await assert.rejects(fromJson('[]'), fails(undefined, /no example/));
  await assert.rejects(fromJson('{"a": 1}\n{"a": 2}'), fails(undefined, /no JSON/));
  await assert.rejects(fromJson('{"a": 1}'), fails(undefined, /no list/, /fromJsonLines/));
  await assert.rejects(fromJson('[{}, []]'), fails(undefined, /row 2 of the data is no object/));
  await assert.rejects(fromJson(new Uint8Array([0xff, 0xfe, 0x5b, 0])), fails(undefined, /not UTF-8/));
  await assert.rejects(fromJson(new Response('gone', { status: 404 }), { name: 'dev.json' }), { code: 'network', status: 404, message: /dev\.json could not be fetched/ });
});

test('lines of JSON come one by one, whatever their ends', async () => {
  const text = '\ufeff{"question": "é"}\r\n\r\n{"question": "b"}\n{"question": "c"}';
  assert.deepEqual(await collect(fromJsonLines(trickle(text).stream)), ['é', 'b', 'c'].map((question) => ({ question })));
  const long = trickle('{"question": "a"}\n'.repeat(1000));
  for await (const example of fromJsonLines<{ question: string }>(long.stream)) {
    assert.equal(example.question, 'a');
    break;
  }
  assert.ok(long.cancelled() && long.given() < 100);
});

test('a bad line is named', async () => {
  await assert.rejects(collect(fromJsonLines('{"a": 1}\n\n{"a": ', { name: 'dev.jsonl' })), fails(undefined, /line 3 of dev\.jsonl is no JSON/));
  await assert.rejects(collect(fromJsonLines('{"a": 1}\n\n{"b": 2}', { requires: ['a'] })), fails('a', /row 2 \(line 3\) of the data has no `a`/, /`b`/));
  await assert.rejects(collect(fromJsonLines('{"a": 1}\n7')), fails(undefined, /row 2 \(line 2\) of the data is no object/));
  await assert.rejects(collect(fromJsonLines('\n')), fails(undefined, /no example/));
});

test('a table of text is read as it stands', async () => {
  const text = '\ufeffquestion,answer\r\n"What, ""now""?","two\r\nlines"\r\n\r\n007,\r\n';
  const rows = [{ question: 'What, "now"?', answer: 'two\r\nlines' }, { question: '007', answer: '' }];
  assert.deepEqual(await fromCsv(text), rows);
  assert.deepEqual(await fromCsv(trickle(text).stream), rows);
  assert.deepEqual(await fromCsv('a;b\n1;2', { delimiter: ';', fields: { c: 'b' } }), [{ c: '2' }]);
  assert.deepEqual(await fromCsv('a\nb'), [{ a: 'b' }]);
});

test('tables of text that are broken are refused', async () => {
  await assert.rejects(fromCsv('a,b\n1,2\n3\n', { name: 'dev.csv' }), fails(undefined, /row 2 of dev\.csv has 1 values for 2 columns/));
  await assert.rejects(fromCsv('a,b\n1,"2\n'), fails(undefined, /row 1 of the data cannot be read: Quoted field unterminated/));
  await assert.rejects(fromCsv('"a,b\n1,2\n'), fails(undefined, /first line of the data/));
  await assert.rejects(fromCsv('a,b,a\n1,2,3'), fails('a', /two columns `a`/));
  await assert.rejects(fromCsv('a,b\n1,\n', { requires: ['b'] }), fails('b', /row 1 of the data has no value in `b`/));
  for (const empty of ['', '\ufeff', 'a,b\n', '\r\n']) await assert.rejects(fromCsv(empty), fails(undefined, /no example/));
});

test('a table of a workspace is read, its names quoted', async (t) => {
  const columns = ['question', 'answer'].map((name) => ({ name, type_name: 'STRING', type_text: 'STRING' }));
  let rows: (string | null)[][] = [['a', 'A'], ['b', null]];
  const server = await serve(t, ({ url }, response) => {
    const page = { chunk_index: 0, data_array: rows };
    if (url.includes('/chunks/')) return json(response, 200, page);
    const manifest = { schema: { columns }, total_chunk_count: 1, total_row_count: rows.length };
    return json(response, 200, { statement_id: 's1', status: { state: 'SUCCEEDED' }, manifest, result: page });
  });
  const warehouse = new Warehouse(new Workspace({ host: server.url, token: 'dapi-1' }), 'abc');
  const read = (table: string, options: Parameters<typeof fromTable>[2]) => collect(fromTable(warehouse, table, { disposition: 'INLINE', ...options }));
  const statement = () => server.received.findLast(({ body }) => body['statement'])?.body['statement'];

  assert.deepEqual(await read('main.qa.labelled', { limit: 10 }), [{ question: 'a', answer: 'A' }, { question: 'b', answer: null }]);
  assert.equal(statement(), 'SELECT * FROM `main`.`qa`.`labelled` LIMIT 10');
  await read('main.`q.a`.x; DROP TABLE y --', { fields: { question: 'a`, b' } });
  assert.equal(statement(), 'SELECT `a``, b` AS `question` FROM `main`.`q.a`.`x; DROP TABLE y --`');
  await read('main.qa.`a``b`', { fields: ['question', 'answer'] });
  assert.equal(statement(), 'SELECT `question` AS `question`, `answer` AS `answer` FROM `main`.`qa`.`a``b`');

  await assert.rejects(read('main.qa.labelled', { requires: ['answer'] }), fails('answer', /row 2 of main\.qa\.labelled has no value/));
  rows = [];
  await assert.rejects(read('main.qa.labelled', {}), fails(undefined, /main\.qa\.labelled holds no example/));
  const asked = server.received.length;
  for (const name of ['labelled', 'qa.labelled', 'a.b.c.d', 'a..c', 'a.b.`c', 'a.b.c`', '']) await assert.rejects(read(name, {}), fails('table', /names no table/));
  for (const limit of [0, 1.5, -1, NaN, '1; DROP' as never]) await assert.rejects(read('a.b.c', { limit }), fails('limit'));
  assert.equal(server.received.length, asked);
});
