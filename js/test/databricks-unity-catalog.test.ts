// Unity Catalog and SQL, from the package to the local workspace; and a function of the catalog as a tool of an agent.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { react, type ModelRequest, type Workspace } from 'lakelet';
import { UnityCatalog, Warehouse } from 'lakelet/databricks';

import { localWorkspace, WAREHOUSE } from './local-workspace.js';
import { reply } from './support.js';

test('the local workspace keeps a catalog, and runs SQL over it', async (t) => {
  const workspace = await localWorkspace(t);
  const warehouse = new Warehouse(workspace, WAREHOUSE);
  await warehouse.execute('CREATE TABLE main.default.numbers (n BIGINT, name STRING)');
  await t.test('objects are made, found, granted and deleted', () => objects(workspace));
  await t.test('registered models are made, granted and deleted', () => models(workspace));
  await t.test('a large result is read page by page, as rows and as CSV', () => pages(warehouse));
  await t.test('functions are tools, with values of every type', () => tools(workspace, warehouse));
  await t.test('an agent calls a function of the catalog', () => agent(workspace, warehouse));
});

async function objects(workspace: Workspace): Promise<void> {
  const catalog = new UnityCatalog(workspace);
  await catalog.catalogs.create({ name: 'lab', comment: 'trials' });
  await catalog.schemas.create({ name: 'rag', catalog_name: 'lab' });
  await catalog.volumes.create({ name: 'raw', catalog_name: 'lab', schema_name: 'rag', volume_type: 'MANAGED' });
  assert.ok((await catalog.catalogs.list()).some(({ name }) => name === 'lab'));
  assert.ok((await catalog.schemas.list('lab')).some(({ name }) => name === 'rag'));
  assert.deepEqual((await catalog.volumes.list('lab.rag')).map(({ full_name }) => full_name), ['lab.rag.raw']);
  assert.equal((await catalog.catalogs.get('lab')).comment, 'trials');
  assert.equal(await catalog.volumes.exists('lab.rag.none'), false);

  assert.equal(await catalog.tables.exists('main.default.numbers'), true);
  const { columns } = await catalog.tables.get('main.default.numbers');
  assert.deepEqual(columns?.map(({ name, type_name }) => [name, type_name]), [['n', 'LONG'], ['name', 'STRING']]);

  const granted = await catalog.schemas.updatePermissions('lab.rag', [{ principal: 'team@example.com', add: ['USE_SCHEMA', 'SELECT'] }]);
  assert.deepEqual(granted.find(({ principal }) => principal === 'team@example.com')?.privileges.toSorted(), ['SELECT', 'USE_SCHEMA']);
  const effective = await catalog.volumes.effectivePermissions('lab.rag.raw', { principal: 'team@example.com' });
  assert.ok(effective.every(({ principal }) => principal === 'team@example.com'));

  await assert.rejects(catalog.schemas.create({ name: 'rag', catalog_name: 'lab' }), { code: 'conflict', hint: /already/ });
  await assert.rejects(catalog.catalogs.delete('lab'), { code: 'bad_request', hint: /force/ });
  await catalog.catalogs.delete('lab', { force: true });
  await assert.rejects(catalog.catalogs.get('lab'), { code: 'not_found' });
}

async function models(workspace: Workspace): Promise<void> {
  const { models } = new UnityCatalog(workspace);
  await models.create({ name: 'rag', catalog_name: 'main', schema_name: 'default' });
  assert.deepEqual((await models.list('main.default')).map(({ name }) => name), ['rag']);
  assert.deepEqual(await models.versions('main.default.rag'), []);
  await assert.rejects(models.version('main.default.rag', 'champion'), { code: 'not_found' });
  await models.delete('main.default.rag');
  assert.equal(await models.exists('main.default.rag'), false);
}

async function pages(warehouse: Warehouse): Promise<void> {
  const statement = "SELECT id, CASE WHEN id = 1 THEN NULL ELSE 'x' END AS x FROM range(3)";
  const rows: unknown[] = [];
  const result = await warehouse.open(statement);
  assert.equal(result.totalRows, 3);
  for await (const { records } of result) rows.push(...records);
  assert.deepEqual(rows, [{ id: 0, x: 'x' }, { id: 1, x: null }, { id: 2, x: 'x' }]);
  const file = await (await warehouse.open(statement, { format: 'CSV' })).file(0);
  assert.match(new TextDecoder().decode(file), /^id,x\r?\n0,x\r?\n/);
  assert.deepEqual((await warehouse.execute(statement, { row_limit: 1 })).truncated, true);
}

async function tools(workspace: Workspace, warehouse: Warehouse): Promise<void> {
  const catalog = new UnityCatalog(workspace);
  await warehouse.execute("CREATE FUNCTION main.default.price(item STRING COMMENT 'What is bought.', count BIGINT DEFAULT 2) RETURNS STRING COMMENT 'What an order costs.' RETURN concat(item, ' x ', count)");
  const price = await catalog.tool('main.default.price', { warehouse });
  assert.equal(price.name, 'main__default__price');
  assert.equal(price.desc, 'What an order costs.');
  assert.deepEqual(price.args, {
    item: { type: 'string', description: 'What is bought.' },
    count: { type: 'integer', description: 'Default: 2', default: 2 },
  });
  assert.equal(await price.call({ item: "it's; --", count: 3 }), "it's; -- x 3");
  assert.equal(await price.call({ item: 'tea' }), 'tea x 2');
  await assert.rejects(price.call({ count: 1 }), { code: 'input', field: 'item' });

  await warehouse.execute('CREATE FUNCTION main.default.joined(words ARRAY<STRING>, day DATE) RETURNS STRING RETURN concat(array_join(words, \'+\'), \' \', day)');
  const joined = await catalog.tool('main.default.joined', { warehouse });
  assert.deepEqual(joined.args['words'], { type: 'array', items: { type: 'string' } });
  assert.equal(await joined.call({ words: ['a', "b'"], day: '2026-11-30' }), "a+b' 2026-11-30");

  await warehouse.execute('CREATE FUNCTION main.default.below(n BIGINT) RETURNS TABLE (id BIGINT) RETURN SELECT id FROM range(5) WHERE id < n ORDER BY id');
  const below = await catalog.tool('main.default.below', { warehouse });
  assert.deepEqual(await below.call({ n: 2 }), { rows: [{ id: 0 }, { id: 1 }], truncated: false });
  assert.deepEqual((await catalog.tools('main.default', { warehouse })).map(({ name }) => name).sort(), ['main__default__below', 'main__default__joined', 'main__default__price']);
}

async function agent(workspace: Workspace, warehouse: Warehouse): Promise<void> {
  const replies = [
    { next_thought: 'I need the price.', next_tool_name: 'main__default__price', next_tool_args: '{"item": "tea", "count": 4}' },
    { next_thought: 'I know it.', next_tool_name: 'finish', next_tool_args: '{}' },
    { reasoning: 'The tool says so.', answer: 'tea x 4' },
  ];
  const asked: string[] = [];
  const lm = ({ messages }: ModelRequest) => {
    asked.push(String(messages.at(-1)?.content));
    return reply(replies[asked.length - 1] ?? {});
  };
  const tools = [await new UnityCatalog(workspace).tool('main.default.price', { warehouse })];
  const { answer } = await react('question -> answer', { tools }).run({ question: 'What do four teas cost?' }, { lm });
  assert.equal(answer, 'tea x 4');
  assert.match(asked[1] ?? '', /observation_0[^]*tea x 4/);
}
