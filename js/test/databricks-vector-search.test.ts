// Vector Search, from the package to the local workspace: tables, indexes, rows and queries.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LakeletError, Workspace } from 'lakelet';
import { VectorSearchManager, Warehouse } from 'lakelet/databricks';

import { EMBEDDING, localWorkspace, WAREHOUSE } from './local-workspace.js';
import { json, serve } from './support.js';

const INDEX = 'main.default.notes_index';
const schema = { id: 'string', text: 'string', lang: 'string', year: 'int', v: 'array<float>' };

test('the local workspace keeps indexes and looks for rows', async (t) => {
  const workspace = await localWorkspace(t);
  await t.test('an index whose rows are written is asked in every way', () => asked(new VectorSearchManager(workspace)));
  await t.test('what an index refuses says what to do', () => refused(new VectorSearchManager(workspace)));
  await t.test('a table is set up, an index is created over it, and follows it', () => followed(workspace));
});

async function asked(manager: VectorSearchManager): Promise<void> {
  await manager.createEndpoint('notes');
  assert.equal((await manager.waitForEndpoint('notes')).endpoint_status?.state, 'ONLINE');
  await manager.createDirectAccessIndex({
    index_name: INDEX, endpoint_name: 'notes', primary_key: 'id', schema, embedding_vector_columns: [{ name: 'v', embedding_dimension: 3 }],
  });
  assert.equal((await manager.waitUntilReady(INDEX)).status?.ready, true);
  assert.deepEqual((await manager.list('notes')).map(({ name }) => name), [INDEX]);

  const rows = [
    { id: 'a', text: 'delta tables store rows', lang: 'en', year: 2024, v: [1, 0, 0] },
    { id: 'b', text: 'prompts are programs', lang: 'en', year: 2025, v: [0, 1, 0] },
    { id: 'c', text: 'Tabellen und Zeilen', lang: 'de', year: 2026, v: [0.9, 0.1, 0] },
  ];
  assert.deepEqual(await manager.upsert(INDEX, rows), { success_row_count: 3, failed_primary_keys: [] });
  const ids = async (query: object) => (await manager.query(INDEX, { columns: ['id'], ...query })).records.map(({ id }) => id).join('');
  const near = { query_vector: [1, 0, 0] };
  assert.equal(await ids({ ...near, num_results: 2 }), 'ac');
  assert.equal(await ids({ ...near, filters: { lang: 'en', 'year >=': 2024 } }), 'ab');
  assert.equal(await ids({ ...near, score_threshold: 0.9 }), 'ac');
  assert.equal(await ids({ query_text: 'prompts', query_type: 'FULL_TEXT', query_columns: ['text'] }), 'b');
  assert.equal(await ids({ ...near, query_text: 'programs', query_type: 'HYBRID', num_results: 1, filters: { lang: ['en'] } }).then((found) => found.length), 1);
  const sorted = await manager.query(INDEX, { columns: ['id', 'year'], ...near, sort_columns: ['year DESC'], facets: ['lang'], debug_level: 1 });
  assert.deepEqual(sorted.records.map(({ year }) => year), [2026, 2025, 2024]);
  assert.deepEqual(sorted.facets.map((facet) => Object.values(facet).join(' ')).sort(), ['lang de 1', 'lang en 2']);
  assert.ok(sorted.debug_info);

  const scanned: unknown[] = [];
  for await (const row of manager.scan(INDEX, { num_results: 2 })) scanned.push(row);
  assert.deepEqual(scanned.map((row) => (row as { id: string }).id), ['a', 'b', 'c']);
  assert.equal((await manager.delete(INDEX, ['a', 'b'])).success_row_count, 2);
  assert.equal(await ids(near), 'c');

  await manager.drop(INDEX);
  assert.equal(await manager.exists(INDEX), false);
  await manager.deleteEndpoint('notes');
  assert.deepEqual(await manager.endpoints(), []);
}

