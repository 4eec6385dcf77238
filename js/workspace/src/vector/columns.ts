import { invalid } from "../http/errors.js";

/** Column types that Databricks lists for `schema_json` of a Direct Access index. */
const NUMBERS = ["byte", "short", "int", "integer", "long", "float", "double"] as const;
const TEXTS = ["string", "timestamp", "date"] as const;
export const DIRECT_TYPES = [...NUMBERS, ...TEXTS, "boolean", "array<float>"] as const;
/** `json` is whatever else a source table has, maps and structs: kept and given back, but not to be searched or filtered. */
export type ColumnType = (typeof DIRECT_TYPES)[number] | "array<string>" | "json";

/** The columns of an index with their types. */
export type Columns = Record<string, ColumnType>;

/** A row as clients send and get it: JSON values by column. */
export type Row = Record<string, unknown>;

/** A value as SQLite keeps it. */
export type Cell = string | number | null;

export const isNumeric = (type: ColumnType) => (NUMBERS as readonly string[]).includes(type);
export const isText = (type: ColumnType) => (TEXTS as readonly string[]).includes(type);

/** The SQL name of a column of an index. The prefix keeps users' names apart from ours. */
export const columnName = (column: string) => `"c_${column.replaceAll('"', '""')}"`;

export function sqlType(type: ColumnType): string {
  if (type === "float" || type === "double") return "REAL";
  return isNumeric(type) || type === "boolean" ? "INTEGER" : "TEXT";
}

/** Turns the JSON value of a column into what SQLite keeps. Not for the vectors that are searched, which are kept apart. */
export function encode(column: string, type: ColumnType, value: unknown): Cell {
  if (value === undefined || value === null) return null;
  if (type === "boolean" && typeof value === "boolean") return value ? 1 : 0;
  if (isNumeric(type) && typeof value === "number") return value;
  if (isText(type) && typeof value === "string") return value;
  if (type === "json" || (type.startsWith("array") && Array.isArray(value))) return JSON.stringify(value);
  throw invalid(`Column '${column}' takes a ${type}, not ${JSON.stringify(value)}.`);
}

export function decode(type: ColumnType, value: Cell): unknown {
  if (type === "boolean" && value !== null) return value === 1;
  if ((type === "json" || type.startsWith("array")) && typeof value === "string") return JSON.parse(value);
  return value;
}

/** A vector as 32-bit floats, the form that libSQL's distance functions take. */
export const toBlob = (vector: readonly number[]) => Buffer.from(Float32Array.from(vector).buffer);

export function fromBlob(blob: Uint8Array | ArrayBuffer): Float32Array {
  // A copy: what SQLite gives need not lie at a multiple of four bytes.
  return new Float32Array(new Uint8Array(blob).buffer);
}
