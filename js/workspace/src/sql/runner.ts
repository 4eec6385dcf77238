import type { Catalog } from "../catalog/catalog.js";
import type { Volumes } from "../files/volumes.js";
import { catalogStatement } from "./catalog-statements.js";
import { EngineError } from "./engine-process.js";
import type { EngineRequest, EngineResult, SqlEngine } from "./engine.js";
import { catalogNames, prepare, writtenTable } from "./prepare.js";
import { writeRows } from "./statements.js";
import { identifierEdits } from "./text/identifier.js";
import { edit } from "./text/names.js";
import { oneStatement, SqlError } from "./text/tokens.js";

/** A statement, its names as the client wrote them. */
export type RunnableStatement = Omit<EngineRequest, "files">;

/** Runs statements: those about the catalog here, all others by the engine. */
export class StatementRunner {
  readonly #engine: SqlEngine;
  readonly #catalog: Catalog;
  readonly #volumes: Volumes;
  readonly #listeners = new Set<(table: string) => void>();

  constructor(engine: SqlEngine, catalog: Catalog, volumes: Volumes) {
    this.#engine = engine;
    this.#catalog = catalog;
    this.#volumes = volumes;
  }

  /** Throws a 501 that says what to install if there is no engine. */
  async checkEngine(): Promise<void> {
    await this.#engine.kind();
  }

  /** Has `listener` called with the full name of a table after each statement that changed it. Returns what ends that. */
  onCommit(listener: (table: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Runs one statement. Throws a `SqlError`, `EngineError` or `ApiError`; `onStart` is told when the engine is at it. */
  async run(request: RunnableStatement, signal: AbortSignal, onStart: () => void): Promise<EngineResult> {
    const { store } = this.#catalog;
    const catalog = request.catalog.toLowerCase() === "spark_catalog" ? "main" : request.catalog.toLowerCase();
    const schema = request.schema.toLowerCase();
    if (!store.find("catalog", catalog)) throw new SqlError("NO_SUCH_CATALOG_EXCEPTION", "42704", `Catalog '${request.catalog}' was not found.`);
    if (!store.find("schema", `${catalog}.${schema}`)) throw new SqlError("SCHEMA_NOT_FOUND", "42704", `The schema \`${catalog}\`.\`${schema}\` cannot be found.`);
    const valueOf = (name: string) => request.parameters.find((parameter) => parameter.name === name)?.value;

    const tokens = oneStatement(request.statement);
    const named = edit(request.statement, identifierEdits(tokens, valueOf));
    const namedTokens = oneStatement(named);
    const answer = await catalogStatement(namedTokens, named, { catalog: this.#catalog, currentCatalog: catalog, currentSchema: schema, user: request.user });
    if (answer) {
      const columns = answer.columns.map((name) => ({ name, type: "string" }));
      return { columns, chunks: await writeRows(request.folder, request.format, answer.columns, answer.rows), truncated: false };
    }

    const kind = await this.#engine.kind();
    const prepared = prepare(request.statement, tokens, kind, { store, volumes: this.#volumes, catalog, schema, valueOf });
    const written = writtenTable(namedTokens);
    try {
      await this.#engine.start();
      onStart();
      return await this.#engine.execute({ ...request, ...prepared, catalog, schema }, signal);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      throw new EngineError(catalogNames(error.message, kind), error.condition, error.sqlState);
    } finally {
      // A statement that failed may have changed something all the same: who follows a table looks at its version.
      if (written) this.#committed([catalog, schema].slice(0, 3 - written.length).concat(written));
    }
  }

  #committed(parts: string[]): void {
    const name = parts.join(".").toLowerCase().replace(/^spark_catalog\./, "main.");
    for (const listener of this.#listeners) listener(name);
  }
}