async function refused(manager: VectorSearchManager): Promise<void> {
  await manager.createEndpoint('notes');
  await manager.createDirectAccessIndex({
    index_name: INDEX, endpoint_name: 'notes', primary_key: 'id', schema, embedding_vector_columns: [{ name: 'v', embedding_dimension: 3 }],
  });
  const query = (given: object) => manager.query(INDEX, { columns: ['id'], ...given });
  await assert.rejects(query({ query_vector: [1, 0] }), { code: 'bad_request', hint: /embedding_dimension/ });
  await assert.rejects(query({ query_vector: [1, 0, 0], filters: "lang = 'en'" }), { code: 'bad_request', field: 'filters', hint: /an object/ });
  await assert.rejects(query({ query_vector: [1, 0, 0], filters: { colour: 'red' } }), { code: 'bad_request' });
  await assert.rejects(query({ query_text: 'x' }), { code: 'bad_request', hint: /vectors/ });
  await assert.rejects(manager.createEndpoint('notes'), { code: 'conflict', hint: /already/ });
  await assert.rejects(manager.describe('main.default.nothing'), { code: 'not_found' });
  await assert.rejects(manager.upsert(INDEX, [{ id: 'a', v: [1] }]), { code: 'bad_request', hint: /embedding_dimension/ });
  await assert.rejects(manager.createIndex('main.default.x', EMBEDDING), { code: 'input', field: 'source_table' });
}

async function followed(workspace: Workspace): Promise<void> {
  const [manager, warehouse] = [new VectorSearchManager(workspace), new Warehouse(workspace, WAREHOUSE)];
  const [table, index] = ['main.default.`docs`', 'main.default.docs_index'];
  await manager.setupDeltaTable(table, index, { warehouse });
  await manager.setupDeltaTable(table, index, { warehouse });
  const insert = (id: string, content: string) =>
    warehouse.execute(`INSERT INTO main.default.docs (id, content) VALUES (:id, :content)`, { parameters: { id, content } });
  await insert('a', 'Employees get twenty-five days of leave.');
  const created = await manager.createIndex(index, EMBEDDING);
  assert.equal(created.endpoint_name, 'main_default_docs_index_endpoint');
  await insert('b', 'The office is closed at night.');
  const again = await manager.createIndex(index, EMBEDDING, { source_table: 'main.default.docs' });
  assert.equal(again.name, index);
  await manager.waitUntilReady(index, { updates: true });
  const { records } = await manager.query(index, { query_text: 'How many days of holiday?', columns: ['id', 'content'], num_results: 2 });
  assert.deepEqual(records.map(({ id }) => id), ['a', 'b']);
  const others = { source_table: 'main.default.others' };
  await assert.rejects(manager.createIndex(index, EMBEDDING, others), { code: 'not_found', hint: /source table/ });
  await manager.setupDeltaTable(others.source_table, undefined, { warehouse, embeddings: true });
  await assert.rejects(manager.createIndex(index, EMBEDDING, others), { code: 'conflict', message: /default.docs/ });
}

test('what was made before a step failed is named', async (t) => {
  const server = await serve(t, ({ url }, response) => {
    if (url.endsWith('/endpoints')) json(response, 200, {});
    else if (url.includes('/endpoints/')) json(response, 200, { endpoint_status: { state: 'ONLINE' } });
    else json(response, 403, { error_code: 'PERMISSION_DENIED', message: 'no CREATE TABLE on main.rag' });
  });
  const manager = new VectorSearchManager(new Workspace({ host: server.url, token: 'dapi-1' }));
  await assert.rejects(manager.createIndex('main.rag.x', EMBEDDING, { source_table: 'main.rag.docs' }), (error: unknown) => {
    assert.ok(error instanceof LakeletError);
    assert.equal(error.code, 'permission');
    assert.match(error.hint ?? '', /Made before and left: vector search endpoint `main_rag_x_endpoint`/);
    return true;
  });
});
