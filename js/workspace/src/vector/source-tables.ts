/** A column of a source table. */
export interface SourceColumn {
  name: string;
  /** The type in lower case as Databricks SQL writes it: `string`, `bigint`, `timestamp`, `array<float>`, `decimal(10,2)` ... */
  type: string;
}

/** What a Delta Sync index needs to know of its source table. */
export interface SourceTable {
  /** `catalog.schema.table`, as it is stored. */
  name: string;
  columns: SourceColumn[];
  /** Table properties; `delta.enableChangeDataFeed` is `"true"` where the change data feed is on. */
  properties: Record<string, string>;
  /** Number of the last commit. A table with an unchanged version has unchanged rows. */
  version: number;
  /** When that commit was made, in ISO 8601 (UTC). */
  committed: string;
}

/**
 * The tables of the workspace, as Delta Sync indexes read them.
 *
 * The SQL part of the workspace implements this. Every method that takes a table's full name throws
 * `ApiError` 404 `RESOURCE_DOES_NOT_EXIST` if there is no such table.
 */
export interface SourceTables {
  describe(table: string): Promise<SourceTable>;

  /**
   * The named columns of all rows in batches of up to `batchSize`, all of one version. Values are JSON: numbers for all
   * numeric types, lists of numbers for arrays, `YYYY-MM-DD` for dates, ISO 8601 for timestamps, null for nothing.
   * Ending the iteration early frees what it holds.
   */
  rows(table: string, columns: string[], batchSize: number): AsyncIterable<Array<Record<string, unknown>>>;

  /**
   * Has `listener` called with the full name of a table after each commit to it that the workspace made, or after the
   * table was dropped. Returns what ends that.
   */
  onCommit(listener: (table: string) => void): () => void;
}
