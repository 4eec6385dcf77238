import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { Database } from "../database.js";
import { exists, invalid, missing } from "../http/errors.js";
import { columnName, decode, encode, fromBlob, isNumeric, toBlob, type Cell, type Row } from "./columns.js";
import type { IndexDefinition } from "./definition.js";
import { EndpointStore } from "./endpoint-store.js";
import { createTables, dropTables, prepareLayout, rowColumns } from "./layout.js";
import { Searcher } from "./searcher.js";

export interface StoredIndex extends IndexDefinition {
  id: string;
  /** The embedding model whose vectors the index holds; "" if the rows bring their own. */
  model: string;
  /** Number in the names of its tables. */
  table: number;
}

/** Databricks' limit on the indexes of one endpoint. */
const MAX_INDEXES = 50;

/**
 * Vector search endpoints, indexes and their rows in one SQLite file: the truth that everything else is made of.
 *
 * Every change is one transaction in a write-ahead log, so a killed process leaves either all of it or nothing. `search`
 * finds rows; a write is told to it before it counts as done, so that what was acknowledged is found.
 */
export class VectorStore {
  readonly endpoints: EndpointStore;
  readonly search: Searcher;
  readonly #db: Database;

  /** Opens the store in `directory`, and creates it where there is none. */
  constructor(directory: string) {
    const file = join(directory, "workspace.db");
    this.#db = new Database(file, "");
    prepareLayout(this.#db);
    this.endpoints = new EndpointStore(this.#db);
    this.search = new Searcher(file, join(directory, "search"));
    for (const index of this.indexes()) this.search.open(index);
  }

  async close(): Promise<void> {
    await this.search.close();
    this.#db.close();
  }

  // ---- indexes

  createIndex(definition: IndexDefinition, model: string): StoredIndex {
    const endpoint = this.endpoints.get(definition.endpoint);
    if (this.findIndex(definition.name)) throw exists(`Vector search index ${definition.name} already exists`);
    if (endpoint.indexes >= MAX_INDEXES) throw invalid(`Vector search endpoint ${endpoint.name} has ${MAX_INDEXES} indexes, the most it can have.`);
    this.#db.transaction(() => {
      const [added] = this.#db.all<{ number: number }>(
        "INSERT INTO indexes (name, endpoint, model, definition) VALUES (?, ?, ?, ?) RETURNING number",
        [definition.name, definition.endpoint, model, JSON.stringify({ ...definition, id: randomUUID() })],
      );
      createTables(this.#db, added?.number ?? 0, definition);
    });
    return this.index(definition.name);
  }

  index(name: string): StoredIndex {
    const found = this.findIndex(name);
    if (!found) throw missing(`Vector search index ${name} does not exist`);
    return found;
  }

  findIndex(name: string): StoredIndex | undefined {
    return this.indexes("WHERE name = ?", [name])[0];
  }

  indexes(where = "", values: string[] = []): StoredIndex[] {
    const sql = `SELECT * FROM indexes ${where} ORDER BY name`;
    const rows = this.#db.all<{ number: number; model: string; definition: string }>(sql, values);
    return rows.map(({ number, model, definition }) => ({
      ...(JSON.parse(definition) as IndexDefinition & { id: string }),
      model,
      table: number,
    }));
  }

  /** Stores a changed definition; its columns must stay what they are. */
  changeIndex({ model: _, table: __, ...definition }: StoredIndex): void {
    this.#db.run("UPDATE indexes SET definition = ? WHERE name = ?", [JSON.stringify(definition), definition.name]);
  }

