import assert from "node:assert/strict";
import { test } from "node:test";
import { SEARCH, start } from "./support.mjs";

const INDEX = "main.rag.items";

/** An index of four dimensions whose rows bring their vectors. */
async function createItems(call) {
  await call("POST", `${SEARCH}/endpoints`, { name: "vs_ep", endpoint_type: "STANDARD" });
  const columns = { id: "string", text: "string", kind: "string", price: "int", sold: "boolean", day: "date", v: "array<float>" };
  return call("POST", `${SEARCH}/endpoints/vs_ep/indexes`, {
    name: INDEX,
    index_type: "DIRECT_ACCESS",
    primary_key: "id",
    direct_access_index_spec: { embedding_vector_columns: [{ name: "v", embedding_dimension: 4 }], schema_json: JSON.stringify(columns) },
  });
}

const ITEMS = [
  { id: "a", text: "red apple pie", kind: "food", price: 3, sold: true, day: "2026-01-01", v: [1, 0, 0, 0] },
  { id: "b", text: "green apple", kind: "food", price: 1, sold: false, day: "2026-02-01", v: [0, 1, 0, 0] },
  { id: "c", text: "red chair", kind: "thing", price: 90, sold: false, day: "2026-03-01", v: [0, 0, 1, 0] },
  { id: "d", text: "blue lamp", kind: null, price: 40, sold: false, day: "2026-04-01", v: [0.9, 0.1, 0, 0] },
];

const upsert = (call, rows) => call("POST", `${SEARCH}/indexes/${INDEX}/upsert-data`, { inputs_json: JSON.stringify(rows) });

