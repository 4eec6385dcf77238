import { randomUUID } from "node:crypto";
import type { Database } from "../database.js";
import { columnName, sqlType } from "./columns.js";
import type { IndexDefinition } from "./definition.js";

/** The number that a store of this layout carries; 0 is the one before, with vectors and FTS5 tables beside the rows. */
const VERSION = 1;

/**
 * The tables of the store: endpoints, indexes, the documents of a knowledge base, and two tables for each index.
 *
 * `rows_N` holds the columns, `vectors_N` the vectors: apart, so that a filter reads no vectors. Row numbers are never
 * used twice: a row that is written anew gets a new number, so that a number always means the same content. The search
 * structures rely on it.
 */
export function prepareLayout(db: Database): void {
  db.execute(`
    CREATE TABLE IF NOT EXISTS endpoints (name TEXT PRIMARY KEY, id TEXT NOT NULL, created INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS indexes (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE NOT NULL,
      endpoint TEXT NOT NULL REFERENCES endpoints (name), model TEXT NOT NULL, definition TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS documents (index_name TEXT NOT NULL, document TEXT NOT NULL, hash TEXT NOT NULL,
      PRIMARY KEY (index_name, document));
    CREATE TABLE IF NOT EXISTS syncs (number INTEGER PRIMARY KEY, version INTEGER NOT NULL, committed TEXT NOT NULL);`);
  db.transaction(() => {
    const found = db.all<{ user_version: number }>("PRAGMA user_version")[0]?.user_version ?? 0;
    if (found >= VERSION) return;
    db.execute("ALTER TABLE endpoints ADD COLUMN settings TEXT NOT NULL DEFAULT '{}'");
    for (const { number, definition } of db.all<{ number: number; definition: string }>("SELECT * FROM indexes")) {
      separateVectors(db, number, JSON.parse(definition) as Omit<IndexDefinition, "type" | "subtype">);
    }
    db.execute(`PRAGMA user_version = ${VERSION}`);
  });
}

/** Brings an index of the layout before to this one; its rows stay. */
function separateVectors(db: Database, number: number, before: Omit<IndexDefinition, "type" | "subtype">): void {
  const definition: IndexDefinition = { type: "DIRECT_ACCESS", subtype: "HYBRID", ...before };
  const names = rowColumns(definition).map(columnName).join(", ");
  const vector = columnName(definition.vectorColumn ?? "");
  db.execute(`
    DROP TRIGGER IF EXISTS insert_${number}; DROP TRIGGER IF EXISTS delete_${number}; DROP TABLE IF EXISTS text_${number};
    ALTER TABLE rows_${number} RENAME TO old_${number};`);
  createTables(db, number, definition);
  db.execute(`
    INSERT INTO rows_${number} (row, ${names}) SELECT row, ${names} FROM old_${number};
    INSERT INTO vectors_${number} SELECT row, ${vector} FROM old_${number} WHERE ${vector} IS NOT NULL;
    DROP TABLE old_${number};`);
  db.run("UPDATE indexes SET definition = ? WHERE number = ?", [JSON.stringify({ id: randomUUID(), ...definition }), number]);
}

export function createTables(db: Database, number: number, definition: IndexDefinition): void {
  const columns = rowColumns(definition).map((column) => {
    const key = column === definition.primaryKey ? " UNIQUE NOT NULL" : "";
    return `${columnName(column)} ${sqlType(definition.columns[column] ?? "string")}${key}`;
  });
  db.execute(`
    CREATE TABLE rows_${number} (row INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT, ${columns.join(", ")});
    CREATE TABLE vectors_${number} (row INTEGER PRIMARY KEY, vector BLOB NOT NULL);`);
}

export function dropTables(db: Database, number: number): void {
  db.execute(`DROP TABLE rows_${number}; DROP TABLE vectors_${number};`);
}

/** All columns but that of the vectors. */
export const rowColumns = ({ columns, vectorColumn }: IndexDefinition) =>
  Object.keys(columns).filter((column) => column !== vectorColumn);

/** The columns that full-text search looks into: all strings but the primary key. */
export const searchable = ({ columns, primaryKey }: IndexDefinition) =>
  Object.keys(columns).filter((column) => columns[column] === "string" && column !== primaryKey);
