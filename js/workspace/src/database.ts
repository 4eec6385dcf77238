import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import Libsql from "libsql";

/** What goes into a statement; vectors go in as bytes. */
type Value = string | number | null | Uint8Array;

/**
 * One SQLite file. Every change is a transaction in a write-ahead log, so that a killed process leaves either all of it or
 * nothing. Numbers come back as JavaScript numbers: ids must stay below 2^53.
 */
export class Database {
  readonly #db: Libsql.Database;

  /** Opens the file, and creates it with this schema (`CREATE TABLE IF NOT EXISTS …`) where there is none. */
  constructor(file: string, schema: string) {
    mkdirSync(dirname(file), { recursive: true });
    this.#db = new Libsql(file);
    this.#db.exec(`PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000; ${schema}`);
  }

  /** All rows of a query. */
  all<Row>(sql: string, values: Value[] = []): Row[] {
    return this.#db.prepare(sql).all(values) as Row[];
  }

  /** Runs a statement and returns how many rows it changed. */
  run(sql: string, values: Value[] = []): number {
    return this.#db.prepare(sql).run(values).changes;
  }

  /** Runs a statement once for each list of values. */
  runEach(sql: string, lists: Value[][]): void {
    const statement = this.#db.prepare(sql);
    for (const values of lists) statement.run(values);
  }

  /** Runs statements that take no values and give no rows. */
  execute(sql: string): void {
    this.#db.exec(sql);
  }

  /** Does all of `work`, or nothing of it. */
  transaction<T>(work: () => T): T {
    return this.#db.transaction(work).immediate();
  }

  close(): void {
    this.#db.close();
  }
}
