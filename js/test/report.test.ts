/** Reports on a table of the local workspace. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inspect } from 'lakelet';
import { reportData, ReportGenerator, Warehouse } from 'lakelet/databricks';

import { localWorkspace, WAREHOUSE } from './local-workspace.js';
import { reply } from './support.js';

test("the study's report generator writes about a table", async (t) => {
  const warehouse = new Warehouse(await localWorkspace(t), WAREHOUSE);
  await warehouse.execute('CREATE TABLE main.default.`order lines` AS SELECT * FROM VALUES ("north", 2, array(1)), ("south", 6, NULL), ("north", 4, NULL) AS t(region, price, tags)');
  const data = await reportData(warehouse, 'main.default.order lines', { samples: 1 });
  assert.equal(data.schema, 'region STRING, price INT, tags ARRAY<INT>');
  assert.equal((JSON.parse(data.sample_points) as object[]).length, 1);
  assert.deepEqual(JSON.parse(data.summary_stats), {
    rows: 3,
    columns: { region: { min: 'north', max: 'south', distinct: '2' }, price: { min: '2', max: '6', avg: '4.0' }, tags: {} },
  });

  const lm = ({ messages }: { messages: readonly { content: unknown }[] }) => {
    const asked = String(messages.at(-1)?.content);
    if (asked.includes('[[ ## analysis_plan ## ]]`')) return reply({ reasoning: 'Prices have regions.', analysis_plan: 'Prices by region' });
    if (asked.includes('[[ ## chart_specifications ## ]]`')) return reply({ chart_specifications: 'One bar a region' });
    return reply({ report_content: asked.includes('"rows":3') ? 'Three orders.' : 'Nothing is known.' });
  };
  const report = await new ReportGenerator().run({ data, requirements: 'Prices by region' }, { lm });
  assert.deepEqual(report, { report_content: 'Three orders.', analysis_plan: 'Prices by region', charts: 'One bar a region' });
  assert.deepEqual(inspect(report).trace.map(({ name }) => name), ['data_analyzer', 'chart_generator', 'report_writer']);

  await assert.rejects(reportData(warehouse, 'main.default.nothing'), { code: 'not_found' });
});
