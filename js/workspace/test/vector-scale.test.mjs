// Indexes with so many rows that a graph is kept for them.
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { client, SEARCH, start, temporaryFolder } from "./support.mjs";

const INDEX = "main.rag.many";
const ROWS = 12_000;
const BATCH = 1000;
const DIMENSION = 16;

/** The row with this number: its vector is like that of no other, and one of its words is in no other. */
function row(id) {
  const vector = Array.from({ length: DIMENSION }, (_, i) => Math.sin(id * (i + 1) * 0.37) + Math.cos(id * (i + 3) * 0.11));
  const words = ["common", id % 2 === 0 ? "even" : "odd", `unique${id}`];
  return { id, text: words.join(" "), kind: `kind-${id % 10}`, price: id, vector };
}

async function createMany(call) {
  await call("POST", `${SEARCH}/endpoints`, { name: "vs_ep", endpoint_type: "STANDARD" });
  const columns = { id: "int", text: "string", kind: "string", price: "int", vector: "array<float>" };
  const created = await call("POST", `${SEARCH}/endpoints/vs_ep/indexes`, {
    name: INDEX,
    index_type: "DIRECT_ACCESS",
    primary_key: "id",
    direct_access_index_spec: {
      embedding_vector_columns: [{ name: "vector", embedding_dimension: DIMENSION }],
      schema_json: JSON.stringify(columns),
    },
  });
  assert.equal(created.status, 200, JSON.stringify(created.body));
}

const write = (call, from, to) => {
  const rows = Array.from({ length: to - from }, (_, i) => row(from + i));
  return call("POST", `${SEARCH}/indexes/${INDEX}/upsert-data`, { inputs_json: JSON.stringify(rows) });
};

const query = async (call, body) => {
  const reply = await call("POST", `${SEARCH}/indexes/${INDEX}/query`, { columns: ["id"], num_results: 10, ...body });
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  return reply.body.result.data_array;
};

/** Of the rows that pass a filter, the ten nearest to a vector. */
function nearest(vector, passes) {
  const distance = (other) => other.vector.reduce((sum, x, i) => sum + (x - vector[i]) ** 2, 0);
  return Array.from({ length: ROWS }, (_, id) => row(id))
    .filter(passes)
    .map((other) => [distance(other), other.id])
    .sort(([a], [b]) => a - b)
    .slice(0, 10)
    .map(([, id]) => id);
}

const SAMPLE = [17, 1234, 5678, 9999, 11_999];

/** Every row of the sample is found by its vector and by its word. */
async function findSample(call, sample = SAMPLE) {
  for (const id of sample) {
    const [[nearestId, score]] = await query(call, { query_vector: row(id).vector });
    assert.equal(nearestId, id);
    assert.ok(score > 0.9999, `score ${score}`);
    assert.equal((await query(call, { query_type: "FULL_TEXT", query_text: `unique${id}` }))[0][0], id);
  }
}

test("an index with many rows", async (t) => {
  const { call } = await start(t);
  await createMany(call);
  for (let from = 0; from < ROWS; from += BATCH) assert.equal((await write(call, from, from + BATCH)).status, 200);

  await t.test("finds every row by vector and by word as soon as its upsert is answered", () => findSample(call));

  await t.test("finds nearly what an exact search finds, with common, rare and matchless filters", async () => {
    const filters = [
      [null, () => true],
      [{ kind: "kind-3" }, ({ kind }) => kind === "kind-3"],
      [{ "price <": 40 }, ({ price }) => price < 40],
      [{ "text LIKE": "even", "price >": 6000 }, ({ id, price }) => id % 2 === 0 && price > 6000],
    ];
    for (const [filter, passes] of filters) {
      let found = 0;
      for (const id of SAMPLE) {
        const { vector } = row(id + 0.5);
        const answer = await query(call, { query_vector: vector, filters_json: filter && JSON.stringify(filter) });
        const exact = nearest(vector, passes);
        found += exact.filter((wanted) => answer.some(([got]) => got === wanted)).length;
      }
      assert.ok(found >= 48, `${JSON.stringify(filter)}: ${found} of 50`);
    }
    assert.deepEqual(await query(call, { query_vector: row(1).vector, filters_json: '{"kind": "none"}' }), []);
  });

  await t.test("ranks words and keeps to the filter when a word is in every row", async () => {
    const both = { query_type: "FULL_TEXT", query_text: "common unique77 odd" };
    assert.equal((await query(call, both))[0][0], 77);
    const some = await query(call, { ...both, query_text: "common", filters_json: '{"price >=": 11990}' });
    assert.deepEqual(some.map(([id]) => id).sort((a, b) => a - b), Array.from({ length: 10 }, (_, i) => 11_990 + i));
    const hybrid = await query(call, { query_type: "HYBRID", query_vector: row(4321).vector, query_text: "unique4321" });
    assert.deepEqual(hybrid[0], [4321, 1]);
  });

  await t.test("forgets what is deleted or replaced", async () => {
    await call("DELETE", `${SEARCH}/indexes/${INDEX}/delete-data`, { primary_keys: [17] });
    assert.notEqual((await query(call, { query_vector: row(17).vector }))[0][0], 17);
    assert.deepEqual(await query(call, { query_type: "FULL_TEXT", query_text: "unique17" }), []);
    const moved = { ...row(18), text: "moved", vector: row(50_000).vector };
    await call("POST", `${SEARCH}/indexes/${INDEX}/upsert-data`, { inputs_json: JSON.stringify([moved]) });
    assert.equal((await query(call, { query_vector: row(50_000).vector }))[0][0], 18);
    assert.deepEqual(await query(call, { query_type: "FULL_TEXT", query_text: "unique18" }), []);
  });
});

test("what was acknowledged is found again after kill -9, by vector and by word", async (t) => {
  const data = temporaryFolder(t);
  const startServer = async () => {
    const server = fork(new URL("./server-process.mjs", import.meta.url), [data]);
    const [address] = await once(server, "message");
    return { server, ...client(address) };
  };
  const kill = async (server) => {
    server.kill("SIGKILL");
    await once(server, "exit");
  };

  const first = await startServer();
  await createMany(first.call);
  let acknowledged = 0;
  for (; acknowledged < ROWS; acknowledged += BATCH) await write(first.call, acknowledged, acknowledged + BATCH);
  // Killed with a write under way that may or may not have been kept.
  const cut = write(first.call, ROWS, ROWS + BATCH).catch(() => undefined);
  await kill(first.server);
  await cut;

  const second = await startServer();
  await findSample(second.call);
  const { indexed_row_count } = (await second.call("GET", `${SEARCH}/indexes/${INDEX}`)).body.status;
  assert.ok(indexed_row_count === ROWS || indexed_row_count === ROWS + BATCH, `${indexed_row_count} rows`);
  await second.call("DELETE", `${SEARCH}/indexes/${INDEX}/delete-data`, { primary_keys: [5678] });
  await write(second.call, 70_000, 70_001);
  await kill(second.server);

  const third = await start(t, { data });
  await findSample(third.call, [17, 11_999, 70_000]);
  assert.notEqual((await query(third.call, { query_vector: row(5678).vector }))[0][0], 5678);
});
