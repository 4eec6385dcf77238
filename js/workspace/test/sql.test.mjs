// SQL statement execution on DuckDB, over HTTP as clients call it.
import assert from "node:assert/strict";
import { once } from "node:events";
import test from "node:test";
import { DUCKDB } from "./python.mjs";
import { CATALOG, client, killable, SQL, sqlClient, start, temporaryFolder } from "./support.mjs";

test("SQL statements on DuckDB", DUCKDB, async (t) => {
  const workspace = await start(t, { sql: "duckdb" });
  const { call, send } = workspace;
  const { execute, rows, failure } = sqlClient(workspace);

  await t.test("a result is told as Databricks tells it", async () => {
    const reply = await execute("SELECT 1 AS x, 'a' AS y, CAST(NULL AS DECIMAL(10,2)) AS z");
    assert.match(reply.statement_id, /^[0-9a-f]{8}-[0-9a-f]{4}-/);
    assert.deepEqual(reply.status, { state: "SUCCEEDED" });
    assert.deepEqual(reply.manifest, {
      format: "JSON_ARRAY",
      schema: {
        column_count: 3,
        columns: [
          { name: "x", type_text: "INT", type_name: "INT", position: 0 },
          { name: "y", type_text: "STRING", type_name: "STRING", position: 1 },
          { name: "z", type_text: "DECIMAL(10,2)", type_name: "DECIMAL", type_precision: 10, type_scale: 2, position: 2 },
        ],
      },
      total_chunk_count: 1,
      chunks: [{ chunk_index: 0, row_offset: 0, row_count: 1, byte_count: 16 }],
      total_row_count: 1,
      total_byte_count: 16,
      truncated: false,
    });
    assert.deepEqual(reply.result, { chunk_index: 0, row_offset: 0, row_count: 1, byte_count: 16, data_array: [["1", "a", null]] });
  });

  await t.test("every value is a string, complex ones JSON text of strings", async () => {
    const [row] = await rows(
      `SELECT true, 1.50, 1e10D, 0.1f, DATE'2024-01-02', TIMESTAMP'2024-01-02 03:04:05.123', X'1AFF',
         map('k', 1), array(1, NULL), named_struct('x', 1, 'y', array(true))`,
    );
    assert.deepEqual(row, [
      "true",
      "1.50",
      "1.0E10",
      "0.1",
      "2024-01-02",
      "2024-01-02T03:04:05.123Z",
      "Gv8=",
      '{"k":"1"}',
      '["1",null]',
      '{"x":"1","y":["true"]}',
    ]);
  });

  await t.test("the DDL of a source table runs as it is, and its changes count rows", async () => {
    const t1 = [{ name: "t", value: "main.default.docs" }];
    await rows("CREATE TABLE IF NOT EXISTS IDENTIFIER(:t) (id STRING NOT NULL, content STRING, metadata MAP<STRING,STRING>, embedding ARRAY<FLOAT>)", { parameters: t1 });
    await rows("ALTER TABLE IDENTIFIER(:t) SET TBLPROPERTIES ('delta.enableChangeDataFeed'='true', 'delta.autoOptimize.optimizeWrite'='true')", { parameters: t1 });
    assert.deepEqual(await rows("INSERT INTO main.default.docs VALUES ('1','a',map('k','v'),array(0.1,2)),('2','b',NULL,NULL)"), [["2", "2"]]);
    assert.deepEqual(await rows("UPDATE docs SET content = 'c' WHERE id = '2'"), [["1"]]);
    const merge = "MERGE INTO docs t USING (SELECT '1' AS id, 'm' AS content UNION ALL SELECT '3', 'n') s ON t.id = s.id WHEN MATCHED THEN UPDATE SET content = s.content WHEN NOT MATCHED THEN INSERT (id, content) VALUES (s.id, s.content)";
    assert.deepEqual(await rows(merge), [["2", "1", "0", "1"]]);
    assert.deepEqual(await rows("DELETE FROM default.docs WHERE id = '3'"), [["1"]]);
    assert.deepEqual(await rows("SELECT d.id, main.default.docs.content, d.metadata.k FROM main.default.docs, docs d WHERE d.id = docs.id ORDER BY 1"), [
      ["1", "m", "v"],
      ["2", "c", null],
    ]);
    assert.deepEqual(await rows("SHOW TBLPROPERTIES docs ('delta.enableChangeDataFeed')"), [["delta.enableChangeDataFeed", "true"]]);
    assert.deepEqual(await rows("INSERT OVERWRITE docs SELECT * FROM docs WHERE id = '1'"), [["1", "1"]]);
    assert.equal((await failure("INSERT INTO docs VALUES (NULL, 'x', NULL, NULL)")).sql_state, "23502");
    assert.deepEqual(await rows("SELECT count(*) FROM docs"), [["1"]]);
  });

  await t.test("parameters have the types that are asked for", async () => {
    const parameters = [{ name: "n", value: "5", type: "INT" }, { name: "d", value: "2024-02-01", type: "DATE" }, { name: "s", value: "it's" }, { name: "nul" }];
    assert.deepEqual(await rows("SELECT :n + 1, date_add(:d, 1), :s || :s, :nul", { parameters }), [["6", "2024-02-02", "it'sit's", null]]);
    const missing = await failure("SELECT :other");
    assert.equal(missing.sql_state, "42P02");
    assert.match(missing.error.message, /UNBOUND_SQL_PARAMETER.*other/);
  });

  await t.test("catalog, schema, and three levels of names", async () => {
    await rows("CREATE SCHEMA main.rag");
    await rows("CREATE CATALOG extra COMMENT 'another'");
    await rows("CREATE TABLE t AS SELECT id, id * 2 AS v FROM range(10)", { catalog: "main", schema: "rag" });
    await rows("CREATE TABLE extra.default.names (id BIGINT COMMENT 'key', name STRING)");
    await rows("INSERT INTO extra.default.names VALUES (1, 'one'), (2, 'two')");
    assert.deepEqual(await rows("SELECT n.name, t.v FROM default.names n JOIN main.rag.t ON t.id = n.id ORDER BY t.id", { catalog: "extra" }), [
      ["one", "2"],
      ["two", "4"],
    ]);
    assert.deepEqual(await rows("SHOW TABLES IN main.rag"), [["rag", "t", "false"]]);
    assert.deepEqual(await rows("DESCRIBE TABLE extra.default.names"), [["id", "bigint", "key"], ["name", "string", null]]);
    assert.deepEqual(await rows("SELECT current_catalog(), current_schema()", { catalog: "extra" }), [["extra", "default"]]);
  });

  await t.test("limits cut the result and say so", async () => {
    const cut = await execute("SELECT id FROM range(10)", { row_limit: 3 });
    assert.deepEqual(cut.result.data_array, [["0"], ["1"], ["2"]]);
    assert.equal(cut.manifest.truncated, true);
    const whole = await execute("SELECT id FROM range(10)", { row_limit: 10 });
    assert.equal(whole.manifest.truncated, false);
    const bytes = await execute("SELECT id FROM range(1000)", { byte_limit: 100 });
    assert.equal(bytes.manifest.truncated, true);
    assert.ok(bytes.manifest.total_byte_count <= 120);
    const big = await failure("SELECT repeat('x', 1000) FROM range(30000)");
    assert.match(big.error.message, /Inline byte limit exceeded.*26214400/);
  });

  await t.test("a result in chunks, inline and behind links that need no token", async () => {
    const query = "SELECT id, repeat('x', 100) AS r FROM range(100000)";
    const inline = await execute(query);
    const { total_chunk_count, chunks } = inline.manifest;
    assert.ok(total_chunk_count > 1);
    let next = inline.result.next_chunk_internal_link;
    let count = inline.result.data_array.length;
    while (next) {
      const { body } = await call("GET", next);
      assert.equal(body.row_offset, count);
      count += body.data_array.length;
      next = body.next_chunk_internal_link;
    }
    assert.equal(count, 100000);
    assert.equal(chunks.at(-1).row_offset + chunks.at(-1).row_count, 100000);

    const csv = await execute(query, { disposition: "EXTERNAL_LINKS", format: "CSV" });
    const [link] = csv.result.external_links;
    const text = await (await fetch(link.external_link)).text();
    assert.ok(text.startsWith(`id,r\r\n0,${"x".repeat(100)}\r\n`));
    assert.equal(text.length, link.byte_count);
    assert.equal((await fetch(link.external_link.replace(/signature=.*/, "signature=x"))).status, 403);
    const second = (await call("GET", link.next_chunk_internal_link)).body.external_links[0];
    assert.match(await (await fetch(second.external_link)).text(), new RegExp(`^${second.row_offset},`));

    const arrow = await execute("SELECT 1 AS x", { disposition: "EXTERNAL_LINKS", format: "ARROW_STREAM" });
    const bytes = new Uint8Array(await (await fetch(arrow.result.external_links[0].external_link)).arrayBuffer());
    assert.deepEqual([...bytes.slice(0, 4)], [255, 255, 255, 255], "the mark that Arrow streams start with");
  });

  await t.test("asynchronous statements are polled and cancelled", async () => {
    const long = "SELECT count(*) FROM range(100000000000) t WHERE t.id % 7 = 3";
    const { statement_id, status } = await execute(long, { wait_timeout: "0s" });
    assert.ok(["PENDING", "RUNNING"].includes(status.state));
    assert.deepEqual(await send("POST", `${SQL}/${statement_id}/cancel`, {}).then((r) => [r.status]), [200]);
    assert.deepEqual((await call("GET", `${SQL}/${statement_id}`)).body.status, { state: "CANCELED" });
    assert.equal((await execute(long, { wait_timeout: "5s", on_wait_timeout: "CANCEL" })).status.state, "CANCELED");
  });

  await t.test("errors of SQL are 200 FAILED with their condition and state", async () => {
    const cases = [
      ["SELECT * FROM bad_table", "42P01", /^\[TABLE_OR_VIEW_NOT_FOUND\] The table or view `bad_table` cannot be found/],
      ["SELECT * FROM main.nope.t", "42704", /SCHEMA_NOT_FOUND.*`main`\.`nope`/],
      ["SELECT * FROM nope.x.t", "42704", /NO_SUCH_CATALOG/],
      ["SELECT nope FROM docs", "42703", /UNRESOLVED_COLUMN.*nope/],
      ["SELECT foo(1)", "42883", /UNRESOLVED_ROUTINE.*foo.*DuckDB.*fetch spark/],
      ["SELECT 1 FROM", "42601", /PARSE_SYNTAX_ERROR/],
      ["SELECT 1; SELECT 2", "42601", /one call executes one statement/],
      ["SELECT 1/0", "22012", /DIVIDE_BY_ZERO/],
      ["SELECT CAST('x' AS INT)", "22018", /CAST_INVALID_INPUT/],
      ["CREATE TABLE docs (id INT)", "42P07", /ALREADY_EXISTS/],
      ["CREATE SCHEMA main.rag", "42P06", /SCHEMA_ALREADY_EXISTS/],
      ["DROP SCHEMA main.rag", "2BP01", /1 table/],
      ["SELECT hash('a')", "0A000", /DuckDB.*hash.*fetch spark/],
      ["OPTIMIZE docs", "0A000", /OPTIMIZE/],
      ["CREATE TABLE c USING csv AS SELECT 1 AS a", "0A000", /USING csv/i],
    ];
    for (const [statement, state, message] of cases) {
      const status = await failure(statement);
      assert.equal(status.sql_state, state, `${statement}: ${status.error.message}`);
      assert.equal(status.error.error_code, "BAD_REQUEST");
      assert.match(status.error.message, message);
    }
  });

  await t.test("bad requests are not statements", async () => {
    const bad = async (body) => (await call("POST", SQL, { statement: "SELECT 1", warehouse_id: "local", ...body })).body;
    assert.match((await bad({ warehouse_id: "nope" })).message, /nope does not exist.*'local'/);
    assert.match((await bad({ statement: "" })).message, /'statement' is required/);
    assert.match((await bad({ wait_timeout: "3s" })).message, /'wait_timeout'/);
    assert.match((await bad({ format: "CSV" })).message, /EXTERNAL_LINKS/);
    assert.match((await bad({ disposition: "LINK" })).message, /'disposition' must be one of/);
    assert.match((await bad({ parameters: [{ value: "1" }] })).message, /'name' is required/);
    assert.equal((await call("GET", `${SQL}/nope`)).status, 404);
  });

  await t.test("files of volumes are read where SQL names them", async () => {
    await rows("CREATE VOLUME main.default.raw");
    await send("PUT", "/api/2.0/fs/files/Volumes/main/default/raw/a.csv", "id,name\n1,x\n2,y\n");
    assert.deepEqual(await rows("SELECT * FROM read_files('/Volumes/main/default/raw/a.csv', format => 'csv', header => true) WHERE id > 1"), [["2", "y"]]);
    assert.deepEqual(await rows("SELECT id + 1, name FROM read_files('/Volumes/main/default/raw', format => 'csv', header => true, schema => 'id INT, name STRING')"), [
      ["2", "x"],
      ["3", "y"],
    ]);
    await rows("INSERT OVERWRITE DIRECTORY '/Volumes/main/default/raw/out' USING parquet SELECT id FROM range(3)");
    await rows("INSERT OVERWRITE DIRECTORY '/Volumes/main/default/raw/out' USING parquet SELECT id FROM range(5)");
    assert.deepEqual(await rows("SELECT sum(id) FROM parquet.`/Volumes/main/default/raw/out`"), [["10"]]);
    assert.match((await failure("SELECT * FROM csv.`/etc/passwd`")).error.message, /'\/etc\/passwd' is not in a volume/);
    assert.match((await failure("SELECT * FROM read_text('/etc/passwd')")).error.message, /Permission|disabled/);
    assert.equal((await failure("SELECT * FROM read_files('/Volumes/main/default/raw/b.csv')")).sql_state, "42K03");
    assert.match((await failure("SELECT * FROM read_files('/Volumes/main/default/raw/../../x.csv')")).error.message, /PATH_NOT_FOUND/);
  });

  await t.test("SQL functions of the catalog are called by their names", async () => {
    await rows("CREATE FUNCTION main.default.plus(x INT COMMENT 'n', y INT DEFAULT 1) RETURNS INT COMMENT 'adds' RETURN x + y");
    assert.deepEqual(await rows("SELECT main.default.plus(2), plus(2, 5)"), [["3", "7"]]);
    await rows("CREATE OR REPLACE FUNCTION main.default.plus(x INT) RETURNS INT RETURN x + 100");
    assert.deepEqual(await rows("SELECT plus(:n)", { parameters: [{ name: "n", value: "4", type: "INT" }] }), [["104"]]);
    await rows("CREATE FUNCTION few(n BIGINT) RETURNS TABLE (id BIGINT) RETURN SELECT id FROM range(10) WHERE id < n");
    assert.deepEqual(await rows("SELECT * FROM few(2)"), [["0"], ["1"]]);
    await rows("CREATE FUNCTION main.default.shout(s STRING, n INT) RETURNS STRING LANGUAGE PYTHON AS $$\n  import math\n  return s.upper() * n\n$$");
    assert.deepEqual(await rows("SELECT main.default.shout('a', 2), shout(id, 1) FROM VALUES ('b') AS t(id)"), [["AA", "B"]]);
    assert.match((await failure("CREATE FUNCTION bad() RETURNS INT LANGUAGE PYTHON AS $$ return ( $$")).error.message, /PYTHON_SYNTAX_ERROR/);
    await rows("DROP FUNCTION main.default.plus");
    assert.equal((await failure("SELECT main.default.plus(2)")).sql_state, "42883");
  });

  await t.test("ai_query asks the serving endpoints of the workspace", async () => {
    const [[text]] = await rows("SELECT ai_query('local-chat', 'Say hello', modelParameters => named_struct('max_tokens', 4))");
    assert.ok(text.length > 0);
    const chat = "named_struct('messages', array(named_struct('role', 'user', 'content', 'Say hello')))";
    const [[answer]] = await rows(`SELECT ai_query('local-chat', ${chat}, modelParameters => named_struct('max_tokens', 4), failOnError => false)`);
    assert.deepEqual(Object.keys(JSON.parse(answer)), ["result", "errorMessage"]);
    assert.equal(JSON.parse(answer).errorMessage, null);
    assert.deepEqual(await rows("SELECT size(from_json(ai_query('local-embedding', 'hello'), 'ARRAY<FLOAT>'))"), [["384"]]);
    assert.match((await failure("SELECT ai_query('nope', 'x')")).error.message, /AI_FUNCTION_HTTP_REQUEST_ERROR.*nope/);
    const [[failed]] = await rows("SELECT ai_query('nope', 'x', failOnError => false)");
    assert.equal(JSON.parse(failed).result, null);
    assert.match(JSON.parse(failed).errorMessage, /404.*nope/);
  });

  await t.test("the warehouse is stopped, started, and started by a statement", async () => {
    const state = async () => (await call("GET", "/api/2.0/sql/warehouses/local")).body.state;
    assert.equal((await call("GET", "/api/2.0/sql/warehouses")).body.warehouses[0].id, "local");
    assert.equal(await state(), "RUNNING");
    const running = await execute("SELECT count(*) FROM range(10000000) a, range(10000000) b", { wait_timeout: "0s" });
    assert.equal((await call("POST", "/api/2.0/sql/warehouses/local/stop", {})).status, 200);
    assert.equal(await state(), "STOPPED");
    assert.equal((await call("GET", `${SQL}/${running.statement_id}`)).body.status.state, "FAILED");
    assert.deepEqual(await rows("SELECT count(*) FROM docs"), [["1"]]);
    assert.equal(await state(), "RUNNING");
    assert.equal((await call("GET", "/api/2.0/sql/warehouses/other")).status, 404);
    assert.equal((await call("POST", "/api/2.0/sql/warehouses", { name: "x" })).status, 501);
  });
});