test("vector search", async (t) => {
  const { call } = await start(t);
  const query = (body) => call("POST", `${SEARCH}/indexes/${INDEX}/query`, { columns: ["id"], query_vector: [1, 0, 0, 0], filters_json: null, filter_string: null, ...body });
  const ids = async (body) => {
    const reply = await query(body);
    assert.equal(reply.status, 200, JSON.stringify(reply.body));
    return reply.body.result.data_array.map(([id]) => id).join("");
  };

  await t.test("an endpoint is online at once, an index too", async () => {
    const created = await createItems(call);
    assert.equal(created.status, 200, JSON.stringify(created.body));
    assert.equal(created.body.status.detailed_state, "ONLINE_DIRECT_ACCESS");
    assert.equal(created.body.status.ready, true);
    const endpoint = (await call("GET", `${SEARCH}/endpoints/vs_ep`)).body;
    assert.equal(endpoint.endpoint_status.state, "ONLINE");
    assert.equal(endpoint.num_indexes, 1);
    for (const path of [`endpoints/vs_ep/indexes`, `indexes?endpoint_name=vs_ep`]) {
      assert.deepEqual((await call("GET", `${SEARCH}/${path}`)).body.vector_indexes.map(({ name }) => name), [INDEX]);
    }
    assert.equal((await createItems(call)).status, 409);
  });

  await t.test("rows are written, replaced, and their faults named", async () => {
    assert.deepEqual((await upsert(call, ITEMS)).body, { status: "SUCCESS", result: { success_row_count: 4 } });
    await upsert(call, [{ ...ITEMS[1], price: 2 }]);
    assert.equal((await call("GET", `${SEARCH}/indexes/${INDEX}`)).body.status.indexed_row_count, 4);
    const cases = [
      [[{ text: "no key", v: [1, 0, 0, 0] }], /primary key 'id'/],
      [[{ id: "x", v: [1, 0] }], /2 dimensions.*has 4/],
      [[{ id: "x" }], /vector/],
      [[{ id: "x", colour: "red", v: [1, 0, 0, 0] }], /'colour'/],
      [[ITEMS[0], { id: "x", price: "much", v: [1, 0, 0, 0] }], /'price' takes a int/],
    ];
    for (const [rows, message] of cases) {
      const reply = await upsert(call, rows);
      assert.equal(reply.status, 400);
      assert.match(reply.body.message, message);
    }
    assert.equal((await call("GET", `${SEARCH}/indexes/${INDEX}`)).body.status.indexed_row_count, 4);
  });

  await t.test("ANN: nearest first, scored 1 / (1 + d²), with the columns asked for", async () => {
    const { body } = await query({ columns: ["id", "price", "sold", "v"], num_results: 2 });
    assert.deepEqual(body.manifest.columns.map(({ name }) => name), ["id", "price", "sold", "v", "score"]);
    assert.deepEqual(body.result.data_array[0], ["a", 3, true, [1, 0, 0, 0], 1]);
    assert.equal(body.result.data_array[1][0], "d");
    assert.ok(Math.abs(body.result.data_array[1][4] - 1 / 1.02) < 1e-6);
    assert.equal(await ids({ score_threshold: 0.5 }), "ad");
  });

  await t.test("filters: every operator", async () => {
    const filtered = async (filters) => [...(await ids({ filters_json: JSON.stringify(filters) }))].sort().join("");
    assert.equal(await filtered({ kind: "food" }), "ab");
    assert.equal(await filtered({ id: ["a", "c"] }), "ac");
    assert.equal(await filtered({ "kind NOT": "food" }), "cd");
    assert.equal(await filtered({ "id NOT": ["a", "b"] }), "cd");
    assert.equal(await filtered({ "price <": 3 }), "b");
    assert.equal(await filtered({ "price <=": 3 }), "ab");
    assert.equal(await filtered({ "price >": 40 }), "c");
    assert.equal(await filtered({ "price >=": 40, sold: false }), "cd");
    assert.equal(await filtered({ "day >=": "2026-03-01" }), "cd");
    assert.equal(await filtered({ "text LIKE": "red" }), "ac");
    assert.equal(await filtered({ "text LIKE": "re" }), "");
    assert.equal(await filtered([{ "text LIKE": "%app%" }, { "price <": 3 }]), "b");
    assert.equal(await filtered({ "kind OR text": ["thing", "blue lamp"] }), "cd");
    assert.equal(await filtered({}), "abcd");
    const faults = [
      ['{"colour": "red"}', /'colour'/],
      ['{"price": "cheap"}', /int/],
      ['{"v": 1}', /vectors/],
      ['{"id": []}', /empty/],
      ['{"text <": "m"}', /text </],
      ["{", /JSON/],
    ];
    for (const [filters_json, message] of faults) {
      const reply = await query({ filters_json });
      assert.equal(reply.status, 400);
      assert.match(reply.body.message, message);
    }
    assert.equal((await query({ filter_string: "price < 3" })).status, 400);
  });

  await t.test("FULL_TEXT and HYBRID", async () => {
    assert.equal(await ids({ query_type: "FULL_TEXT", query_text: "apples?", query_vector: null }), "ba");
    assert.equal(await ids({ query_type: "full_text", query_text: '"; DROP TABLE x', query_vector: null }), "");
    const { body } = await query({ query_type: "HYBRID", query_text: "red pie" });
    assert.deepEqual(body.result.data_array[0], ["a", 1]);
    const scores = body.result.data_array.map(([, score]) => score);
    assert.ok(scores.every((score) => score > 0 && score <= 1));
    assert.equal(await ids({ query_type: "HYBRID", query_text: "red", filters_json: '{"kind": "thing"}' }), "c");
  });

  await t.test("faults of a query are named", async () => {
    const cases = [
      [{ columns: ["colour"] }, /'colour'/],
      [{ columns: undefined }, /columns/],
      [{ query_vector: [1, 0] }, /2 dimensions/],
      [{ query_vector: undefined }, /query_text/],
      [{ query_vector: undefined, query_text: "x" }, /no embedding model/],
      [{ query_type: "MAGIC" }, /query_type/],
      [{ num_results: 0 }, /num_results/],
      [{ query_type: "HYBRID", query_text: "x", num_results: 201 }, /num_results/],
      [{ reranker: { model: "databricks_reranker" } }, /columns_to_rerank/],
      [{ sort_columns: ["colour DESC"] }, /'colour' of 'sort_columns'/],
      [{ facets: ["price BUCKETS [1]"] }, /BUCKETS/],
      [{ facets: ["kind", "kind TOP 2"] }, /twice/],
    ];
    for (const [body, message] of cases) {
      const reply = await query(body);
      assert.equal(reply.status, 400, JSON.stringify(body));
      assert.match(reply.body.message, message);
    }
  });

  await t.test("scan pages through the rows in the shape of a protobuf Struct", async () => {
    const scan = async (body) => (await call("POST", `${SEARCH}/indexes/${INDEX}/scan`, body)).body;
    const first = await scan({ num_results: 3 });
    assert.equal(first.data.length, 3);
    assert.equal(first.last_primary_key, "c");
    const fields = Object.fromEntries(first.data[0].fields.map(({ key, value }) => [key, value]));
    assert.deepEqual(fields.price, { number_value: 3 });
    assert.deepEqual(fields.sold, { bool_value: true });
    assert.deepEqual(fields.v.list_value.values[0], { number_value: 1 });
    assert.equal((await scan({ num_results: 3, last_primary_key: "c" })).data.length, 1);
  });

  await t.test("long results come in pages", async () => {
    await upsert(call, Array.from({ length: 300 }, (_, i) => ({ id: `z${i}`, text: "filler", v: [0, 0, 0, 1] })));
    const first = (await query({ num_results: 250 })).body;
    assert.equal(first.result.row_count, 200);
    const next = await call("POST", `${SEARCH}/indexes/${INDEX}/query-next-page`, { page_token: first.next_page_token, endpoint_name: "vs_ep" });
    assert.equal(next.body.result.row_count, 50);
    assert.equal(next.body.next_page_token, undefined);
    const seen = new Set([...first.result.data_array, ...next.body.result.data_array].map(([id]) => id));
    assert.equal(seen.size, 250);
    assert.equal((await call("POST", `${SEARCH}/indexes/${INDEX}/query-next-page`, { page_token: "abc" })).status, 400);
  });

  await t.test("rows are deleted by keys in the body or in the query, and gone from the text too", async () => {
    const data = `${SEARCH}/indexes/${INDEX}/delete-data`;
    assert.equal((await call("DELETE", data, { primary_keys: ["a", "nope"] })).body.result.success_row_count, 1);
    assert.equal((await call("DELETE", `${data}?primary_keys=b&primary_keys=c`)).body.result.success_row_count, 2);
    assert.equal((await call("DELETE", data, {})).status, 400);
    assert.equal(await ids({ query_type: "FULL_TEXT", query_text: "apple", query_vector: null }), "");
  });

  await t.test("a missing index is a 404, an index without a spec a 400", async () => {
    const delta = { name: "a.b.c", index_type: "DELTA_SYNC", primary_key: "id", endpoint_name: "vs_ep" };
    const reply = await call("POST", `${SEARCH}/indexes`, delta);
    assert.deepEqual([reply.status, reply.body.error_code], [400, "INVALID_PARAMETER_VALUE"]);
    assert.match(reply.body.message, /delta_sync_index_spec/);
    assert.equal((await call("GET", `${SEARCH}/indexes/no.such.index`)).status, 404);
  });

  await t.test("endpoints and indexes are deleted, with an empty object as the answer", async () => {
    assert.equal((await call("DELETE", `${SEARCH}/endpoints/vs_ep`)).status, 400);
    assert.deepEqual((await call("DELETE", `${SEARCH}/indexes/${INDEX}`)).body, {});
    assert.deepEqual((await call("DELETE", `${SEARCH}/endpoints/vs_ep`)).body, {});
    assert.equal((await call("GET", `${SEARCH}/endpoints`)).body.endpoints.length, 0);
  });
});

