import { ApiError } from "../http/errors.js";
import { isObject } from "../http/fields.js";
import type { Volumes } from "../files/volumes.js";
import type { WorkspaceTree } from "../notebooks/tree.js";
import { readFile } from "node:fs/promises";
import { WAREHOUSE_ID } from "../routes/sql-warehouses.js";
import { splitStatements } from "../sql/text/split.js";
import { SqlError } from "../sql/text/tokens.js";
import type { SavedQueries } from "./queries.js";
import { StatementFailure, type SqlScope, type SqlSession } from "./sql-session.js";
import { TaskFailure, type Executor } from "./task.js";

/** SQL tasks: a saved query, or a file whose statements run one after the other. */
export class SqlTasks {
  readonly #session: SqlSession;
  readonly #queries: SavedQueries;
  readonly #tree: WorkspaceTree;
  readonly #volumes: Volumes;

  constructor(session: SqlSession, queries: SavedQueries, tree: WorkspaceTree, volumes: Volumes) {
    this.#session = session;
    this.#queries = queries;
    this.#tree = tree;
    this.#volumes = volumes;
  }

  readonly run: Executor = async ({ work, run, signal }) => {
    const warehouse = String(work["warehouse_id"]);
    if (warehouse !== WAREHOUSE_ID) throw new TaskFailure(`SQL warehouse ${warehouse} does not exist. The warehouse of this workspace is '${WAREHOUSE_ID}'`);
    const { text, catalog, schema } = await this.#source(work);
    const given = isObject(work["parameters"]) ? (work["parameters"] as Record<string, string>) : {};
    const parameters = { ...given, ...run.given.sql_params, ...run.given.parameters };
    const ids = await this.#execute(text, { catalog, schema, user: run.creator, parameters }, signal);
    const statements = ids.map((id) => ({ lookup_key: id }));
    return { sql_output: { query_output: { query_text: text, warehouse_id: warehouse, endpoint_id: warehouse, sql_statements: statements } } };
  };

  async #source(work: Record<string, unknown>): Promise<{ text: string; catalog: string; schema: string }> {
    const { query, file } = work;
    try {
      if (isObject(query)) {
        const saved = this.#queries.get(String(query["query_id"]));
        return { text: saved.query_text, catalog: saved.catalog ?? "main", schema: saved.schema ?? "default" };
      }
      const path = String(isObject(file) ? file["path"] : "");
      const bytes = path.startsWith("/Volumes/") ? await readFile(this.#volumes.place(path)) : (await this.#tree.read(path)).bytes;
      return { text: bytes.toString("utf8"), catalog: "main", schema: "default" };
    } catch (error) {
      if (error instanceof ApiError) throw new TaskFailure(error.message);
      if ((error as NodeJS.ErrnoException).code === "ENOENT") throw new TaskFailure(`There is no file ${String(isObject(file) && file["path"])}`);
      throw error;
    }
  }

  async #execute(text: string, scope: SqlScope, signal: AbortSignal): Promise<string[]> {
    const ids: string[] = [];
    try {
      for (const statement of splitStatements(text)) ids.push(await this.#session.execute(statement, scope, signal));
    } catch (error) {
      if (error instanceof StatementFailure || error instanceof SqlError) throw new TaskFailure(error.message);
      throw error;
    }
    return ids;
  }
}