test("nothing acknowledged is lost when the workspace is killed", DUCKDB, async (t) => {
  const data = temporaryFolder(t);
  const first = await killable(t, data, "duckdb");
  const { rows, execute } = sqlClient(client(first));
  await rows("CREATE SCHEMA main.kept");
  await rows("CREATE TABLE main.kept.numbers (n BIGINT) TBLPROPERTIES ('delta.enableChangeDataFeed'='true')");
  await rows("CREATE FUNCTION main.kept.twice(n BIGINT) RETURNS BIGINT RETURN n * 2");
  for (let n = 0; n < 20; n++) await rows(`INSERT INTO main.kept.numbers VALUES (${n})`);
  const finished = await execute("SELECT sum(n) FROM main.kept.numbers");
  // What is under way when the kill comes was not acknowledged.
  const running = await execute("CREATE TABLE main.kept.half AS SELECT a.id FROM range(100000) a, range(100000) b", { wait_timeout: "0s" });
  first.process.kill("SIGKILL");
  await once(first.process, "exit");

  const second = await start(t, { data, sql: "duckdb" });
  const again = sqlClient(second);
  assert.deepEqual(await again.rows("SELECT count(*), sum(main.kept.twice(n)) FROM main.kept.numbers"), [["20", "380"]]);
  assert.deepEqual(await again.rows("SHOW TABLES IN main.kept"), [["kept", "numbers", "false"]]);
  assert.deepEqual(await again.rows("SHOW TBLPROPERTIES main.kept.numbers"), [["delta.enableChangeDataFeed", "true"]]);
  const read = await second.call("GET", `${SQL}/${finished.statement_id}`);
  assert.deepEqual(read.body.result.data_array, [["190"]]);
  assert.equal((await second.call("GET", `${SQL}/${running.statement_id}`)).body.status.state, "FAILED");
});

test("without an engine SQL says what to install, and the catalog works", async (t) => {
  const python = process.env.LAKELET_PYTHON;
  process.env.LAKELET_PYTHON = "/nonexistent/python";
  t.after(() => (python === undefined ? delete process.env.LAKELET_PYTHON : (process.env.LAKELET_PYTHON = python)));
  const { call } = await start(t);
  const { status, body } = await call("POST", SQL, { statement: "SELECT 1", warehouse_id: "local" });
  assert.equal(status, 501);
  assert.match(body.message, /npx lakelet-workspace fetch sql/);
  assert.equal((await call("POST", `${CATALOG}/schemas`, { catalog_name: "main", name: "early" })).status, 200);
  assert.deepEqual((await call("GET", `${CATALOG}/tables?catalog_name=main&schema_name=early`)).body, { tables: [] });
});
