import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { CatalogStore, Securable } from "../catalog/store.js";
import { notImplemented } from "../http/errors.js";
import { interpreter } from "../python/interpreter.js";
import { EngineProcess } from "./engine-process.js";

/** The engines that can run SQL: Apache Spark, which is what a warehouse speaks, and DuckDB behind a dialect translator. */
export const ENGINES = ["spark", "duckdb"] as const;
export type EngineKind = (typeof ENGINES)[number];

/** A statement to be run, with its names as the engine has them. */
export interface EngineRequest {
  statement: string;
  parameters: Array<{ name: string; type: string; value: string | null }>;
  catalog: string;
  schema: string;
  user: string;
  /** Files that the statement reads, under the names of the views that stand for them. */
  files: FileView[];
  /** Where the result goes: files `0`, `1`, ... of one chunk each. */
  folder: string;
  /** `rows` is one JSON object a line, with JSON values. */
  format: "JSON_ARRAY" | "CSV" | "ARROW_STREAM" | "rows";
  /** Rows and bytes after which the result is cut, and is said to be. */
  rowLimit?: number | undefined;
  byteLimit?: number | undefined;
  /** Bytes beyond which the statement fails. */
  maxBytes?: number | undefined;
  /** Rows of a chunk at most. */
  chunkRows?: number | undefined;
}

export interface FileView {
  view: string;
  path: string;
  options: Record<string, string>;
}

export interface EngineResult {
  columns: Array<{ name: string; type: string }>;
  chunks: Array<{ rows: number; bytes: number }>;
  truncated: boolean;
}

/** A table or view as an engine describes it. */
export interface EngineTable {
  catalog: string;
  schema: string;
  name: string;
  type: "MANAGED" | "EXTERNAL" | "VIEW";
  columns: Array<{ name: string; type: string; nullable: boolean; comment?: string }>;
  comment?: string;
  properties: Record<string, string>;
  /** Milliseconds since 1970. */
  created: number;
  createdBy: string;
  /** Changes with every commit to the table. */
  version: number;
  /** When it was last committed to, in milliseconds since 1970. */
  committed: number;
  /** The query of a view. */
  definition?: string;
}

export interface EngineOptions {
  /** The folder of the workspace's state. */
  data: string;
  /** The engine to take. By default the one that the folder holds tables of, else Spark where it is installed, else DuckDB. */
  kind: EngineKind | undefined;
  store: CatalogStore;
  /** The folder of all volumes, which is what SQL may read and write. */
  volumes: string;
  /** Where `ai_query` calls serving endpoints: the workspace itself. */
  url: () => string;
  token: string;
}

/** What each engine imports. */
const MODULES: Record<EngineKind, string[]> = {
  spark: ["pyspark", "pyarrow", "sqlglot"],
  duckdb: ["duckdb", "pyarrow", "numpy", "sqlglot"],
};

/**
 * The SQL engine of a workspace: one long-lived process, started by the first statement and again after it has ended.
 *
 * Catalogs, schemas and SQL functions are the catalog store's; the engine is told of them when it starts, and of changes while it runs.
 */
