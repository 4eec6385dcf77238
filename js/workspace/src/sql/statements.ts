import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Database } from "../database.js";
import { ApiError, missing } from "../http/errors.js";
import { EngineError } from "./engine-process.js";
import { FORMATS, type Format, type StoredResult } from "./results.js";
import type { RunnableStatement, StatementRunner } from "./runner.js";
import { SqlError } from "./text/tokens.js";

export type State = "PENDING" | "RUNNING" | "SUCCEEDED" | "FAILED" | "CANCELED" | "CLOSED";

export interface Status {
  state: State;
  sql_state?: string;
  error?: { error_code: string; message: string };
}

/** A statement and what became of it. */
export interface StatementRecord {
  id: string;
  status: Status;
  result?: StoredResult;
}

export interface StatementRequest extends Omit<RunnableStatement, "folder" | "format"> {
  format: Format;
  external: boolean;
  /** Milliseconds to wait for the result. */
  wait: number;
  cancelAfterWait: boolean;
}

/** Milliseconds that a result can be read after it is there. */
const KEPT = 3600_000;

/** Milliseconds that an engine has to stop what was cancelled. */
const CANCEL_PATIENCE = 5_000;

interface Running {
  status: Status;
  cancel: AbortController;
  done: Promise<void>;
}

/**
 * Statements and their results. Results are files in a folder for each statement, and their records rows of a SQLite file, so
 * that they can be read for an hour whatever happens to this process.
 */
export class Statements {
  readonly #runner: StatementRunner;
  readonly #db: Database;
  readonly #folder: string;
  readonly #running = new Map<string, Running>();
  readonly #log: (line: string) => void;

  constructor(data: string, runner: StatementRunner, log: (line: string) => void) {
    this.#runner = runner;
    this.#log = log;
    this.#folder = join(data, "statements");
    this.#db = new Database(
      join(data, "statements.db"),
      "CREATE TABLE IF NOT EXISTS statements (id TEXT PRIMARY KEY, finished INTEGER, record TEXT NOT NULL);",
    );
    this.#forgetOld();
    // What ran when the process before this one ended has no outcome that anyone knows.
    const lost: Status = { state: "FAILED", error: { error_code: "ABORTED", message: "The workspace was stopped while the statement ran." } };
    for (const { id } of this.#db.all<{ id: string }>("SELECT id FROM statements WHERE finished IS NULL")) this.#save({ id, status: lost });
  }

  /** Runs a statement, and waits for its result as long as the request says. Throws a 501 if there is no engine to run it. */
  async execute(request: StatementRequest): Promise<StatementRecord> {
    await this.#runner.checkEngine();
    this.#forgetOld();
    const id = `01f0${randomUUID().slice(4)}`;
    this.#db.run("INSERT INTO statements VALUES (?, NULL, ?)", [id, JSON.stringify({ id, status: { state: "PENDING" } })]);
    const running: Running = { status: { state: "PENDING" }, cancel: new AbortController(), done: Promise.resolve() };
    this.#running.set(id, running);
    running.done = this.#run(id, request, running);
    const inTime = await Promise.race([running.done.then(() => true), after(request.wait)]);
    if (!inTime && request.cancelAfterWait) {
      running.cancel.abort();
      await running.done;
    }
    return this.get(id);
  }

