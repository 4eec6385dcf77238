// What a query can ask for beside the nearest rows, and Databricks' limits.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SEARCH, start } from "./support.mjs";

const V = (first, second = 0) => [first, second, ...Array(14).fill(0)];
const ROWS = [
  { id: 1, text: "red apple pie", kind: "food", price: 3, sold: true, day: "2026-01-01", v: V(1) },
  { id: 2, text: "green apple", kind: "food", price: 1.5, sold: false, day: "2026-02-01", v: V(0, 1) },
  { id: 3, text: "Red chair", kind: "thing", price: 90, sold: false, day: "2026-03-01", v: V(-1) },
  { id: 4, text: "it's a lamp", kind: null, price: 40, sold: false, day: "2026-04-01", v: V(0.9, 0.1) },
];
const SCHEMA = { id: "int", text: "string", kind: "string", price: "double", sold: "boolean", day: "date", v: "array<float>" };

test("queries of vector search", async (t) => {
  const { call } = await start(t);
  const create = (endpoint, name, { schema = SCHEMA, dimension = 16, ...more } = {}) =>
    call("POST", `${SEARCH}/endpoints/${endpoint}/indexes`, {
      name,
      index_type: "DIRECT_ACCESS",
      primary_key: "id",
      direct_access_index_spec: { embedding_vector_columns: [{ name: "v", embedding_dimension: dimension }], schema_json: JSON.stringify(schema) },
      ...more,
    });
  const query = (name, body) => call("POST", `${SEARCH}/indexes/${name}/query`, { columns: ["id"], query_vector: V(1), ...body });
  const refused = async (reply, message, status = 400) => {
    const { status: got, body } = await reply;
    assert.equal(got, status, JSON.stringify(body));
    assert.match(body.message, message);
  };
  for (const [endpoint, type] of [["std", "STANDARD"], ["opt", "STORAGE_OPTIMIZED"]]) {
    const { body } = await call("POST", `${SEARCH}/endpoints`, { name: endpoint, endpoint_type: type });
    assert.equal(body.endpoint_type, type);
    await create(endpoint, `main.q.${endpoint}`);
    await call("POST", `${SEARCH}/indexes/main.q.${endpoint}/upsert-data`, { inputs_json: JSON.stringify(ROWS) });
  }

  await t.test("filter_string: every operator", async () => {
    const cases = [
      [`kind = "food"`, "12"],
      ["kind == 'food' and price < 2", "2"],
      ["kind != 'food'", "3"],
      ["price <> 3 AND price <= 40", "24"],
      ["price > 3 AND price >= 40 AND NOT sold = true", "34"],
      ["id IN (1, 3)", "13"],
      ["id NOT IN (1, 3)", "24"],
      ["text LIKE '%apple%'", "12"],
      ["text LIKE 'red%'", "1"],
      ["text NOT LIKE '_ed%'", "24"],
      ["kind IS NULL", "4"],
      ["kind IS NOT NULL AND (id = 1 OR id = 3)", "13"],
      ["day BETWEEN '2026-02-01' AND DATE '2026-03-31'", "23"],
      ["NOT (kind = 'food' OR `kind` = 'thing')", ""],
      ["text = 'it''s a lamp'", "4"],
      [`text = "it's a lamp"`, "4"],
      ["sold = TRUE OR price = 9e1", "13"],
      ["", "1234"],
    ];
    for (const [filter_string, expected] of cases) {
      const reply = await query("main.q.opt", { filter_string });
      assert.equal(reply.status, 200, `${filter_string}: ${JSON.stringify(reply.body)}`);
      assert.equal(reply.body.result.data_array.map(([id]) => id).sort().join(""), expected, filter_string);
    }
  });

  await t.test("filter_string: faults are named", async () => {
    const cases = [
      ["colour = 1", /'colour'/],
      ["price = 'cheap'", /double/],
      ["price =", /'the end' where a value/],
      ["price < 3 AND", /'the end' where the name of a column/],
      ["(price < 3", /'the end' where \)/],
      ["price < 3 price", /'price' where AND, OR or the end/],
      ["price ! 3", /cannot be read from here on: ! 3/],
      ["v = 1", /vectors/],
      ["array_contains(text, 'x')", /array<string>/],
      ["1 = 1; DROP TABLE rows_1", /cannot be read/],
      ["(".repeat(100), /nested/],
    ];
    for (const [filter_string, message] of cases) await refused(query("main.q.opt", { filter_string }), message);
    await refused(query("main.q.opt", { filters_json: '{"id": 1}' }), /'filters_json' is for standard endpoints/);
    await refused(query("main.q.std", { filter_string: "id = 1" }), /'filter_string' is for storage-optimized endpoints/);
  });

  await t.test("facets, order, threshold, text columns, debug", async () => {
    const { body } = await query("main.q.std", { facets: ["kind", "price BUCKETS [[0, 10], [10, 50]]"], debug_level: 1 });
    assert.deepEqual(body.facet_result, {
      facet_row_count: 4,
      facet_array: [["kind", "food", "2"], ["kind", "thing", "1"], ["price", "[0, 10]", "2"], ["price", "[10, 50]", "1"]],
    });
    assert.equal(body.manifest.facet_column_count, 3);
    assert.deepEqual(Object.keys(body.debug_info), ["response_time", "ann_time", "embedding_gen_time", "reranker_time"]);
    const ids = async (more) => (await query("main.q.std", more)).body.result.data_array.map(([id]) => id).join("");
    assert.equal(await ids({ facets: ["kind TOP 1"], score_threshold: 0.9 }), "14");
    assert.equal(await ids({ sort_columns: ["sold DESC", "price"] }), "1243");
    assert.equal(await ids({ sort_columns: ["kind ASC", "price DESC"] }), "1234");
    const words = { query_type: "FULL_TEXT", query_text: "food apple" };
    assert.equal(await ids({ ...words, query_columns: ["kind"] }), "12");
    assert.equal(await ids({ ...words, query_text: "apple", query_columns: ["kind"] }), "");
  });

  await t.test("a reranker reads the named columns, and leads with what says most", async () => {
    const rerank = { query_type: "HYBRID", query_text: "furniture to sit on", reranker: { model: "databricks_reranker", parameters: { columns_to_rerank: ["text"] } } };
    const { body } = await query("main.q.std", rerank);
    assert.equal(body.result.data_array[0][0], 3);
    const old = await query("main.q.std", { ...rerank, reranker: null, columns_to_rerank: ["text"], num_results: 1 });
    assert.deepEqual(old.body.result.data_array.map(([id]) => id), [3]);
    const tuned = { model: "mine", model_type: "MODEL_TYPE_FINETUNED", parameters: { columns_to_rerank: ["text"] } };
    await refused(query("main.q.std", { ...rerank, reranker: tuned }), /finetuned/, 501);
    await refused(query("main.q.std", { ...rerank, reranker: { ...rerank.reranker, model: "mine" } }), /databricks_reranker/);
  });

  await t.test("a stopped endpoint answers no queries until it is started", async () => {
    assert.equal((await call("POST", `${SEARCH}/endpoints/std/stop`)).body.endpoint_status.state, "STOPPED");
    await refused(query("main.q.std", {}), /stopped: start it/);
    assert.equal((await call("POST", `${SEARCH}/endpoints/std/start`)).body.endpoint_status.state, "ONLINE");
    assert.equal((await query("main.q.std", {})).status, 200);
  });

  await t.test("what can be changed of endpoints and indexes", async () => {
    const std = `${SEARCH}/endpoints/std`;
    assert.equal((await call("PATCH", std, { target_qps: 20 })).body.scaling_info.requested_target_qps, 20);
    assert.deepEqual((await call("PATCH", `${std}/budget-policy`, { budget_policy_id: "p" })).body, { effective_budget_policy_id: "p" });
    assert.deepEqual((await call("PATCH", `${std}/tags`, { custom_tags: [{ key: "a" }] })).body, { custom_tags: [{ key: "a", value: "" }] });
    assert.equal((await call("GET", std)).body.custom_tags[0].key, "a");
    const index = `${SEARCH}/indexes/main.q.std`;
    assert.equal((await call("PATCH", `${index}/usage-policy`, { usage_policy_id: "u" })).body.usage_policy_id, "u");
    assert.equal((await call("PATCH", `${index}?update_mask=payload_logging_enabled`, { payload_logging_enabled: true })).body.payload_logging_enabled, true);
    assert.equal((await call("GET", index)).body.usage_policy_id, "u");
  });

  await t.test("limits", async () => {
    await refused(create("std", `main.q.${"x".repeat(129)}`), /136 characters.*128/);
    const wide = Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`c${i}`, "int"]));
    await refused(create("std", "main.q.wide", { schema: { ...wide, id: "int" } }), /53 columns.*50/);
    await refused(create("std", "main.q.high", { dimension: 4097 }), /1 to 4096/);
    await refused(create("opt", "main.q.odd", { dimension: 20 }), /is 20;.*multiple of 16/);
    await refused(query("main.q.std", { query_vector: [1, 2] }), /2 dimensions.*has 16/);
    await refused(query("main.q.std", { query_text: "x".repeat(32_765), query_type: "HYBRID" }), /32765 characters.*32764/);
    await refused(query("main.q.std", { query_text: "x ".repeat(1025), query_type: "HYBRID" }), /words.*1024/);
    await refused(query("main.q.std", { num_results: 10_001 }), /10000/);
    const many = JSON.stringify({ id: Array.from({ length: 1025 }, (_, i) => i) });
    await refused(query("main.q.std", { filters_json: many }), /more than 1024 values/);
    const rows = JSON.stringify([{ ...ROWS[0], text: "x".repeat(11 << 20) }]);
    await refused(call("POST", `${SEARCH}/indexes/main.q.std/upsert-data`, { inputs_json: rows }), /10485760/, 413);
    await refused(call("POST", `${SEARCH}/indexes/main.q.std/upsert-data`, { inputs_json: JSON.stringify([{ ...ROWS[0], v: [1] }]) }), /1 dimensions.*has 16/);
  });
});

