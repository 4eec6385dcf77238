import type { Database } from "../../database.js";
import type { Condition } from "../filters/condition.js";
import { RowSet } from "../row-set.js";

/** Filters whose rows are remembered, the latest used ones: a byte for each row of the index. */
const MAX_FILTERS = 32;

/** The rows that passed a filter, up to the last one that was looked at. */
interface Passed {
  rows: RowSet;
  last: number;
}

/**
 * Which rows pass a filter, as a set to look rows up in.
 *
 * Row numbers are never used twice, so what passed once passes for ever, or is gone: the set of a filter that comes again
 * only needs the rows that were written since.
 */
export class FilteredRows {
  readonly #db: Database;
  readonly #table: string;
  readonly #filters = new Map<string, Passed>();

  constructor(db: Database, table: string) {
    this.#db = db;
    this.#table = table;
  }

  /** The rows that pass; rows that were deleted may be among them. */
  find(filter: Condition): RowSet {
    const key = JSON.stringify(filter);
    const passed = this.#filters.get(key) ?? { rows: new RowSet(), last: 0 };
    // The last one in the map is the latest used.
    this.#filters.delete(key);
    this.#filters.set(key, passed);
    const [oldest] = this.#filters.keys();
    if (this.#filters.size > MAX_FILTERS && oldest !== undefined) this.#filters.delete(oldest);
    this.#extend(filter, passed);
    return passed.rows;
  }

  #extend(filter: Condition, passed: Passed): void {
    const last = this.#db.all<{ row: number | null }>(`SELECT max(row) AS row FROM ${this.#table}`)[0]?.row ?? 0;
    if (last === passed.last) return;
    // One text of all numbers is read several times as fast as a row each.
    const [found] = this.#db.all<{ numbers: string }>(
      `SELECT json_group_array(row) AS numbers FROM ${this.#table} WHERE row > ? AND (${filter.sql})`,
      [passed.last, ...filter.values],
    );
    for (const row of JSON.parse(found?.numbers ?? "[]") as number[]) passed.rows.add(row);
    passed.last = last;
  }
}
