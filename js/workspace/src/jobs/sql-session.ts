import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ApiError } from "../http/errors.js";
import type { Statements } from "../sql/statements.js";

/** Where statements run, and for whom. */
export interface SqlScope {
  catalog: string;
  schema: string;
  user: string;
  parameters?: Record<string, string>;
}

/** A statement did not succeed; its message is the engine's. */
export class StatementFailure extends Error {}

/** Runs statements for jobs and pipelines, on the workspace's warehouse. */
export class SqlSession {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** Runs a statement to its end and returns its id, by which its result can be read for an hour. Rejects with a StatementFailure. */
  async execute(statement: string, scope: SqlScope, signal: AbortSignal): Promise<string> {
    const { catalog, schema, user, parameters = {} } = scope;
    const begun = this.#statements.execute({
      statement,
      catalog,
      schema,
      user,
      parameters: Object.entries(parameters).map(([name, value]) => ({ name, type: "STRING", value })),
      format: "JSON_ARRAY",
      external: true,
      rowLimit: undefined,
      byteLimit: undefined,
      wait: 0,
      cancelAfterWait: false,
    });
    const { id } = await begun.catch((error: unknown) => {
      // There is no engine.
      throw error instanceof ApiError ? new StatementFailure(error.message) : error;
    });
    const cancel = () => void this.#statements.cancel(id);
    signal.addEventListener("abort", cancel, { once: true });
    if (signal.aborted) cancel();
    const { status } = await this.#statements.ended(id);
    signal.removeEventListener("abort", cancel);
    if (status.state !== "SUCCEEDED") throw new StatementFailure(status.error?.message ?? `The statement ended as ${status.state}.`);
    return id;
  }

  /** The rows of a statement that has succeeded. Values are texts or null. */
  async rows(id: string): Promise<Array<Array<string | null>>> {
    const chunks = this.#statements.get(id).result?.chunks ?? [];
    const parts = await Promise.all(chunks.map((_, i) => readFile(join(this.#statements.folder(id), String(i)), "utf8")));
    return parts.flatMap((text) => JSON.parse(text) as Array<Array<string | null>>);
  }
}