test("an index with an embedding model embeds rows and query texts", async (t) => {
  const { call } = await start(t);
  await call("POST", `${SEARCH}/endpoints`, { name: "vs_ep", endpoint_type: "STANDARD" });
  const create = (dimension, model = "local-embedding") =>
    call("POST", `${SEARCH}/indexes`, {
      name: INDEX,
      endpoint_name: "vs_ep",
      index_type: "DIRECT_ACCESS",
      primary_key: "id",
      direct_access_index_spec: {
        schema_json: JSON.stringify({ id: "int", text: "string" }),
        embedding_vector_columns: [{ name: "v", embedding_dimension: dimension }],
        embedding_source_columns: [{ name: "text", embedding_model_endpoint_name: model }],
      },
    });
  const mixed = await create(1024);
  assert.equal(mixed.status, 400);
  assert.match(mixed.body.message, /1024.*384/);
  assert.equal((await create(384, "databricks-gte-large-en")).status, 404);
  assert.equal((await create(384)).status, 200);
  await upsert(call, [{ id: 1, text: "The cat sleeps on the sofa." }, { id: 2, text: "Quarterly revenue grew by ten percent." }]);
  const { body } = await call("POST", `${SEARCH}/indexes/${INDEX}/query`, { columns: ["id"], query_text: "How did sales develop?" });
  assert.deepEqual(body.result.data_array.map(([id]) => id), [2, 1]);
});
