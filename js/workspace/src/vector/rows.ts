import { invalid } from "../http/errors.js";
import { isObject } from "../http/fields.js";
import type { Row } from "./columns.js";
import type { StoredIndex } from "./store.js";

/** Reads `inputs_json` of an upsert: a JSON list of rows that fit the index. */
export function readRows(json: string, index: StoredIndex): Row[] {
  let rows: unknown;
  try {
    rows = JSON.parse(json);
  } catch (error) {
    throw invalid(`'inputs_json' is not valid JSON: ${(error as Error).message}`);
  }
  if (!Array.isArray(rows) || !rows.every(isObject)) throw invalid("'inputs_json' must hold a JSON list of rows.");
  for (const [i, row] of rows.entries()) checkRow(`Row ${i} of 'inputs_json'`, row, index);
  return rows;
}

/** Throws, naming the row by `what`, unless the row has a key, no foreign columns, and a vector that fits, if it has one. */
export function checkRow(what: string, row: Row, index: StoredIndex): void {
  const unknown = Object.keys(row).find((column) => !Object.hasOwn(index.columns, column));
  if (unknown !== undefined) throw invalid(`${what} has the column '${unknown}', which index '${index.name}' lacks.`);
  if ((row[index.primaryKey] ?? null) === null) throw invalid(`${what} lacks its primary key '${index.primaryKey}'.`);
  const { vectorColumn } = index;
  const vector = vectorColumn === undefined ? undefined : (row[vectorColumn] ?? undefined);
  if (vector === undefined) return;
  if (!Array.isArray(vector) || !vector.every((x) => Number.isFinite(x))) {
    throw invalid(`${what} needs a list of numbers in '${vectorColumn}'.`);
  }
  if (vector.length !== index.dimension) {
    throw invalid(`${what} has a vector of ${vector.length} dimensions, index '${index.name}' has ${index.dimension}.`);
  }
}
