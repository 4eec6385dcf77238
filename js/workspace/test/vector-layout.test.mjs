// A store that an earlier version wrote: vectors and FTS5 tables beside the rows.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import Database from "libsql";
import { SEARCH, start, temporaryFolder } from "./support.mjs";

const DEFINITION = {
  name: "main.old.items",
  endpoint: "old",
  primaryKey: "id",
  columns: { id: "string", text: "string", v: "array<float>" },
  vectorColumn: "v",
  dimension: 2,
  spec: { schema_json: "{}" },
};

function writeOldStore(folder) {
  const db = new Database(join(folder, "workspace.db"));
  db.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE endpoints (name TEXT PRIMARY KEY, id TEXT NOT NULL, created INTEGER NOT NULL);
    CREATE TABLE indexes (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE NOT NULL,
      endpoint TEXT NOT NULL REFERENCES endpoints (name), model TEXT NOT NULL, definition TEXT NOT NULL);
    CREATE TABLE documents (index_name TEXT NOT NULL, document TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (index_name, document));
    CREATE TABLE rows_1 (row INTEGER PRIMARY KEY, "c_id" TEXT UNIQUE NOT NULL, "c_text" TEXT, "c_v" BLOB);
    CREATE VIRTUAL TABLE text_1 USING fts5("c_text", content = 'rows_1', content_rowid = 'row', tokenize = 'porter unicode61');
    CREATE TRIGGER insert_1 AFTER INSERT ON rows_1 BEGIN INSERT INTO text_1 (rowid, "c_text") VALUES (new.row, new."c_text"); END;
    CREATE TRIGGER delete_1 AFTER DELETE ON rows_1 BEGIN INSERT INTO text_1 (text_1, rowid, "c_text") VALUES ('delete', old.row, old."c_text"); END;`);
  db.prepare("INSERT INTO endpoints VALUES ('old', 'e1', 1)").run();
  db.prepare("INSERT INTO indexes (name, endpoint, model, definition) VALUES (?, 'old', '', ?)").run([DEFINITION.name, JSON.stringify(DEFINITION)]);
  const insert = db.prepare('INSERT INTO rows_1 ("c_id", "c_text", "c_v") VALUES (?, ?, ?)');
  for (const [id, text, vector] of [["a", "a red apple", [1, 0]], ["b", "a blue lamp", [0, 1]]]) {
    insert.run([id, text, Buffer.from(Float32Array.from(vector).buffer)]);
  }
  db.close();
}

test("a store of the layout before is taken over with its rows", async (t) => {
  const data = temporaryFolder(t);
  writeOldStore(data);
  const { call } = await start(t, { data });
  const index = `${SEARCH}/indexes/${DEFINITION.name}`;
  const { status, index_type, endpoint_id } = (await call("GET", index)).body;
  assert.deepEqual([status.indexed_row_count, index_type, endpoint_id], [2, "DIRECT_ACCESS", "e1"]);
  const query = async (body) => (await call("POST", `${index}/query`, { columns: ["id", "v"], ...body })).body.result.data_array;
  assert.deepEqual(await query({ query_vector: [1, 0], num_results: 1 }), [["a", [1, 0], 1]]);
  assert.equal((await query({ query_text: "lamps", query_type: "FULL_TEXT" }))[0][0], "b");
  await call("POST", `${index}/upsert-data`, { inputs_json: '[{"id": "a", "text": "a chair", "v": [1, 1]}]' });
  assert.deepEqual(await query({ query_vector: [1, 1], num_results: 1 }), [["a", [1, 1], 1]]);
});
