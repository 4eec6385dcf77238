import { setImmediate as otherWork } from "node:timers/promises";
import type { Database } from "../../database.js";
import { unavailable } from "../../http/errors.js";
import { columnName, fromBlob, toBlob } from "../columns.js";
import { everything, type Condition } from "../filters/condition.js";
import { searchable } from "../layout.js";
import type { StoredIndex } from "../store.js";
import { addFilterIndexes } from "./filter-indexes.js";
import { FilteredRows } from "./filtered-rows.js";
import type { Hit } from "./hits.js";
import { loadSnapshot, saveSnapshot } from "./snapshot.js";
import { TextIndex } from "./text-index.js";
import { VectorGraph } from "./vector-graph.js";

/** Up to this many vectors are compared one by one: 8 ms for 5,000 of 384 dimensions. Beyond, a graph is kept. */
const EXACT_ROWS = 5_000;
/** Candidates that are sought in the graph at least: the more, the surer is it that the nearest are among them. */
const CANDIDATES = 256;
/** Candidates beyond the rows of the answer that are put in their exact order. */
const SURPLUS = 32;
/** How many times as many candidates are looked through for a filter as should do. */
const SPARE = 1.3;
/** Beyond so many candidates, or as many as there are rows that pass the filter, all that pass are compared instead. */
const MAX_CANDIDATES = 16_384;
/** Rows that are read and added at a time: what a query waits for at most while rows are written. */
const BATCH = 128;
/** A query that would wait for more rows than this is told to come again. */
const MAX_WAIT_ROWS = 20_000;
/** Rows that tell how large the components of the vectors are. */
const SAMPLE = 1000;
/** Unsaved changes, as a share of the rows, that a snapshot is made for at once, and after a pause in the writing. */
const UNSAVED_SHARE = 0.5;
const UNSAVED_SHARE_AT_REST = 0.02;
const REST_MS = 10_000;

/**
 * The search structures of one index: words and, where there are many rows, a graph of the vectors.
 *
 * They are made of the rows in SQLite and can be made again at any time. A snapshot on disk spares most of that at the
 * next start; `open` then drops the rows that are gone and reads those that are new.
 */
export class IndexSearch {
  readonly #db: Database;
  readonly #index: StoredIndex;
  readonly #folder: string;
  readonly #columns: string[];
  readonly #filtered: FilteredRows;
  #text: TextIndex;
  /** The graph that is searched, and the one that rows are added to: another one while it is made for the first time. */
  #graph: VectorGraph | undefined;
  #growing: VectorGraph | undefined;
  #unsaved = 0;
  #pause: NodeJS.Timeout | undefined;
  /** Changes come one after the other. */
  #turn: Promise<void>;
  #isOpen = false;
  #hasFilterIndexes = false;

  constructor(db: Database, index: StoredIndex, folder: string) {
    this.#db = db;
    this.#index = index;
    this.#folder = folder;
    this.#columns = searchable(index);
    this.#filtered = new FilteredRows(db, `rows_${index.table}`);
    this.#text = new TextIndex(this.#columns);
    this.#turn = this.#open();
    // A failure is told to those who wait for it.
    this.#turn.catch(() => undefined);
  }

  async #open(): Promise<void> {
    const snapshot = loadSnapshot(this.#folder, this.#index.dimension);
    if (snapshot) {
      this.#text = new TextIndex(this.#columns, snapshot.text);
      this.#graph = snapshot.graph;
      this.#forgetGone();
    }
    await this.#catchUp();
    this.#isOpen = true;
  }

