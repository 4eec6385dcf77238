import { rmSync } from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { Database } from "../../database.js";
import { ApiError } from "../../http/errors.js";
import type { StoredIndex } from "../store.js";
import { IndexSearch } from "./index-search.js";
import type { Answer, Methods, Question, WorkerPlaces } from "./protocol.js";

// The thread that searches: the other end of Searcher. It reads the same SQLite file over a connection of its own.

const { file, folder } = workerData as WorkerPlaces;
// LIKE tells upper from lower case in Databricks SQL.
const db = new Database(file, "PRAGMA case_sensitive_like = ON;");
const indexes = new Map<number, IndexSearch>();

function find(index: StoredIndex): IndexSearch {
  const known = indexes.get(index.table);
  if (known) return known;
  const opened = new IndexSearch(db, index, join(folder, String(index.table)));
  indexes.set(index.table, opened);
  // One that cannot be opened is opened anew for the next who asks.
  opened.settled().catch(() => indexes.delete(index.table));
  return opened;
}

const methods: Methods = {
  async open(index) {
    await find(index).settled();
  },
  apply(index, removed) {
    return find(index).apply(removed);
  },
  async nearest(index, vector, filter, limit) {
    await find(index).ready();
    return find(index).nearest(vector, filter, limit);
  },
  async matching(index, text, columns, filter, limit) {
    await find(index).ready();
    return find(index).matching(text, columns, filter, limit);
  },
  async drop(table) {
    // A change under way finds no table any more, and ends with that.
    await indexes.get(table)?.settled().catch(() => undefined);
    indexes.delete(table);
    rmSync(join(folder, String(table)), { recursive: true, force: true });
  },
  async close() {
    for (const index of indexes.values()) index.saveIfWorthIt();
    db.close();
  },
};

parentPort?.on("message", async ({ id, method, args }: Question) => {
  const call = methods[method] as (...args: unknown[]) => Promise<unknown>;
  let answer: Answer;
  try {
    answer = { id, value: await call(...args) };
  } catch (error) {
    const known = error instanceof ApiError ? { status: error.status, code: error.code, retryAfter: error.retryAfter } : undefined;
    answer = { id, error: { message: (error as Error).message, stack: (error as Error).stack, ...(known && { known }) } };
  }
  parentPort?.postMessage(answer);
});
