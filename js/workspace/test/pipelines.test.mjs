// Declarative pipelines, on DuckDB.
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";
import { HOME, jobsOf } from "./jobs-client.mjs";
import { DUCKDB } from "./python.mjs";
import { client, sqlClient, start, temporaryFolder } from "./support.mjs";

const PIPELINES = "/api/2.0/pipelines";
const ENDED = ["COMPLETED", "FAILED", "CANCELED"];

function pipelinesOf({ call }) {
  const create = async (name, files, more = {}) => {
    const libraries = files.map((path) => (path.endsWith("/**") ? { glob: { include: path } } : { file: { path } }));
    const { status, body } = await call("POST", PIPELINES, { name, catalog: "main", schema: "default", libraries, ...more });
    assert.equal(status, 200, JSON.stringify(body));
    return body.pipeline_id;
  };
  const startUpdate = async (id, body = {}) => (await call("POST", `${PIPELINES}/${id}/updates`, body)).body.update_id;
  const ended = async (id, update) => {
    for (;;) {
      const { state } = (await call("GET", `${PIPELINES}/${id}/updates/${update}`)).body.update;
      if (ENDED.includes(state)) return state;
      await sleep(20);
    }
  };
  const update = async (id, body) => ended(id, await startUpdate(id, body));
  const events = async (id, query = "") => (await call("GET", `${PIPELINES}/${id}/events${query}`)).body.events;
  return { create, startUpdate, ended, update, events };
}

