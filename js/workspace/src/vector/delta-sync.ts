import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { invalid } from "../http/errors.js";
import type { Row } from "./columns.js";
import { checkRow } from "./rows.js";
import type { SourceTables } from "./source-tables.js";
import type { StoredIndex, VectorStore } from "./store.js";

/** Rows that are read at a time, and rows that are embedded and written at a time. */
const READ = 1000;
const WRITE = 64;
/** Keys that are compared at a time to find rows that are gone. */
const KEYS = 1000;
/** Databricks' limits, in bytes. */
const MAX_ROW = 100 << 10;
const MAX_EMBEDDED_TEXT = 32_764;
/** How long a new index is waited for, so that a small one is ready when its request is answered. */
const FIRST_WAIT_MS = 2000;

/** Puts vectors into rows that come without one. */
export type EmbedRows = (index: StoredIndex, rows: Row[]) => Promise<void>;

/** What a Delta Sync index is doing. */
export interface SyncState {
  /** True while rows are being taken over. */
  running: boolean;
  /** Rows looked at so far, while running. */
  done: number;
  /** Why the last try ended early. */
  failure: string | undefined;
  /** The version of the source table that the index equals, once it did. */
  version: number | undefined;
  /** When that version was made, in ISO 8601. */
  committed: string | undefined;
}

/** One index that is followed. `again` if a sync was asked for while one was under way. */
interface Following extends Pick<SyncState, "running" | "done" | "failure"> {
  again: boolean;
  run: Promise<void>;
}

/**
 * Keeps Delta Sync indexes equal to their source tables: compares row by row by a digest, embeds and writes what is new
 * or changed, and deletes what is gone. A sync that is cut off goes on at the next start where it was.
 */
export class DeltaSync {
  readonly #store: VectorStore;
  readonly #tables: SourceTables;
  readonly #embedRows: EmbedRows;
  readonly #following = new Map<string, Following>();
  readonly #closing = new AbortController();
  readonly #stopListening: () => void;

  constructor(store: VectorStore, tables: SourceTables, embedRows: EmbedRows) {
    this.#store = store;
    this.#tables = tables;
    this.#embedRows = embedRows;
    this.#stopListening = tables.onCommit((table) => {
      for (const index of this.#indexes()) {
        if (index.source?.pipeline === "CONTINUOUS" && index.source.table === table) this.sync(index);
      }
    });
    for (const index of this.#indexes()) {
      if (index.source?.pipeline === "CONTINUOUS" || store.syncedVersion(index) === undefined) this.sync(index);
    }
  }

  #indexes(): StoredIndex[] {
    return this.#store.indexes().filter(({ source }) => source !== undefined);
  }

  /** Ends after the batch that is under way. */
  async close(): Promise<void> {
    this.#stopListening();
    this.#closing.abort();
    await Promise.all([...this.#following.values()].map(({ run }) => run));
  }

  /** Fills a new index; resolves when it is filled, or after two seconds. */
  async fill(index: StoredIndex): Promise<void> {
    this.sync(index);
    await Promise.race([this.#following.get(index.name)?.run, sleep(FIRST_WAIT_MS)]);
  }

  /** Starts to bring an index up to date; if that is under way, it is done once more afterwards. */
  sync(index: StoredIndex): void {
    const found = this.#following.get(index.name);
    if (found?.running) {
      found.again = true;
      return;
    }
    const following: Following = { running: true, done: 0, failure: undefined, again: false, run: Promise.resolve() };
    this.#following.set(index.name, following);
    following.run = this.#follow(index.name, following);
  }

  state(index: StoredIndex): SyncState {
    const { running = false, done = 0, failure } = this.#following.get(index.name) ?? {};
    return { running, done, failure, version: undefined, committed: undefined, ...this.#store.syncedVersion(index) };
  }

  async #follow(name: string, following: Following): Promise<void> {
    do {
      following.again = false;
      following.done = 0;
      try {
        await this.#syncOnce(name, following);
        following.failure = undefined;
      } catch (error) {
        following.failure = (error as Error).message;
      }
    } while (following.again && !this.#closing.signal.aborted);
    following.running = false;
  }

  async #syncOnce(name: string, following: Following): Promise<void> {
    const source = this.#store.index(name).source;
    if (!source) return;
    const table = await this.#tables.describe(source.table);
    if (this.#store.syncedVersion(this.#store.index(name))?.version === table.version) return;
    const seen = new Set<unknown>();
    for await (const rows of this.#tables.rows(source.table, source.columns, READ)) {
      if (this.#closing.signal.aborted) break;
      // Read anew for each batch: the index may have been deleted meanwhile, which ends the sync.
      const index = this.#store.index(name);
      await this.#takeOver(index, rows, seen);
      following.done += rows.length;
    }
    if (this.#closing.signal.aborted) return;
    const index = this.#store.index(name);
    await this.#deleteUnseen(index, seen);
    this.#store.recordSync(index, { version: table.version, committed: table.committed });
  }

  async #takeOver(index: StoredIndex, rows: Row[], seen: Set<unknown>): Promise<void> {
    const digests = rows.map((row) => createHash("sha256").update(JSON.stringify(row)).digest("base64"));
    const known = this.#store.digests(index, rows.map((row) => row[index.primaryKey]));
    const changed: Array<{ row: Row; digest: string }> = [];
    for (const [i, row] of rows.entries()) {
      const key = row[index.primaryKey];
      const digest = digests[i] ?? "";
      checkSource(row, index);
      seen.add(key);
      if (known.get(key) !== digest) changed.push({ row, digest });
    }
    for (let i = 0; i < changed.length && !this.#closing.signal.aborted; i += WRITE) {
      const part = changed.slice(i, i + WRITE);
      const written = part.map(({ row }) => row);
      if (index.embeddingEndpoint !== undefined) await this.#embedRows(index, written);
      await this.#store.upsert(index, written, part.map(({ digest }) => digest));
    }
  }

  async #deleteUnseen(index: StoredIndex, seen: Set<unknown>): Promise<void> {
    let after: unknown;
    for (;;) {
      const keys = this.#store.keys(index, KEYS, after);
      if (keys.length === 0) return;
      after = keys.at(-1);
      const gone = keys.filter((key) => !seen.has(key));
      if (gone.length > 0) await this.#store.deleteRows(index, gone);
    }
  }
}

function checkSource(row: Row, index: StoredIndex): void {
  const key = String(row[index.primaryKey]);
  const what = `Row '${key}' of ${index.source?.table}`;
  checkRow(what, row, index);
  const size = Buffer.byteLength(JSON.stringify(row));
  if (size > MAX_ROW) throw invalid(`${what} has ${size} bytes; a row of an index has up to ${MAX_ROW}.`);
  const text = index.sourceColumn === undefined ? undefined : row[index.sourceColumn];
  if (typeof text === "string" && Buffer.byteLength(text) > MAX_EMBEDDED_TEXT) {
    throw invalid(`${what} has ${Buffer.byteLength(text)} bytes in '${index.sourceColumn}'; up to ${MAX_EMBEDDED_TEXT} can be embedded.`);
  }
}