  async #run(id: string, { wait: _, cancelAfterWait: __, external, ...request }: StatementRequest, running: Running): Promise<void> {
    const folder = this.folder(id);
    try {
      const { signal } = running.cancel;
      const run = this.#runner.run({ ...request, folder }, signal, () => (running.status = { state: "RUNNING" }));
      const result = await Promise.race([run, tooLate(signal)]);
      this.#save({ id, status: { state: "SUCCEEDED" }, result: { ...result, format: request.format, external } });
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      this.#save({ id, status: running.cancel.signal.aborted ? { state: "CANCELED" } : this.#failed(error) });
    } finally {
      this.#running.delete(id);
    }
  }

  #failed(error: unknown): Status {
    if (error instanceof SqlError || (error instanceof EngineError && error.sqlState !== undefined)) {
      return { state: "FAILED", sql_state: error.sqlState, error: { error_code: codeOf(error.condition ?? ""), message: error.message } };
    }
    if (error instanceof EngineError) return { state: "FAILED", error: { error_code: "INTERNAL_ERROR", message: error.message } };
    if (error instanceof ApiError) {
      const [condition, sql_state] = CONDITIONS[error.code] ?? ["INVALID_PARAMETER_VALUE", "22023"];
      return { state: "FAILED", sql_state, error: { error_code: "BAD_REQUEST", message: `[${condition}] ${error.message} SQLSTATE: ${sql_state}` } };
    }
    this.#log(`internal error: ${error instanceof Error ? error.stack : String(error)}`);
    return { state: "FAILED", error: { error_code: "INTERNAL_ERROR", message: "The local workspace failed; its log says why." } };
  }

  /** Throws a 404 for a statement that never was, or whose hour is over. */
  get(id: string): StatementRecord {
    const running = this.#running.get(id);
    if (running) return { id, status: running.status };
    const [row] = this.#db.all<{ record: string }>("SELECT record FROM statements WHERE id = ?", [id]);
    if (!row) throw missing(`The statement ${id} was not found. Results can be read for an hour.`);
    return JSON.parse(row.record) as StatementRecord;
  }

  /** Resolves when a statement has ended. */
  async ended(id: string): Promise<StatementRecord> {
    await this.#running.get(id)?.done;
    return this.get(id);
  }

  /** Stops a statement; one that has ended stays as it is. Resolves when it is stopped. */
  async cancel(id: string): Promise<void> {
    const running = this.#running.get(id);
    if (!running) return void this.get(id);
    running.cancel.abort();
    await running.done;
  }

  /** Where the chunks of a result are. */
  folder(id: string): string {
    return join(this.#folder, id);
  }

  async close(): Promise<void> {
    for (const { cancel } of this.#running.values()) cancel.abort();
    await Promise.all([...this.#running.values()].map(({ done }) => done));
    this.#db.close();
  }

  #save(record: StatementRecord): void {
    this.#db.run("UPDATE statements SET finished = ?, record = ? WHERE id = ?", [Date.now(), JSON.stringify(record), record.id]);
  }

  #forgetOld(): void {
    const limit = Date.now() - KEPT;
    for (const { id } of this.#db.all<{ id: string }>("SELECT id FROM statements WHERE finished < ?", [limit])) {
      rmSync(this.folder(id), { recursive: true, force: true });
      this.#db.run("DELETE FROM statements WHERE id = ?", [id]);
    }
  }
}

/** Rejects when the engine has not stopped within the patience that a cancelled statement has. */
async function tooLate(signal: AbortSignal): Promise<never> {
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  await after(CANCEL_PATIENCE);
  throw new EngineError("The engine did not stop in time; what it finishes is thrown away.");
}

/** Error conditions and SQLSTATEs of what the catalog refuses, by the codes of its REST API. */
const CONDITIONS: Record<string, [string, string]> = {
  CATALOG_DOES_NOT_EXIST: ["NO_SUCH_CATALOG_EXCEPTION", "42704"],
  SCHEMA_DOES_NOT_EXIST: ["SCHEMA_NOT_FOUND", "42704"],
  TABLE_DOES_NOT_EXIST: ["TABLE_OR_VIEW_NOT_FOUND", "42P01"],
  VOLUME_DOES_NOT_EXIST: ["VOLUME_DOES_NOT_EXIST", "42704"],
  FUNCTION_DOES_NOT_EXIST: ["ROUTINE_NOT_FOUND", "42883"],
  CATALOG_ALREADY_EXISTS: ["CATALOG_ALREADY_EXISTS", "42710"],
  SCHEMA_ALREADY_EXISTS: ["SCHEMA_ALREADY_EXISTS", "42P06"],
  VOLUME_ALREADY_EXISTS: ["VOLUME_ALREADY_EXISTS", "42000"],
  FUNCTION_ALREADY_EXISTS: ["ROUTINE_ALREADY_EXISTS", "42723"],
  INVALID_STATE: ["SCHEMA_NOT_EMPTY", "2BP01"],
};

/** Databricks has one code for errors in a statement, whatever their condition. */
const codeOf = (condition: string) => (condition === "INTERNAL_ERROR" ? "INTERNAL_ERROR" : "BAD_REQUEST");

function after(milliseconds: number): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), milliseconds).unref());
}

/** Writes rows that are already here as the chunks of a result. */
export async function writeRows(folder: string, format: Format | "rows", columns: string[], rows: Array<Array<string | null>>): Promise<StoredChunks> {
  if (rows.length === 0) return [];
  if (format === "ARROW_STREAM") throw new SqlError("UNSUPPORTED_FEATURE", "0A000", `Statements about the catalog answer in ${FORMATS[0]} and ${FORMATS[2]}.`);
  const text = format === "CSV" ? [columns, ...rows].map(csvLine).join("") : JSON.stringify(rows);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "0"), text);
  return [{ rows: rows.length, bytes: Buffer.byteLength(text) }];
}

type StoredChunks = StoredResult["chunks"];

/** A line by RFC 4180. */
const csvLine = (values: Array<string | null>) =>
  `${values.map((value) => (value === null ? "null" : /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)).join(",")}\r\n`;
