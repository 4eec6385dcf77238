// Delta Sync indexes over tables that SQL statements write.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { DUCKDB } from "./python.mjs";
import { SEARCH, sqlClient, start, temporaryFolder } from "./support.mjs";

const TABLE = "main.default.docs";

test("Delta Sync indexes", DUCKDB, async (t) => {
  const data = temporaryFolder(t);
  const options = { sql: "duckdb", data, aliases: { "databricks-gte-large-en": "local-embedding" } };
  let workspace = await start(t, options);
  const call = (...request) => workspace.call(...request);
  const sql = (statement) => sqlClient(workspace).rows(statement);
  const create = (name, spec, more = {}) =>
    call("POST", `${SEARCH}/endpoints/${more.endpoint ?? "vs_ep"}/indexes`, {
      name,
      index_type: "DELTA_SYNC",
      primary_key: "id",
      delta_sync_index_spec: { source_table: TABLE, pipeline_type: "TRIGGERED", ...spec },
      ...more.body,
    });
  const index = async (name) => (await call("GET", `${SEARCH}/indexes/${name}`)).body;
  const query = async (name, body) => {
    const reply = await call("POST", `${SEARCH}/indexes/${name}/query`, { columns: ["id"], ...body });
    assert.equal(reply.status, 200, JSON.stringify(reply.body));
    return reply.body.result.data_array;
  };
  /** The index once this holds of it. */
  const until = async (name, holds) => {
    for (;;) {
      const found = await index(name);
      if (holds(found.status)) return found;
      await sleep(50);
    }
  };
  const content = [{ name: "content", embedding_model_endpoint_name: "databricks-gte-large-en" }];

  await call("POST", `${SEARCH}/endpoints`, { name: "vs_ep", endpoint_type: "STANDARD" });
  await call("POST", `${SEARCH}/endpoints`, { name: "vs_so", endpoint_type: "STORAGE_OPTIMIZED" });
  await sql(`CREATE TABLE ${TABLE} (id STRING NOT NULL, content STRING, stars INT, metadata MAP<STRING,STRING>, embedding ARRAY<FLOAT>)`);

  await t.test("a source table without change data feed is refused, with the statement that helps", async () => {
    const reply = await create("main.default.i", { embedding_source_columns: content });
    assert.deepEqual([reply.status, reply.body.error_code], [400, "INVALID_PARAMETER_VALUE"]);
    assert.match(reply.body.message, /change data feed.*ALTER TABLE main.default.docs SET TBLPROPERTIES \(delta.enableChangeDataFeed = true\)/);
    await sql(`ALTER TABLE ${TABLE} SET TBLPROPERTIES (delta.enableChangeDataFeed = true)`);
  });

  await sql(`INSERT INTO ${TABLE} VALUES
    ('a', 'The cat sleeps on the sofa.', 3, map('by', 'ann'), array(1.0, 0.0, 0.0, 0.0)),
    ('b', 'Quarterly revenue grew by ten percent.', 5, NULL, array(0.0, 1.0, 0.0, 0.0)),
    ('c', NULL, NULL, NULL, NULL)`);

  await t.test("managed embeddings: filled when created, and queried by text", async () => {
    const created = await create("main.default.managed", { embedding_source_columns: content, columns_to_sync: ["id", "metadata"] });
    assert.equal(created.status, 200, JSON.stringify(created.body));
    const { status, delta_sync_index_spec: spec } = await until("main.default.managed", ({ ready }) => ready);
    assert.equal(status.detailed_state, "ONLINE_NO_PENDING_UPDATE");
    assert.equal(status.indexed_row_count, 3);
    assert.equal(typeof status.triggered_update_status.last_processed_commit_version, "number");
    assert.match(spec.pipeline_id, /^[0-9a-f-]{36}$/);
    const found = await query("main.default.managed", { query_text: "How did sales develop?", columns: ["id", "content", "metadata", "__db_content_vector"] });
    assert.deepEqual(found.map(([id]) => id), ["b", "a"]);
    assert.deepEqual(found[1][2], { by: "ann" });
    assert.equal(found[0][3].length, 384);
    const missing = await call("POST", `${SEARCH}/indexes/main.default.managed/query`, { columns: ["stars"], query_text: "x" });
    assert.match(missing.body.message, /'stars'/);
  });

  await t.test("a sync takes over what was added, changed and deleted", async () => {
    const { last_processed_commit_version: before } = (await index("main.default.managed")).status.triggered_update_status;
    await sql(`INSERT INTO ${TABLE} VALUES ('d', 'A guide to gardening.', 4, NULL, array(0.0, 0.0, 1.0, 0.0))`);
    await sql(`UPDATE ${TABLE} SET content = 'Dogs bark at night.' WHERE id = 'a'`);
    await sql(`DELETE FROM ${TABLE} WHERE id = 'c'`);
    assert.equal((await index("main.default.managed")).status.indexed_row_count, 3);
    assert.deepEqual((await call("POST", `${SEARCH}/indexes/main.default.managed/sync`)).body, {});
    await until("main.default.managed", (status) => status.triggered_update_status.last_processed_commit_version > before && status.detailed_state === "ONLINE_NO_PENDING_UPDATE");
    assert.deepEqual((await query("main.default.managed", { query_text: "barking dogs" }))[0][0], "a");
    assert.deepEqual((await query("main.default.managed", { query_text: "flowers and soil" }))[0][0], "d");
    assert.equal((await index("main.default.managed")).status.indexed_row_count, 3);
  });

  await t.test("own vectors, continuous: follows each statement by itself", async () => {
    const vectors = { embedding_vector_columns: [{ name: "embedding", embedding_dimension: 4 }], pipeline_type: "CONTINUOUS" };
    await create("main.default.own", vectors);
    await until("main.default.own", ({ ready }) => ready);
    assert.deepEqual((await query("main.default.own", { query_vector: [0, 1, 0, 0] }))[0], ["b", 1]);
    await sql(`INSERT INTO ${TABLE} VALUES ('e', 'New.', 1, NULL, array(0.0, 0.0, 0.0, 1.0))`);
    await until("main.default.own", ({ indexed_row_count }) => indexed_row_count === 4);
    assert.deepEqual((await query("main.default.own", { query_vector: [0, 0, 0, 1] }))[0], ["e", 1]);
    const sync = await call("POST", `${SEARCH}/indexes/main.default.own/sync`);
    assert.match(sync.body.message, /CONTINUOUS/);
  });

  await t.test("a failing sync says why, and goes on when the table is right", async () => {
    await sql(`INSERT INTO ${TABLE} VALUES ('f', 'Short.', 1, NULL, array(1.0, 2.0))`);
    const failed = await until("main.default.own", ({ detailed_state }) => detailed_state === "ONLINE_PIPELINE_FAILED");
    assert.match(failed.status.message, /Row 'f' of main.default.docs has a vector of 2 dimensions.*has 4/);
    assert.deepEqual((await query("main.default.own", { query_vector: [0, 0, 0, 1] }))[0], ["e", 1]);
    await sql(`DELETE FROM ${TABLE} WHERE id = 'f'`);
    await until("main.default.own", ({ detailed_state }) => detailed_state === "ONLINE_NO_PENDING_UPDATE");
  });

  await t.test("FULL_TEXT has no vectors", async () => {
    await create("main.default.words", { columns_to_sync: ["content"] }, { body: { index_subtype: "FULL_TEXT" } });
    const { index_subtype } = await until("main.default.words", ({ ready }) => ready);
    assert.equal(index_subtype, "FULL_TEXT");
    assert.deepEqual((await query("main.default.words", { query_text: "gardening", query_type: "FULL_TEXT" })).map(([id]) => id), ["d"]);
    const reply = await call("POST", `${SEARCH}/indexes/main.default.words/query`, { columns: ["id"], query_text: "x", query_type: "ANN" });
    assert.match(reply.body.message, /FULL_TEXT/);
  });

  await t.test("faults are named", async () => {
    const cases = [
      [{ source_table: "main.default.none", embedding_source_columns: content }, 404, /none/],
      [{}, 400, /embedding_source_columns/],
      [{ embedding_source_columns: [{ name: "nope", embedding_model_endpoint_name: "local-embedding" }] }, 400, /'nope'/],
      [{ embedding_source_columns: [{ name: "content", embedding_model_endpoint_name: "no-model" }] }, 404, /no-model/],
      [{ embedding_vector_columns: [{ name: "content", embedding_dimension: 4 }] }, 400, /'content'.*array<float>/],
      [{ embedding_source_columns: content, columns_to_sync: ["nope"] }, 400, /'nope'/],
      [{ embedding_source_columns: content, pipeline_type: "DAILY" }, 400, /pipeline_type/],
      [{ embedding_source_columns: content, embedding_writeback_table: "a.b.c" }, 501, /writeback/],
    ];
    for (const [spec, status, message] of cases) {
      const reply = await create("main.default.faulty", spec);
      assert.equal(reply.status, status, JSON.stringify(reply.body));
      assert.match(reply.body.message, message);
    }
    const continuous = await create("main.default.so", { embedding_source_columns: content, pipeline_type: "CONTINUOUS" }, { endpoint: "vs_so" });
    assert.match(continuous.body.message, /TRIGGERED/);
    const upsert = await call("POST", `${SEARCH}/indexes/main.default.managed/upsert-data`, { inputs_json: "[]" });
    assert.match(upsert.body.message, /follows the table main.default.docs/);
  });

  await t.test("the indexes are there after a restart, and a continuous one takes over what it missed", async () => {
    await workspace.close();
    workspace = await start(t, options);
    assert.deepEqual((await query("main.default.managed", { query_text: "barking dogs" }))[0][0], "a");
    await sql(`DELETE FROM ${TABLE} WHERE id = 'e'`);
    await until("main.default.own", ({ indexed_row_count }) => indexed_row_count === 3);
    assert.deepEqual((await call("DELETE", `${SEARCH}/indexes/main.default.own`)).body, {});
  });
});
