import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { ApiError, unavailable } from "../http/errors.js";
import { interpreter, scriptPath } from "../python/interpreter.js";
import { SqlError } from "./text/tokens.js";

/** Why an engine did not do what it was asked to. */
export class EngineError extends Error {
  /** An error condition of Databricks SQL, such as `TABLE_OR_VIEW_NOT_FOUND`; nothing where the engine itself failed. */
  readonly condition: string | undefined;
  readonly sqlState: string | undefined;

  constructor(message: string, condition?: string, sqlState?: string) {
    super(message);
    this.name = "EngineError";
    this.condition = condition;
    this.sqlState = sqlState;
  }
}

/** What a client of another API than SQL is told of an error of SQL; any other error as it is. */
export function asApiError(error: unknown): unknown {
  if (error instanceof SqlError || (error instanceof EngineError && error.sqlState !== undefined)) {
    return new ApiError(400, "INVALID_PARAMETER_VALUE", error.message);
  }
  return error instanceof EngineError ? unavailable(error.message, 1) : error;
}

interface Answer {
  id: number;
  ok?: unknown;
  error?: { message: string; condition?: string; sql_state?: string };
}

/** Lines of its standard error that are kept to tell why an engine ended. */
const KEPT_LINES = 30;

/**
 * One run of a SQL engine in Python. It takes requests as lines of JSON on its standard input, works on many at a time, and
 * answers each with one line on its standard output. It ends when its input does, so that it never outlives this process.
 */
export class EngineProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  readonly #said: string[] = [];
  #last = 0;
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;

  constructor(script: string, args: string[]) {
    this.#child = spawn(interpreter(), [scriptPath(script), ...args], { stdio: ["pipe", "pipe", "pipe"] });
    const { stdin, stdout, stderr } = this.#child;
    // A process that is gone shows by its exit; what is written to it then is of no use to anyone.
    stdin?.on("error", () => {});
    if (stdout) createInterface({ input: stdout }).on("line", (line) => this.#answer(JSON.parse(line) as Answer));
    if (stderr) {
      createInterface({ input: stderr }).on("line", (line) => {
        this.#said.push(line);
        if (this.#said.length > KEPT_LINES) this.#said.shift();
      });
    }
    this.ended = new Promise((resolve) => {
      const end = (why: string) => {
        for (const { reject } of this.#waiting.values()) reject(new EngineError(why));
        this.#waiting.clear();
        resolve();
      };
      this.#child.once("error", (error) => end(`The SQL engine could not be started: ${error.message}`));
      this.#child.once("close", (code, signal) => {
        end(`The SQL engine ended (${signal ?? `exit code ${code}`}). The next statement starts it again. ${this.#said.slice(-3).join(" ")}`.trim());
      });
    });
  }

  /** Whether it still runs. */
  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Sends a request. Rejects with an `EngineError`. When `signal` aborts, the engine is told to stop working on it. */
  async send<T>(op: string, fields: object, signal?: AbortSignal): Promise<T> {
    const id = ++this.#last;
    if (!this.alive) throw new EngineError("The SQL engine ended. The next statement starts it again.");
    const answered = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    const cancel = () => this.#write({ op: "cancel", target: id });
    this.#write({ id, op, ...fields });
    if (signal?.aborted) cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      return (await answered) as T;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  /** Ends it at once. What it has committed is safe. */
  async stop(): Promise<void> {
    this.#child.stdin?.end();
    await this.ended;
  }

  #write(message: object): void {
    this.#child.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  #answer({ id, ok, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(new EngineError(error.message, error.condition, error.sql_state));
    else waiting?.resolve(ok);
  }
}
