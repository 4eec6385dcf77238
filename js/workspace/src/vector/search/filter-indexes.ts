import type { Database } from "../../database.js";
import { columnName } from "../columns.js";
import { rowColumns } from "../layout.js";
import type { StoredIndex } from "../store.js";

/** Columns with longer values on average are texts, which nobody compares as a whole. */
const MAX_LENGTH = 64;
const SAMPLE = 1000;

/** Gives a table with many rows an SQL index for each column that filters compare with. */
export function addFilterIndexes(db: Database, index: StoredIndex): void {
  const table = `rows_${index.table}`;
  for (const [i, column] of rowColumns(index).entries()) {
    if (column === index.primaryKey) continue;
    const name = columnName(column);
    const [found] = db.all<{ length: number | null }>(`SELECT avg(length(${name})) AS length FROM (SELECT ${name} FROM ${table} LIMIT ${SAMPLE})`);
    if ((found?.length ?? 0) <= MAX_LENGTH) db.execute(`CREATE INDEX IF NOT EXISTS filter_${index.table}_${i} ON ${table} (${name})`);
  }
}