test("AI Search v2: the recorded calls of the SDK", async (t) => {
  const { call } = await start(t);
  const base = "/api/2.0/ai-search/workspaces/1234567890123456/endpoints";
  const created = await call("POST", `${base}?endpoint_id=vs_ep`, { endpoint_type: "STANDARD" });
  assert.equal(created.body.name, "workspaces/1234567890123456/endpoints/vs_ep");
  const spec = {
    schema_json: JSON.stringify({ id: "string", content: "string" }),
    embedding_source_columns: [{ name: "content", embedding_model_endpoint: "local-embedding" }],
    embedding_vector_columns: [{ name: "v", embedding_dimension: 384 }],
  };
  const index = { primary_key: "id", index_type: "DIRECT_ACCESS", direct_access_index_spec: spec };
  const made = await call("POST", `${base}/vs_ep/indexes?index_id=main.rag.docs_index`, index);
  assert.deepEqual(made.body.direct_access_index_spec, spec);
  const path = `${base}/vs_ep/indexes/main.rag.docs_index`;
  const rows = [{ id: "d1", content: "Delta Lake stores tables." }, { id: "d2", content: "Parental leave." }];
  const written = await call("POST", `${path}:upsertData`, { inputs_json: JSON.stringify(rows) });
  assert.deepEqual(written.body, { status: "SUCCESS", result: { success_row_count: 2 } });
  const found = await call("POST", `${path}:query`, { columns: ["id", "content"], max_results: 1, query_text: "delta", query_type: "HYBRID" });
  assert.deepEqual(found.body.manifest, { column_count: 3, columns: [{ name: "id" }, { name: "content" }, { name: "score" }] });
  assert.deepEqual(found.body.result.data_array, [["d1", "Delta Lake stores tables.", 1]]);
  const page = (await call("POST", `${path}:scan`, { page_size: 1 })).body;
  assert.deepEqual([page.data[0].content, page.next_page_token], ["Delta Lake stores tables.", "d1"]);
  const last = (await call("POST", `${path}:scan`, { page_size: 2, page_token: "d1" })).body;
  assert.deepEqual([last.data.length, last.next_page_token], [1, ""]);
  assert.deepEqual((await call("POST", `${path}:removeData`, { primary_keys: ["d1"] })).body.result, { success_row_count: 1 });
  assert.match((await call("POST", `${path}:sync`, {})).body.message, /Direct Access/);
  assert.equal((await call("POST", `${path}:explode`, {})).body.error_code, "ENDPOINT_NOT_FOUND");
  const patched = await call("PATCH", `${base}/vs_ep?update_mask=targetQps,customTags`, { target_qps: 5, custom_tags: [{ key: "a", value: "b" }] });
  assert.deepEqual([patched.body.target_qps, patched.body.custom_tags], [5, [{ key: "a", value: "b" }]]);
  assert.deepEqual((await call("GET", `${base}/vs_ep/indexes`)).body.indexes.map(({ name }) => name), ["workspaces/1234567890123456/endpoints/vs_ep/indexes/main.rag.docs_index"]);
  assert.deepEqual((await call("DELETE", path)).body, {});
  assert.deepEqual((await call("DELETE", `${base}/vs_ep`)).body, {});
});