  /** Drops the rows that were deleted after the snapshot was made. */
  #forgetGone(): void {
    const [found] = this.#db.all<{ numbers: string }>(`SELECT json_group_array(row) AS numbers FROM rows_${this.#index.table}`);
    const live = new Set(JSON.parse(found?.numbers ?? "[]") as number[]);
    for (const row of this.#text.rows) if (!live.has(row)) this.#text.remove(row);
    for (const row of this.#graph?.rows ?? []) if (!live.has(row)) this.#graph?.remove(row);
  }

  /**
   * Takes over what was written: the rows that are gone, and those that are new in SQLite. Resolves when they are found,
   * or at once while the index is still being opened: then a query waits for them.
   */
  async apply(removed: number[]): Promise<void> {
    const isOpen = this.#isOpen;
    const turn = this.#turn.then(async () => {
      for (const row of removed) {
        this.#text.remove(row);
        this.#graph?.remove(row);
      }
      this.#unsaved += removed.length;
      await this.#catchUp();
    });
    this.#turn = turn.catch(() => undefined);
    if (isOpen) await turn;
  }

  async #catchUp(): Promise<void> {
    while (this.#addTexts()) await otherWork();
    if (this.#text.rows.size > EXACT_ROWS && !this.#hasFilterIndexes) {
      addFilterIndexes(this.#db, this.#index);
      this.#hasFilterIndexes = true;
    }
    this.#growing = this.#graph ?? (this.#hasManyVectors() ? this.#newGraph() : undefined);
    while (this.#growing && this.#addVectors(this.#growing)) await otherWork();
    this.#graph = this.#growing;
    this.#saveAtTimes();
  }

  /** Adds the next rows to the graph that grows; false if there are none. */
  #addVectors(graph: VectorGraph): boolean {
    const rows = this.#readVectors(graph.last, BATCH);
    const vectors = rows.map(({ vector }) => fromBlob(vector));
    if (graph.isExceededBy(vectors)) this.#growing = this.#newGraph(vectors);
    else graph.add(rows.map(({ row }) => row), vectors);
    return rows.length > 0;
  }

  /** Adds the next rows to the words; false if there are none. */
  #addTexts(): boolean {
    const names = this.#columns.map(columnName);
    const rows = this.#db.all<Record<string, string | number | null>>(
      `SELECT ${["row", ...names].join(", ")} FROM rows_${this.#index.table} WHERE row > ? ORDER BY row LIMIT ?`,
      [this.#text.last, BATCH],
    );
    for (const row of rows) {
      this.#text.add(row["row"] as number, this.#columns.map((column) => [column, row[`c_${column}`] as string | null]));
    }
    this.#unsaved += rows.length;
    return rows.length > 0;
  }

  #readVectors(after: number, limit: number): Array<{ row: number; vector: Buffer }> {
    return this.#db.all(`SELECT row, vector FROM vectors_${this.#index.table} WHERE row > ? ORDER BY row LIMIT ?`, [after, limit]);
  }

  #hasManyVectors(): boolean {
    const sql = `SELECT count(*) AS n FROM (SELECT 1 FROM vectors_${this.#index.table} LIMIT ?)`;
    return (this.#db.all<{ n: number }>(sql, [EXACT_ROWS + 1])[0]?.n ?? 0) > EXACT_ROWS;
  }

  /** An empty graph for vectors like the first ones of the index, and like these. */
  #newGraph(more: Float32Array[] = []): VectorGraph {
    const sample = this.#readVectors(0, SAMPLE).map(({ vector }) => fromBlob(vector));
    return VectorGraph.for(this.#index.dimension, [...sample, ...more]);
  }

  /** Waits until all rows are in, unless that takes long. */
  async ready(): Promise<void> {
    if (this.#isOpen) return;
    const [last] = this.#db.all<{ row: number | null }>(`SELECT max(row) AS row FROM rows_${this.#index.table}`);
    const behind = (last?.row ?? 0) - (this.#growing ?? this.#graph ?? this.#text).last;
    if (behind > MAX_WAIT_ROWS) {
      throw unavailable(`Index ${this.#index.name} is being read from disk: ${behind} rows to go.`, Math.min(60, Math.ceil(behind / 5000)));
    }
    await this.#turn;
  }

  /** The rows nearest to a vector, nearest first. The score is 1 / (1 + d²), d being the Euclidean distance. */
  nearest(vector: number[], filter: Condition, limit: number): Hit[] {
    const graph = this.#graph;
    if (!graph) return this.#nearestOf(filter, vector, limit);
    const query = Float32Array.from(vector);
    const enough = limit + SURPLUS;
    const exact = (rows: number[]) => this.#nearestAmong(rows, vector, limit);
    if (filter.sql === everything.sql) return exact(graph.nearest(query, Math.max(CANDIDATES, enough)).slice(0, enough));
    const passing = this.#filtered.find(filter);
    // So many candidates have enough among them that pass, if the filter has nothing to do with the query.
    const expected = Math.ceil((SPARE * enough * graph.rows.size) / passing.size);
    const most = Math.min(MAX_CANDIDATES, passing.size);
    for (let count = Math.max(CANDIDATES, expected); count < most; count *= 2) {
      const rows = graph.nearest(query, count).filter((row) => passing.has(row));
      if (rows.length >= enough) return exact(rows.slice(0, enough));
    }
    return exact([...passing]);
  }

  /** Compares the vectors of these rows. */
  #nearestAmong(rows: number[], vector: number[], limit: number): Hit[] {
    return this.#compare("row IN (SELECT value FROM json_each(?))", [JSON.stringify(rows)], vector, limit);
  }

  /** Compares the vectors of all rows that pass the filter. */
  #nearestOf(filter: Condition, vector: number[], limit: number): Hit[] {
    if (filter.sql === everything.sql) return this.#compare(filter.sql, [], vector, limit);
    return this.#compare(`row IN (SELECT row FROM rows_${this.#index.table} WHERE ${filter.sql})`, filter.values, vector, limit);
  }

  #compare(where: string, values: Array<string | number>, vector: number[], limit: number): Hit[] {
    const hits = this.#db.all<{ row: number; d: number }>(
      `SELECT row, vector_distance_l2(vector, ?) AS d FROM vectors_${this.#index.table} WHERE ${where} ORDER BY d, row LIMIT ?`,
      [toBlob(vector), ...values, limit],
    );
    return hits.map(({ row, d }) => ({ row, score: 1 / (1 + d * d) }));
  }

  /** The rows that share words with a text, best first, ranked by BM25. The score is s / (1 + s) of the BM25 score s. */
  matching(text: string, columns: string[] | undefined, filter: Condition, limit: number): Hit[] {
    const passing = filter.sql === everything.sql ? undefined : this.#filtered.find(filter);
    const hits = this.#text.matching(text, columns, limit, passing);
    return hits.map(({ row, score }) => ({ row, score: score / (1 + score) }));
  }

  /** Saves when much has changed, or when something has and nothing more comes for a while. */
  #saveAtTimes(): void {
    clearTimeout(this.#pause);
    if (this.#unsaved > this.#text.rows.size * UNSAVED_SHARE) this.#save();
    else this.#pause = setTimeout(() => this.saveIfWorthIt(), REST_MS).unref();
  }

  /** Saves unless making the changes again at the next start is quicker. */
  saveIfWorthIt(): void {
    if (this.#unsaved > this.#text.rows.size * UNSAVED_SHARE_AT_REST) this.#save();
  }

  /** Writes a snapshot of all that is in by now. A small index needs none. */
  #save(): void {
    clearTimeout(this.#pause);
    if (this.#text.rows.size <= EXACT_ROWS) return;
    saveSnapshot(this.#folder, { text: this.#text.snapshot(), graph: this.#graph });
    this.#unsaved = 0;
  }

  /** Waits for the change that is under way. */
  async settled(): Promise<void> {
    await this.#turn;
  }
}
