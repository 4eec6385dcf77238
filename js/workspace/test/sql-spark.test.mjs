// SQL statement execution on Apache Spark, over HTTP as clients call it.
import assert from "node:assert/strict";
import { once } from "node:events";
import test from "node:test";
import { DUCKDB, SPARK } from "./python.mjs";
import { client, killable, SQL, sqlClient, start, temporaryFolder } from "./support.mjs";

test("SQL statements on Apache Spark", SPARK, async (t) => {
  const workspace = await start(t, { sql: "spark" });
  const { call, send } = workspace;
  const { execute, rows, failure } = sqlClient(workspace);

  await t.test("every value is a string, complex ones JSON text of strings", async () => {
    const reply = await execute(
      `SELECT 1 AS i, true, 1.50, 1e10D, 0.1f, DATE'2024-01-02', TIMESTAMP'2024-01-02 03:04:05.123', X'1AFF',
         map('k', 1), array(1, NULL), named_struct('x', 1, 'y', array(true)), parse_json('{"a":[1]}')`,
    );
    assert.deepEqual(reply.result.data_array, [
      ["1", "true", "1.50", "1.0E10", "0.1", "2024-01-02", "2024-01-02T03:04:05.123Z", "Gv8=", '{"k":"1"}', '["1",null]', '{"x":"1","y":["true"]}', '{"a":[1]}'],
    ]);
    assert.equal(reply.manifest.schema.columns[8].type_text, "MAP<STRING,INT>");
  });

  await t.test("results of any size go behind links", async () => {
    const query = "SELECT id, TIMESTAMP'2024-01-02 03:04:05' AS t, array(id) AS a, NULL AS n FROM range(100000) ORDER BY id DESC";
    const { manifest, result } = await execute(query, { disposition: "EXTERNAL_LINKS", format: "CSV" });
    assert.equal(manifest.total_row_count, 100000);
    const text = await (await fetch(result.external_links[0].external_link)).text();
    assert.deepEqual(text.split("\r\n").slice(0, 3), ["id,t,a,n", '99999,2024-01-02T03:04:05.000Z,"[""99999""]",null', '99998,2024-01-02T03:04:05.000Z,"[""99998""]",null']);
  });

  await t.test("the DDL of a source table runs as it is", async () => {
    const parameters = [{ name: "t", value: "main.default.docs" }];
    await rows("CREATE TABLE IF NOT EXISTS IDENTIFIER(:t) (id STRING NOT NULL COMMENT 'key', content STRING, metadata MAP<STRING,STRING>, embedding ARRAY<FLOAT>) USING DELTA", { parameters });
    await rows("ALTER TABLE IDENTIFIER(:t) SET TBLPROPERTIES ('delta.enableChangeDataFeed'='true')", { parameters });
    await rows("INSERT INTO main.default.docs VALUES ('1','a',map('k','v'),array(0.1f,2f)),('2','b',NULL,NULL)");
    assert.deepEqual(await rows("SELECT main.default.docs.id, metadata.k FROM main.default.docs ORDER BY id"), [["1", "v"], ["2", null]]);
    assert.deepEqual(await rows("SHOW TBLPROPERTIES docs"), [["delta.enableChangeDataFeed", "true"]]);
    assert.deepEqual(await rows("DESCRIBE TABLE docs"), [
      ["id", "string", "key"],
      ["content", "string", null],
      ["metadata", "map<string,string>", null],
      ["embedding", "array<float>", null],
    ]);
  });

  await t.test("rows are updated, deleted, merged and overwritten", async () => {
    assert.deepEqual(await rows("UPDATE docs SET content = upper(content) WHERE id = '2'"), [["1"]]);
    assert.deepEqual(await rows("DELETE FROM main.default.docs WHERE id = 'none'"), [["0"]]);
    const source = "(SELECT '1' AS id, 'm' AS content UNION ALL SELECT '3', 'n')";
    assert.deepEqual(
      await rows(`MERGE INTO docs t USING ${source} s ON t.id = s.id WHEN MATCHED AND s.content <> 'x' THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT * WHEN NOT MATCHED BY SOURCE THEN DELETE`),
      [["3", "1", "1", "1"]],
    );
    assert.deepEqual(await rows("SELECT id, content, metadata FROM docs ORDER BY id"), [["1", "m", '{"k":"v"}'], ["3", "n", null]]);
    const twice = await failure(`MERGE INTO docs t USING (SELECT '1' AS id UNION ALL SELECT '1') s ON t.id = s.id WHEN MATCHED THEN DELETE`);
    assert.match(twice.error.message, /MULTIPLE_SOURCE_ROW/);
    assert.deepEqual(await rows("INSERT OVERWRITE docs SELECT * FROM docs WHERE id = '1'"), [["1", "1"]]);
    await rows("CREATE OR REPLACE TABLE copy AS SELECT id, 1 AS n FROM docs");
    await rows("CREATE OR REPLACE TABLE copy AS SELECT id, n + 1 AS n FROM copy");
    assert.deepEqual(await rows("SELECT * FROM copy"), [["1", "2"]]);
    await rows("TRUNCATE TABLE copy");
    assert.deepEqual(await rows("SELECT * FROM copy"), []);
    await rows("DROP TABLE copy");
  });

  await t.test("parameters, catalogs and functions", async () => {
    const parameters = [{ name: "n", value: "5", type: "BIGINT" }, { name: "d", value: "2024-02-01", type: "DATE" }, { name: "s", value: "it's" }, { name: "nul", type: "DECIMAL(10,2)" }];
    assert.deepEqual(await rows("SELECT :n + 1, date_add(:d, 1), :s, :nul", { parameters }), [["6", "2024-02-02", "it's", null]]);
    await rows("CREATE CATALOG extra");
    await rows("CREATE SCHEMA extra.rag");
    await rows("CREATE TABLE extra.rag.t AS SELECT id, id * 2 AS v FROM range(3)");
    await rows("CREATE FUNCTION extra.rag.plus(x INT, y INT DEFAULT 1) RETURNS INT RETURN x + y");
    assert.deepEqual(await rows("SELECT extra.rag.t.v, extra.rag.plus(1), plus(2, 5) FROM extra.rag.t JOIN main.default.docs d ON d.id = t.id", { catalog: "extra", schema: "rag" }), [["2", "2", "7"]]);
    await rows("CREATE FUNCTION extra.rag.shout(s STRING) RETURNS STRING LANGUAGE PYTHON AS $$ return s.upper() $$");
    assert.deepEqual(await rows("SELECT extra.rag.shout('a'), concat(extra.rag.shout('b'), '!')"), [["A", "B!"]]);
    assert.deepEqual(await rows("SELECT v FROM rag.t WHERE id = 2", { catalog: "extra" }), [["4"]]);
    assert.match((await failure("SELECT * FROM extra.rag.nope")).error.message, /`extra`\.`rag`\.`nope` cannot be found/);
  });

  await t.test("errors are Spark's own, without its plans", async () => {
    const missing = await failure("SELECT * FROM bad_table");
    assert.equal(missing.sql_state, "42P01");
    assert.match(missing.error.message, /^\[TABLE_OR_VIEW_NOT_FOUND\] The table or view `bad_table` cannot be found[^]*SQLSTATE: 42P01$/);
    assert.doesNotMatch(missing.error.message, /UnresolvedRelation|'Project/);
    assert.equal((await failure("SELECT 1/0")).sql_state, "22012");
    assert.match((await failure("CREATE TABLE i (id BIGINT GENERATED ALWAYS AS IDENTITY)")).error.message, /identity.*--sql duckdb/i);
  });

  await t.test("files of volumes are read and written where SQL names them", async () => {
    await rows("CREATE VOLUME main.default.raw");
    await send("PUT", "/api/2.0/fs/files/Volumes/main/default/raw/a.csv", "id,name\n1,x\n2,y\n");
    assert.deepEqual(await rows("SELECT * FROM read_files('/Volumes/main/default/raw/a.csv', format => 'csv', header => true) WHERE id > 1"), [["2", "y"]]);
    await rows("INSERT OVERWRITE DIRECTORY '/Volumes/main/default/raw/out' USING parquet SELECT id FROM range(3)");
    assert.deepEqual(await rows("SELECT sum(id) FROM parquet.`/Volumes/main/default/raw/out`"), [["3"]]);
  });

  await t.test("ai_query asks the serving endpoints of the workspace", async () => {
    const [[text]] = await rows("SELECT ai_query('local-chat', content, modelParameters => named_struct('max_tokens', 4)) FROM docs");
    assert.ok(text.length > 0);
    const chat = "named_struct('messages', array(named_struct('role', 'user', 'content', 'Say hello')))";
    const [[answer]] = await rows(`SELECT ai_query('local-chat', ${chat}, modelParameters => named_struct('max_tokens', 4), failOnError => false)`);
    assert.deepEqual(Object.keys(JSON.parse(answer)), ["result", "errorMessage"]);
    assert.deepEqual(await rows("SELECT size(ai_query('local-embedding', 'hello', returnType => 'ARRAY<FLOAT>'))"), [["384"]]);
    assert.match((await failure("SELECT ai_query('nope', 'x')")).error.message, /AI_FUNCTION_HTTP_REQUEST_ERROR.*nope/);
  });

  await t.test("statements are cancelled", async () => {
    const { statement_id } = await execute("SELECT count(*) FROM range(100000) a, range(100000) b, range(1000) c WHERE a.id * b.id % 7 = c.id", { wait_timeout: "0s" });
    await call("POST", `${SQL}/${statement_id}/cancel`, {});
    assert.deepEqual((await call("GET", `${SQL}/${statement_id}`)).body.status, { state: "CANCELED" });
  });
});

test("nothing acknowledged is lost when the workspace is killed, on Spark", SPARK, async (t) => {
  const data = temporaryFolder(t);
  const first = await killable(t, data, "spark");
  const { rows, execute } = sqlClient(client(first));
  await rows("CREATE TABLE main.default.numbers AS SELECT id AS n FROM range(20)");
  await rows("UPDATE numbers SET n = n + 1 WHERE n >= 10");
  await execute("INSERT OVERWRITE numbers SELECT n FROM numbers CROSS JOIN range(100000)", { wait_timeout: "0s" });
  first.process.kill("SIGKILL");
  await once(first.process, "exit");

  const second = await start(t, { data });
  assert.deepEqual(await sqlClient(second).rows("SELECT count(*), sum(n) FROM main.default.numbers"), [["20", "200"]]);
});

test("DuckDB and Spark give the same answers", DUCKDB.skip ? DUCKDB : SPARK, async (t) => {
  const [duckdb, spark] = await Promise.all([start(t, { sql: "duckdb" }), start(t, { sql: "spark" })]);
  const { SAME } = await import("./same-answers.mjs");
  for (const statement of SAME) {
    const [one, other] = await Promise.all([duckdb, spark].map((workspace) => sqlClient(workspace).execute(statement)));
    assert.deepEqual(one.result?.data_array ?? one.status, other.result?.data_array ?? other.status, statement);
  }
});
