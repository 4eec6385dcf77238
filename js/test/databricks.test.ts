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

test('a large result is read page by page, and its pages as files', async (t) => {
  const links = (index: number) => ({ external_links: [{ chunk_index: index, external_link: `${server.url}/storage/${index}?key=secret` }] });
  const server = await serve(t, ({ url }, response) => {
    const chunk = Number(/(\d)(?:\?|$)/.exec(url)?.[1]);
    if (url.startsWith('/storage/')) json(response, 200, [[String(chunk)]]);
    else if (url.includes('/chunks/')) json(response, 200, links(chunk));
    else json(response, 200, { ...done, manifest: { ...done.manifest, total_chunk_count: 2, total_row_count: 2, truncated: true }, result: links(0) });
  });
  const pages = await new Warehouse(new Workspace({ host: server.url, token: 'dapi-1' }), 'abc').open('SELECT x FROM t');
  assert.deepEqual([pages.length, pages.totalRows, pages.columns[0]?.name], [2, 2, 'x']);
  const records: unknown[] = [];
  for await (const page of pages) records.push(...page.records);
  assert.deepEqual(records, [{ x: 0 }, { x: 1 }]);
  assert.equal(new TextDecoder().decode(await pages.file(1)), '[["1"]]');
  const fetched = server.received.filter(({ url }) => url.startsWith('/storage/'));
  assert.deepEqual(fetched.map(({ headers }) => headers.authorization), [undefined, undefined, undefined]);
});

test('the warehouse of the environment is the default, and having none is said', async () => {
  const workspace = new Workspace({ host: 'http://127.0.0.1:1', token: 'dapi-1' });
  const before = process.env['DATABRICKS_WAREHOUSE_ID'];
  process.env['DATABRICKS_WAREHOUSE_ID'] = 'abc';
  assert.equal(new Warehouse(workspace).id, 'abc');
  delete process.env['DATABRICKS_WAREHOUSE_ID'];
  await assert.rejects(new Warehouse(workspace).execute('SELECT 1'), { code: 'input', hint: /DATABRICKS_WAREHOUSE_ID/ });
  if (before !== undefined) process.env['DATABRICKS_WAREHOUSE_ID'] = before;
});

test('a warehouse is started and waited for, and listed', async (t) => {
  let looked = 0;
  const server = await serve(t, ({ url }, response) => {
    if (url.endsWith('/start')) json(response, 200, {});
    else if (url.endsWith('/abc')) json(response, 200, { id: 'abc', state: looked++ ? 'RUNNING' : 'STARTING' });
    else json(response, 200, { warehouses: [{ id: 'abc', name: 'A' }] });
  });
  const workspace = new Workspace({ host: server.url, token: 'dapi-1' });
  const states: string[] = [];
  const { state } = await new Warehouse(workspace, 'abc').start({ onProgress: (progress) => states.push(progress.state) });
  assert.deepEqual([...states, state], ['STARTING', 'RUNNING']);
  assert.deepEqual((await Warehouse.list(workspace)).map(({ id }) => id), ['abc']);
});