export class SqlEngine {
  readonly #options: EngineOptions;
  #kind: Promise<EngineKind> | undefined;
  #process: Promise<EngineProcess> | undefined;
  #running: EngineProcess | undefined;
  #wanted = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /** Which engine this is. Throws a 501 that says what to install where there is none. */
  kind(): Promise<EngineKind> {
    this.#kind ??= this.#choose().catch((error: unknown) => {
      this.#kind = undefined;
      throw error;
    });
    return this.#kind;
  }

  /** `STOPPED`, `STARTING` or `RUNNING`, as a warehouse's state. */
  get state(): "STOPPED" | "STARTING" | "RUNNING" {
    if (this.#running?.alive) return "RUNNING";
    return this.#process ? "STARTING" : "STOPPED";
  }

  /** Number of statements that it works on. */
  get working(): number {
    return this.#wanted;
  }

  /** Whether there can be tables: an engine was started on this data before. */
  hasTables(): boolean {
    return ENGINES.some((kind) => existsSync(this.#folder(kind)));
  }

  async execute(request: EngineRequest, signal: AbortSignal): Promise<EngineResult> {
    this.#wanted++;
    try {
      const engine = await this.start();
      const { rowLimit = null, byteLimit = null, maxBytes = null, chunkRows = null, ...fields } = request;
      const limits = { row_limit: rowLimit, byte_limit: byteLimit, max_bytes: maxBytes, chunk_rows: chunkRows };
      return await engine.send<EngineResult>("execute", { ...fields, limits }, signal);
    } finally {
      this.#wanted--;
    }
  }

  /** Tables and views of a schema, by name. */
  async tables(catalog: string, schema: string): Promise<EngineTable[]> {
    if (!this.hasTables()) return [];
    return (await this.start()).send<EngineTable[]>("tables", { catalog, schema });
  }

  async table(catalog: string, schema: string, name: string): Promise<EngineTable | undefined> {
    if (!this.hasTables()) return undefined;
    return (await (await this.start()).send<EngineTable | null>("table", { catalog, schema, name })) ?? undefined;
  }

  /** Makes the engine follow a change of the catalog store. One that does not run learns of it when it starts. */
  async follow(change: "create_schema" | "drop_schema" | "drop_catalog" | "create_function" | "drop_function", fields: object): Promise<void> {
    const drops = change === "drop_schema" || change === "drop_catalog";
    if (drops ? !this.hasTables() : this.#process === undefined) return;
    await (await this.start()).send(change, fields);
  }

  /** Where Spark's own clients reach the engine, by Spark Connect. Throws a 501 if it is not Spark. */
  async connect(): Promise<{ port: number; token: string }> {
    if ((await this.kind()) === "spark") return (await this.start()).send("connect", {});
    throw notImplemented("The SQL engine of this workspace is DuckDB, which has no Spark sessions. Start a workspace with an empty --data folder and --sql spark.");
  }

  /** Starts the engine unless it runs. */
  start(): Promise<EngineProcess> {
    if (this.#process && (this.#running === undefined || this.#running.alive)) return this.#process;
    this.#running = undefined;
    const process = this.#start();
    this.#process = process;
    const forget = () => {
      if (this.#process !== process) return;
      this.#process = undefined;
      this.#running = undefined;
    };
    process.then((engine) => engine.ended.then(forget), forget);
    return process;
  }

  async #start(): Promise<EngineProcess> {
    const kind = await this.kind();
    const engine = new EngineProcess("sql_engine.py", [kind]);
    const { store, url, token, volumes } = this.#options;
    try {
      await engine.send("start", {
        folder: this.#folder(kind),
        volumes,
        url: url(),
        token,
        schemas: store.all("schema").map(({ full_name }) => full_name.split(".")),
        functions: store.all("function").map(functionFields),
      });
    } catch (error) {
      await engine.stop();
      throw error;
    }
    this.#running = engine;
    return engine;
  }

  /** Ends the engine; statements that run fail. The next one starts it again. */
  async stop(): Promise<void> {
    const engine = await this.#process?.catch(() => undefined);
    await engine?.stop();
  }

  #folder(kind: EngineKind): string {
    return join(this.#options.data, "sql", kind);
  }

  async #choose(): Promise<EngineKind> {
    const probe =
      "import importlib.util as u, json, os, shutil; " +
      "has = lambda *m: all(u.find_spec(x) for x in m); " +
      `print(json.dumps({k: has(*m) for k, m in ${JSON.stringify(MODULES)}.items()} | ` +
      '{"java": bool(os.environ.get("JAVA_HOME") or shutil.which("java"))}))';
    const { stdout } = await promisify(execFile)(interpreter(), ["-c", probe]).catch(() => ({ stdout: "{}" }));
    const found = JSON.parse(stdout) as { spark?: boolean; duckdb?: boolean; java?: boolean };
    const usable = { spark: found.spark === true && found.java === true, duckdb: found.duckdb === true };
    const wanted = this.#options.kind ?? ENGINES.find((kind) => existsSync(this.#folder(kind))) ?? (usable.spark ? "spark" : "duckdb");
    if (usable[wanted]) return wanted;
    if (wanted === "spark" && found.spark === true) {
      throw notImplemented("Apache Spark needs Java 17 or later, which is not there. Install it, on Debian with: apt-get install openjdk-17-jre-headless");
    }
    throw notImplemented(
      `SQL runs in Python with ${MODULES[wanted].join(", ")}, which ${interpreter()} lacks. Install it with: ` +
        `npx lakelet-workspace fetch ${wanted === "spark" ? "spark" : "sql"}  (or set LAKELET_PYTHON to an interpreter that has it)`,
    );
  }
}

/** What an engine needs of a function of the catalog. */
export function functionFields(info: Securable): object {
  const parameters = (info["input_params"] as { parameters?: Array<{ name: string; type_text: string; parameter_default?: string }> } | undefined)?.parameters ?? [];
  const columns = (info["return_params"] as { parameters?: Array<{ name: string; type_text: string }> } | undefined)?.parameters ?? [];
  return {
    catalog: info["catalog_name"],
    schema: info["schema_name"],
    name: info.name,
    parameters: parameters.map(({ name, type_text, parameter_default }) => ({ name, type: type_text, default: parameter_default ?? null })),
    returns: info["full_data_type"] ?? info["data_type"] ?? "STRING",
    columns: columns.map(({ name, type_text }) => ({ name, type: type_text })),
    language: info["external_language"] ?? "SQL",
    body: info["routine_definition"] ?? "",
  };
}
