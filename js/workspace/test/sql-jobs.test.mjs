// Jobs and pipelines that run SQL, on DuckDB.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DUCKDB } from "./python.mjs";
import { HOME, jobsOf } from "./jobs-client.mjs";
import { SQL, sqlClient, start } from "./support.mjs";

const WAREHOUSE = { warehouse_id: "local" };

test("SQL tasks", DUCKDB, async (t) => {
  const workspace = await start(t, { sql: "duckdb" });
  const { call } = workspace;
  const { rows } = sqlClient(workspace);
  const { file, put, run } = jobsOf(workspace);

  await t.test("the statements of a file run one after the other, with the job's parameters", async () => {
    await file("etl.sql", "CREATE TABLE main.default.codes (code STRING, n INT); -- a comment; with a semicolon\nINSERT INTO main.default.codes VALUES ('E501;', 1), (:code, 2);");
    const sql_task = { ...WAREHOUSE, file: { path: `${HOME}/etl.sql`, source: "WORKSPACE" }, parameters: { code: "F401" } };
    const seen = await run([{ task_key: "etl", sql_task }]);
    assert.equal(seen.state.result_state, "SUCCESS", JSON.stringify(seen.outputs));
    assert.equal(seen.outputs.etl.sql_output.query_output.sql_statements.length, 2);
    assert.deepEqual(await rows("SELECT * FROM main.default.codes ORDER BY n"), [["E501;", "1"], ["F401", "2"]]);
  });

  await t.test("a saved query runs by its id, and its result is that of a statement", async () => {
    const query = { display_name: "count", query_text: "SELECT count(*) FROM codes WHERE code <> :skip", warehouse_id: "local" };
    const { body } = await call("POST", "/api/2.0/sql/queries", { query });
    await call("PATCH", `/api/2.0/sql/queries/${body.id}`, { query: { display_name: "counted" }, update_mask: "display_name" });
    assert.deepEqual((await call("GET", "/api/2.0/sql/queries")).body.results.map(({ display_name }) => display_name), ["counted"]);
    const seen = await run([{ task_key: "q", sql_task: { ...WAREHOUSE, query: { query_id: body.id }, parameters: { skip: "F401" } } }]);
    const [{ lookup_key }] = seen.outputs.q.sql_output.query_output.sql_statements;
    const { external_links } = (await call("GET", `${SQL}/${lookup_key}/result/chunks/0`)).body;
    assert.deepEqual(await (await fetch(external_links[0].external_link)).json(), [["1"]]);
    await call("DELETE", `/api/2.0/sql/queries/${body.id}`);
    assert.equal((await call("GET", `/api/2.0/sql/queries/${body.id}`)).status, 404);
  });

  await t.test("SQL cells of notebooks run on the warehouse", async () => {
    await put("mixed", "rows = 0\n\n# COMMAND ----------\n\n# MAGIC %sql\n# MAGIC SELECT n FROM main.default.codes ORDER BY n;\n# MAGIC SELECT max(n) FROM main.default.codes\n\n# COMMAND ----------\n\ndbutils.notebook.exit(_sqldf[0][0])");
    await put("pure", "INSERT INTO main.default.codes VALUES ('W605', 3)", { language: "SQL" });
    const notebook = (task_key, name, more) => ({ task_key, notebook_task: { notebook_path: `${HOME}/${name}` }, ...more });
    const seen = await run([notebook("mixed", "mixed", { depends_on: [{ task_key: "pure" }] }), notebook("pure", "pure")]);
    assert.equal(seen.outputs.mixed.error, undefined);
    assert.equal(seen.outputs.mixed.notebook_output.result, "3");
    assert.equal(seen.outputs.mixed.logs, "1\n2\n3\n3\n");
  });

  await t.test("what the engine refuses is the error of the task", async () => {
    await file("bad.sql", "SELECT * FROM main.default.nowhere");
    await put("spark", "spark.range(1).count()");
    const sql = (task_key, task) => ({ task_key, sql_task: task });
    const seen = await run([
      sql("bad", { ...WAREHOUSE, file: { path: `${HOME}/bad.sql` } }),
      sql("lost", { ...WAREHOUSE, file: { path: `${HOME}/lost.sql` } }),
      sql("query", { ...WAREHOUSE, query: { query_id: "nope" } }),
      { task_key: "spark", notebook_task: { notebook_path: `${HOME}/spark` } },
      sql("warehouse", { warehouse_id: "abc", file: { path: `${HOME}/bad.sql` } }),
    ]);
    assert.match(seen.outputs.bad.error, /TABLE_OR_VIEW_NOT_FOUND.*nowhere/s);
    assert.match(seen.outputs.lost.error, /lost\.sql/);
    assert.match(seen.outputs.spark.error, /DuckDB, which has no Spark|needs PySpark with Spark Connect/);
    assert.match(seen.outputs.query.error, /Query nope does not exist/);
    assert.match(seen.outputs.warehouse.error, /warehouse abc does not exist/);
    assert.equal((await call("POST", "/api/2.2/jobs/runs/submit", { tasks: [sql("a", { ...WAREHOUSE })] })).status, 400);
  });
});