  async deleteIndex(name: string): Promise<void> {
    const { table } = this.index(name);
    this.#db.transaction(() => {
      dropTables(this.#db, table);
      this.#db.run("DELETE FROM documents WHERE index_name = ?", [name]);
      this.#db.run("DELETE FROM syncs WHERE number = ?", [table]);
      this.#db.run("DELETE FROM indexes WHERE name = ?", [name]);
    });
    await this.search.drop(table);
  }

  count(index: StoredIndex): number {
    return this.#db.all<{ n: number }>(`SELECT count(*) AS n FROM rows_${index.table}`)[0]?.n ?? 0;
  }

  // ---- rows

  /**
   * Writes rows; a row with the primary key of a stored one takes its place. The digests tell a Delta Sync index later
   * which rows of its source are changed.
   */
  async upsert(index: StoredIndex, rows: Row[], digests: string[] = []): Promise<void> {
    const removed = this.#db.transaction(() => this.#write(index, rows, digests));
    await this.search.apply(index, removed);
  }

  /** Returns the row numbers that are gone. */
  #write(index: StoredIndex, rows: Row[], digests: string[] = []): number[] {
    // Of rows with one key the last counts, and only that one is written.
    const last = [...new Map(rows.map((row, i) => [this.#key(index, row[index.primaryKey]), { row, digest: digests[i] ?? null }])).values()];
    const columns = rowColumns(index);
    const cells = last.map(({ row, digest }) => [
      digest,
      ...columns.map((column) => encode(column, index.columns[column] ?? "string", row[column])),
    ]);
    const removed = this.#remove(index, columnName(index.primaryKey), last.map(({ row }) => this.#key(index, row[index.primaryKey])));
    const first = this.#lastRow(index) + 1;
    this.#db.runEach(
      `INSERT INTO rows_${index.table} (row, digest, ${columns.map(columnName).join(", ")}) VALUES (?, ?, ${columns.map(() => "?").join(", ")})`,
      cells.map((values, i) => [first + i, ...values]),
    );
    const { vectorColumn } = index;
    if (vectorColumn === undefined) return removed;
    const vectors = last.flatMap(({ row }, i) => {
      const vector = row[vectorColumn];
      return Array.isArray(vector) ? [[first + i, toBlob(vector as number[])]] : [];
    });
    this.#db.runEach(`INSERT INTO vectors_${index.table} VALUES (?, ?)`, vectors);
    return removed;
  }

  /** The highest row number ever used. */
  #lastRow(index: StoredIndex): number {
    return this.#db.all<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = ?", [`rows_${index.table}`])[0]?.seq ?? 0;
  }

  /** Deletes the rows that have one of these values in a column, and returns their numbers. */
  #remove(index: StoredIndex, column: string, values: Cell[]): number[] {
    const removed = this.#db.all<{ row: number }>(
      `DELETE FROM rows_${index.table} WHERE ${column} IN (SELECT value FROM json_each(?)) RETURNING row`,
      [JSON.stringify(values)],
    );
    const numbers = removed.map(({ row }) => row);
    this.#db.run(`DELETE FROM vectors_${index.table} WHERE row IN (SELECT value FROM json_each(?))`, [JSON.stringify(numbers)]);
    return numbers;
  }

  #key(index: StoredIndex, key: unknown): Cell {
    const type = index.columns[index.primaryKey] ?? "string";
    return encode(index.primaryKey, type, key);
  }

  /** Deletes the rows with these primary keys and returns how many there were. */
  async deleteRows(index: StoredIndex, keys: unknown[]): Promise<number> {
    const numeric = isNumeric(index.columns[index.primaryKey] ?? "string");
    const values = keys.map((key) => (numeric ? Number(key) : String(key)));
    const removed = this.#db.transaction(() => this.#remove(index, columnName(index.primaryKey), values));
    await this.search.apply(index, removed);
    return removed.length;
  }

  /** Up to `limit` rows in the order of the primary key, after the row with the key `after`; whole ones unless told. */
  scan(index: StoredIndex, limit: number, after: unknown, columns = Object.keys(index.columns)): Row[] {
    const key = columnName(index.primaryKey);
    const numeric = isNumeric(index.columns[index.primaryKey] ?? "string");
    const where = after === undefined ? "1" : `${key} > ?`;
    const values: Cell[] = after === undefined ? [] : [numeric ? Number(after) : String(after)];
    return this.#select(index, columns, `WHERE ${where} ORDER BY ${key} LIMIT ?`, [...values, limit]).map(({ row }) => row);
  }

  /** The named columns of the rows with these row numbers, by row number. */
  read(index: StoredIndex, columns: string[], numbers: number[]): Map<number, Row> {
    const found = this.#select(index, columns, "WHERE row IN (SELECT value FROM json_each(?))", [JSON.stringify(numbers)]);
    return new Map(found.map(({ number, row }) => [number, row]));
  }

  #select(index: StoredIndex, columns: string[], where: string, values: Cell[]): Array<{ number: number; row: Row }> {
    const { vectorColumn, table } = index;
    const names = columns.map((column) => (column === vectorColumn ? `vector AS ${columnName(column)}` : columnName(column)));
    const vectors = vectorColumn !== undefined && columns.includes(vectorColumn) ? `LEFT JOIN vectors_${table} USING (row)` : "";
    const found = this.#db.all<Record<string, Cell | Buffer>>(
      `SELECT ${["row", ...names].join(", ")} FROM rows_${table} ${vectors} ${where}`,
      values,
    );
    return found.map((cells) => ({
      number: cells["row"] as number,
      row: Object.fromEntries(
        columns.map((column) => {
          const value = cells[`c_${column}`] ?? null;
          if (typeof value === "object" && value !== null) return [column, [...fromBlob(value)]];
          return [column, decode(index.columns[column] ?? "string", value)];
        }),
      ),
    }));
  }

  // ---- Delta Sync

  /** The version of the source table that an index equals, once it did. */
  syncedVersion(index: StoredIndex): { version: number; committed: string } | undefined {
    return this.#db.all<{ version: number; committed: string }>("SELECT version, committed FROM syncs WHERE number = ?", [index.table])[0];
  }

  recordSync(index: StoredIndex, { version, committed }: { version: number; committed: string }): void {
    this.#db.run("INSERT OR REPLACE INTO syncs VALUES (?, ?, ?)", [index.table, version, committed]);
  }

  /** The digests of the rows with these primary keys, by key. */
  digests(index: StoredIndex, keys: unknown[]): Map<unknown, string> {
    const key = columnName(index.primaryKey);
    const found = this.#db.all<{ key: Cell; digest: string }>(
      `SELECT ${key} AS key, digest FROM rows_${index.table} WHERE ${key} IN (SELECT value FROM json_each(?)) AND digest IS NOT NULL`,
      [JSON.stringify(keys)],
    );
    return new Map(found.map(({ key: value, digest }) => [value, digest]));
  }

  /** Up to `limit` primary keys in their order, after the key `after`. */
  keys(index: StoredIndex, limit: number, after: unknown): unknown[] {
    return this.scan(index, limit, after, [index.primaryKey]).map((row) => row[index.primaryKey]);
  }

  // ---- documents of a knowledge base

  /** Content hashes of the documents that an index holds passages of. */
  documentHashes(index: StoredIndex): Map<string, string> {
    const rows = this.#db.all<{ document: string; hash: string }>(
      "SELECT document, hash FROM documents WHERE index_name = ?",
      [index.name],
    );
    return new Map(rows.map(({ document, hash }) => [document, hash]));
  }

  /** Puts the passages of one document in the place of those it had before; no passages and no hash forget it. */
  async replaceDocument(index: StoredIndex, document: string, hash: string | undefined, passages: Row[]): Promise<void> {
    const removed = this.#db.transaction(() => {
      const before = this.#remove(index, columnName("document"), [document]);
      this.#db.run("DELETE FROM documents WHERE index_name = ? AND document = ?", [index.name, document]);
      const replaced = this.#write(index, passages);
      if (hash !== undefined) this.#db.run("INSERT INTO documents VALUES (?, ?, ?)", [index.name, document, hash]);
      return [...before, ...replaced];
    });
    await this.search.apply(index, removed);
  }
}
