import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LakeletError, Workspace } from 'lakelet';
import { Warehouse, type Progress } from 'lakelet/databricks';

import { json, serve } from './support.js';

const done = { statement_id: 's1', status: { state: 'SUCCEEDED' }, manifest: { schema: { columns: [{ name: 'x', type_name: 'INT', type_text: 'INT' }] } }, result: { data_array: [['1'], [null]] } };

test('a statement is sent with its parameters, waited for, and read', async (t) => {
  const server = await serve(t, ({ url }, response) =>
    json(response, 200, url === '/api/2.0/sql/statements' ? { statement_id: 's1', status: { state: 'RUNNING' } } : done));
  const warehouse = new Warehouse(new Workspace({ host: server.url, token: 'dapi-1' }), 'abc');
  const told: Progress[] = [];
  const found = await warehouse.execute('SELECT :a, :b, :c, :d', {
    parameters: { a: 'x', b: 5, c: null, d: { value: '2026-01-01', type: 'DATE' } },
    row_limit: 10,
    onProgress: (progress) => told.push(progress),
  });
  assert.deepEqual(found.records, [{ x: 1 }, { x: null }]);
  assert.deepEqual(told.map(({ state }) => state), ['RUNNING']);
  assert.equal(server.received[0]?.headers.authorization, 'Bearer dapi-1');
  assert.deepEqual(server.received[0]?.body, {
    statement: 'SELECT :a, :b, :c, :d', warehouse_id: 'abc', row_limit: 10,
    parameters: [{ name: 'a', value: 'x' }, { name: 'b', type: 'BIGINT', value: '5' }, { name: 'c' }, { name: 'd', type: 'DATE', value: '2026-01-01' }],
  });
});

test('what the service refuses is a LakeletError', async (t) => {
  const server = await serve(t, (_, response) => json(response, 403, { error_code: 'PERMISSION_DENIED', message: 'no' }));
  const warehouse = new Warehouse(new Workspace({ host: server.url, token: 'dapi-1' }), 'abc');
  await assert.rejects(warehouse.execute('SELECT 1'), (error) => error instanceof LakeletError && error.code === 'permission' && error.status === 403);
});

test('a call that is given up is aborted', async (t) => {
  const server = await serve(t, () => {});
  const warehouse = new Warehouse(new Workspace({ host: server.url, token: 'dapi-1' }), 'abc');
  const giveUp = new AbortController();
  const call = warehouse.execute('SELECT 1', { signal: giveUp.signal });
  while (server.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  giveUp.abort();
  await assert.rejects(call, { name: 'AbortError' });
  await server.received[0]?.gone;
});