test("pipelines", DUCKDB, async (t) => {
  const workspace = await start(t, { sql: "duckdb" });
  const { call } = workspace;
  const { rows } = sqlClient(workspace);
  const { file, put, run } = jobsOf(workspace);
  const { create, startUpdate, ended, update, events } = pipelinesOf(workspace);
  await rows("CREATE TABLE main.default.diagnostics (file STRING, code STRING, line INT)");
  await rows("INSERT INTO main.default.diagnostics VALUES ('a.py', 'E501', 1), ('a.py', 'F401', 2), ('b.py', 'F841', NULL), (NULL, 'W605', 4)");

  await t.test("datasets are made in the order of what they read, whatever the order of the files", async () => {
    await call("POST", "/api/2.0/workspace/mkdirs", { path: `${HOME}/etl/more` });
    await put("etl/gold", [
      "-- MAGIC %md # Gold",
      "CREATE OR REFRESH MATERIALIZED VIEW by_file (file STRING COMMENT 'path', n BIGINT) COMMENT 'how many' TBLPROPERTIES ('quality' = 'gold')\nCLUSTER BY AUTO AS\nSELECT s.file, count(*) FROM LIVE.silver AS s JOIN known USING (file) GROUP BY s.file",
    ].join("\n\n-- COMMAND ----------\n\n"), { language: "SQL" });
    await file("etl/more/silver.sql", `
      CREATE OR REFRESH STREAMING TABLE silver (
        CONSTRAINT has_file EXPECT (file IS NOT NULL) ON VIOLATION DROP ROW,
        CONSTRAINT has_line EXPECT (line > 0)
      ) AS SELECT file, code, line FROM STREAM(main.default.diagnostics) WHERE code NOT IN ('\${skip}');
      CREATE TEMPORARY VIEW known AS SELECT DISTINCT file FROM STREAM silver;`);
    const id = await create("docs", [`${HOME}/etl/**`], { configuration: { skip: "E501" } });
    assert.equal((await call("GET", `${PIPELINES}/${id}`)).body.state, "IDLE");
    assert.equal(await update(id), "COMPLETED", JSON.stringify(await events(id, "?filter=level%3D'ERROR'")));
    assert.deepEqual(await rows("SELECT * FROM main.default.by_file ORDER BY file"), [["a.py", "1"], ["b.py", "1"]]);
    const [progress] = (await events(id)).filter(({ details, origin }) => details?.flow_progress?.data_quality && origin.dataset_name === "main.default.silver");
    assert.deepEqual(progress.details.flow_progress.data_quality.expectations, [
      { name: "has_file", dataset: "main.default.silver", passed_records: 2, failed_records: 1 },
      { name: "has_line", dataset: "main.default.silver", passed_records: 2, failed_records: 1 },
    ]);
    assert.equal(progress.details.flow_progress.metrics.num_output_rows, 2);

    await rows("INSERT INTO main.default.diagnostics VALUES ('a.py', 'F811', 9)");
    assert.equal(await update(id, { refresh_selection: ["silver"] }), "COMPLETED");
    assert.deepEqual(await rows("SELECT n FROM main.default.by_file WHERE file = 'a.py'"), [["1"]]);
    assert.equal(await update(id, { full_refresh: true }), "COMPLETED");
    assert.deepEqual(await rows("SELECT n FROM main.default.by_file WHERE file = 'a.py'"), [["2"]]);
    const { latest_updates, spec } = (await call("GET", `${PIPELINES}/${id}`)).body;
    assert.equal(latest_updates.length, 3);
    assert.equal(spec.configuration.skip, "E501");

    await call("DELETE", `${PIPELINES}/${id}`);
    assert.equal((await call("GET", `${PIPELINES}/${id}`)).status, 404);
    await assert.rejects(rows("SELECT * FROM main.default.by_file"), /TABLE_OR_VIEW_NOT_FOUND/);
  });

  await t.test("a dataset that fails is told, and those that read it are skipped", async () => {
    await file("bad.sql", `
      CREATE MATERIALIZED VIEW good AS SELECT 1 AS x;
      CREATE MATERIALIZED VIEW bad AS SELECT y FROM good;
      CREATE MATERIALIZED VIEW later AS SELECT * FROM bad;
      CREATE MATERIALIZED VIEW strict (CONSTRAINT small EXPECT (x < 1) ON VIOLATION FAIL UPDATE) AS SELECT x FROM good;`);
    const id = await create("bad", [`${HOME}/bad.sql`]);
    assert.equal(await update(id), "FAILED");
    assert.equal((await call("GET", `${PIPELINES}/${id}`)).body.state, "FAILED");
    const errors = await events(id, "?filter=level%3D'ERROR'&order_by=timestamp%20asc");
    assert.deepEqual(errors.map(({ event_type, origin }) => [event_type, origin.dataset_name?.split(".")[2]]), [["flow_progress", "bad"], ["flow_progress", "strict"], ["update_progress", undefined]]);
    assert.match(errors[0].error.exceptions[0].message, /UNRESOLVED_COLUMN/);
    assert.match(errors[1].message, /Expectation 'small' \(x < 1\) was violated by 1 of 1 rows/);
    const skipped = (await events(id, "?filter=level%3D'WARN'")).map(({ message }) => message);
    assert.deepEqual(skipped, ["Flow 'main.default.later' is SKIPPED: 'main.default.bad', which it reads, could not be made."]);
    assert.deepEqual(await rows("SELECT * FROM main.default.good"), [["1"]]);
  });

  await t.test("sources that cannot be read fail the update, and say why", async () => {
    const sources = {
      circle: ["CREATE MATERIALIZED VIEW a AS SELECT * FROM b; CREATE MATERIALIZED VIEW b AS SELECT * FROM a", /circle: main\.default\.a, main\.default\.b/],
      twice: ["CREATE MATERIALIZED VIEW a AS SELECT 1; CREATE MATERIALIZED VIEW main.default.a AS SELECT 2", /a is defined already/],
      flow: ["CREATE OR REFRESH STREAMING TABLE a; CREATE FLOW f AS AUTO CDC INTO a FROM b KEYS (id) SEQUENCE BY t", /no query.*Flows/],
      table: ["CREATE TABLE a AS SELECT 1", /STREAMING TABLE or MATERIALIZED VIEW, not TABLE/],
      other: ["DROP TABLE x", /'DROP TABLE x' is not part/],
      live: ["CREATE MATERIALIZED VIEW a AS SELECT * FROM LIVE.nope", /LIVE\.nope is not defined/],
      variable: ["CREATE MATERIALIZED VIEW a AS SELECT '${nope}'", /\$\{nope\} has no value/],
      empty: ["-- nothing", /define no tables/],
    };
    for (const [name, [text, message]] of Object.entries(sources)) {
      await file(`${name}.sql`, text);
      const id = await create(name, [`${HOME}/${name}.sql`]);
      assert.equal(await update(id, { validate_only: true }), "FAILED", name);
      const [error] = await events(id, "?filter=level%3D'ERROR'");
      assert.match(error.error.exceptions[0].message, message);
    }
    await put("dlt", "import dlt\n@dlt.table\ndef t(): return spark.range(1)");
    const id = await create("python", [`${HOME}/dlt`, `${HOME}/nowhere.sql`]);
    assert.equal(await update(id), "FAILED");
    assert.match((await events(id, "?filter=level%3D'ERROR'"))[0].error.exceptions[0].message, /dlt' is not SQL but PYTHON/);
  });

  await t.test("a pipeline is edited, listed and found by its name", async () => {
    await file("one.sql", "CREATE MATERIALIZED VIEW one AS SELECT 1 AS x");
    const id = await create("named", [`${HOME}/one.sql`]);
    const twice = await call("POST", PIPELINES, { name: "named", catalog: "main", schema: "default" });
    assert.equal(twice.status, 409);
    assert.match(twice.body.message, /allow_duplicate_names/);
    await call("PUT", `${PIPELINES}/${id}`, { id, name: "renamed", catalog: "main", schema: "default", libraries: [] });
    const { statuses } = (await call("GET", `${PIPELINES}?filter=name%20LIKE%20'%25named%25'`)).body;
    assert.deepEqual(statuses.map(({ name, state }) => [name, state]), [["renamed", "IDLE"]]);
    const cases = [
      [{ name: "x", catalog: "main", schema: "default", continuous: true }, 501, /'continuous'/],
      [{ name: "x", catalog: "main" }, 400, /'schema' is required/],
      [{ catalog: "main", schema: "default" }, 400, /'name' is required/],
      [{ name: "x", catalog: "main", schema: "default", libraries: [{ jar: "x.jar" }] }, 501, /jar/],
      [{ name: "x", catalog: "main", schema: "default", libraries: [{ glob: { include: "/a/*.sql" } }] }, 400, /include/],
    ];
    for (const [body, status, message] of cases) {
      const reply = await call("POST", PIPELINES, body);
      assert.equal(reply.status, status);
      assert.match(reply.body.message, message);
    }
  });

  await t.test("one update at a time, and it can be stopped", async () => {
    await file("slow.sql", "CREATE MATERIALIZED VIEW slow AS SELECT count(*) AS n FROM range(100000) a CROSS JOIN range(1000000) b WHERE a.id * b.id = 7");
    const id = await create("slow", [`${HOME}/slow.sql`]);
    const first = await startUpdate(id);
    const second = await call("POST", `${PIPELINES}/${id}/updates`, {});
    assert.equal(second.status, 409);
    assert.match(second.body.message, /active update/);
    while (!(await events(id)).some(({ message }) => /slow' is RUNNING/.test(message))) await sleep(20);
    await call("POST", `${PIPELINES}/${id}/stop`);
    assert.equal(await ended(id, first), "CANCELED");
    assert.equal((await call("GET", `${PIPELINES}/${id}`)).body.state, "IDLE");
  });

  await t.test("a job runs a pipeline, and fails as it fails", async () => {
    await file("job.sql", "CREATE MATERIALIZED VIEW from_job AS SELECT 42 AS x");
    const good = await create("job", [`${HOME}/job.sql`]);
    const bad = await create("bad job", [`${HOME}/bad.sql`]);
    const seen = await run([{ task_key: "good", pipeline_task: { pipeline_id: good } }, { task_key: "bad", pipeline_task: { pipeline_id: bad, full_refresh: true } }, { task_key: "none", pipeline_task: { pipeline_id: "nope" } }]);
    assert.deepEqual(seen.results, { good: "SUCCESS", bad: "FAILED", none: "FAILED" });
    assert.match(seen.outputs.bad.error, /is FAILED: main\.default\.bad: .*UNRESOLVED_COLUMN/s);
    assert.match(seen.outputs.none.error, /pipeline nope was not found/);
    assert.deepEqual(await rows("SELECT * FROM main.default.from_job"), [["42"]]);
  });
});

test("after a kill -9 pipelines are there, and an update that was under way has failed", DUCKDB, async (t) => {
  const data = temporaryFolder(t);
  const server = fork(new URL("./server-process.mjs", import.meta.url), [data, "duckdb"]);
  const [address] = await once(server, "message");
  const before = client(address);
  await jobsOf(before).file("slow.sql", "CREATE MATERIALIZED VIEW slow AS SELECT count(*) AS n FROM range(100000) a CROSS JOIN range(1000000) b WHERE a.id * b.id = 7");
  const { create, startUpdate } = pipelinesOf(before);
  const id = await create("slow", [`${HOME}/slow.sql`]);
  const update = await startUpdate(id);
  server.kill("SIGKILL");
  await once(server, "exit");
  const after = await start(t, { data, sql: "duckdb" });
  assert.equal((await after.call("GET", `${PIPELINES}/${id}/updates/${update}`)).body.update.state, "FAILED");
  const [event] = await pipelinesOf(after).events(id);
  assert.match(event.error.exceptions[0].message, /The workspace was stopped/);
});
