import { randomUUID } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Catalog } from "../catalog/catalog.js";
import { doesNotExist } from "../catalog/store.js";
import { missing } from "../http/errors.js";
import type { SourceTable, SourceTables } from "../vector/source-tables.js";
import type { EngineTable, SqlEngine } from "./engine.js";
import type { StatementRunner } from "./runner.js";
import { writeName } from "./text/names.js";

/** The user on whose behalf the workspace reads tables itself. */
const WORKSPACE = "System user";

/** The tables of the workspace, for its other parts. */
export class Tables implements SourceTables {
  readonly #engine: SqlEngine;
  readonly #catalog: Catalog;
  readonly #runner: StatementRunner;
  readonly #folder: string;

  /** Rows on their way are kept in a folder below `data`. */
  constructor(engine: SqlEngine, catalog: Catalog, runner: StatementRunner, data: string) {
    this.#engine = engine;
    this.#catalog = catalog;
    this.#runner = runner;
    this.#folder = join(data, "statements");
  }

  async describe(name: string): Promise<SourceTable> {
    const { catalog, schema, name: own, columns, properties, version, committed } = await this.#table(name);
    return {
      name: `${catalog}.${schema}.${own}`,
      columns: columns.map((column) => ({ name: column.name, type: column.type })),
      properties,
      version,
      committed: new Date(committed).toISOString(),
    };
  }

  async *rows(name: string, columns: string[], batchSize: number): AsyncIterable<Array<Record<string, unknown>>> {
    const { catalog, schema, name: own } = await this.#table(name);
    const list = columns.map((column) => writeName([column])).join(", ");
    const statement = `SELECT ${list} FROM ${writeName([catalog, schema, own])}`;
    const folder = join(this.#folder, `rows-${randomUUID()}`);
    const stop = new AbortController();
    try {
      const request = { statement, parameters: [], catalog: "main", schema: "default", user: WORKSPACE, folder, format: "rows" } as const;
      const { chunks } = await this.#runner.run({ ...request, parameters: [], chunkRows: batchSize }, stop.signal, () => {});
      for (const i of chunks.keys()) {
        const lines = (await readFile(join(folder, String(i)), "utf8")).trimEnd().split("\n");
        yield lines.map((line) => JSON.parse(line) as Record<string, unknown>);
      }
    } finally {
      stop.abort();
      await rm(folder, { recursive: true, force: true });
    }
  }

  onCommit(listener: (table: string) => void): () => void {
    return this.#runner.onCommit(listener);
  }

  /** Drops a table or view. Throws a 404 if there is none. */
  async drop(name: string, user: string): Promise<void> {
    const table = await this.#catalog.table(name);
    const statement = `DROP ${table.table_type === "VIEW" ? "VIEW" : "TABLE"} ${writeName(table.full_name.split("."))}`;
    const folder = join(this.#folder, `drop-${randomUUID()}`);
    const request = { statement, parameters: [], catalog: "main", schema: "default", user, folder, format: "JSON_ARRAY" } as const;
    await this.#runner.run({ ...request, parameters: [] }, new AbortController().signal, () => {});
    await rm(folder, { recursive: true, force: true });
  }

  async #table(fullName: string): Promise<EngineTable> {
    const [catalog = "", schema = "", name = ""] = fullName.toLowerCase().split(".");
    const known = this.#catalog.store.find("schema", `${catalog}.${schema}`) !== undefined;
    const table = known ? await this.#engine.table(catalog, schema, name) : undefined;
    if (!table) throw missing(doesNotExist("table", fullName).message);
    return table;
  }
}
