import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Cell } from "../notebooks/source.js";
import { interpreter } from "../python/interpreter.js";
import type { Output } from "./store.js";
import { TaskFailure } from "./task.js";

const SCRIPT = fileURLToPath(new URL("../../python/lakelet_task", import.meta.url));
/** Bytes of output that are kept, and of what a notebook returns: Databricks' limit. */
const MAX_OUTPUT = 5 << 20;

/** What the Python side runs; see `python/lakelet_task/__main__.py`. */
export type PythonTask = ({ kind: "file"; path: string; arguments: string[] } | { kind: "notebook"; cells: Cell[] }) & {
  /** Folder where it stands, from which it imports. */
  folder: string;
  widgets: Record<string, string>;
  values: Record<string, Record<string, unknown>>;
  requirements: string[];
};

/** Runs Python tasks, each in a process of its own that ends with this one, however that ends. */
export class PythonTasks {
  readonly #roots: Record<string, string>;
  readonly #credentials: () => { url: string; token: string };

  /** `roots` says what folders of the workspace are on disk; `credentials` what tasks call the workspace with. */
  constructor(roots: Record<string, string>, credentials: () => { url: string; token: string }) {
    this.#roots = roots;
    this.#credentials = credentials;
  }

  /** Resolves with what the task leaves behind; rejects with a TaskFailure if it fails, also when `signal` ends it. */
  async run(task: PythonTask, signal: AbortSignal): Promise<Output> {
    const scratch = await mkdtemp(join(tmpdir(), "lakelet-task-"));
    try {
      const result = join(scratch, "result.json");
      const ended = await this.#spawn({ ...task, roots: this.#roots, result }, signal);
      const outcome = JSON.parse(await readFile(result, "utf8").catch(() => "null")) as Outcome | null;
      return read(outcome, ended, task.kind);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  async #spawn(task: PythonTask & { roots: Record<string, string>; result: string }, signal: AbortSignal): Promise<Ended> {
    const child = spawn(taskPython(), [SCRIPT], { cwd: task.folder, env: this.#environment(), detached: true, stdio: "pipe" });
    // A process group of its own, so that what the task starts ends with it.
    const kill = () => child.pid !== undefined && process.kill(-child.pid, "SIGKILL");
    const logs = new Tail(MAX_OUTPUT);
    child.stdout.on("data", (chunk: Buffer) => logs.add(chunk));
    child.stderr.on("data", (chunk: Buffer) => logs.add(chunk));
    child.stdin.on("error", () => {}); // It may end before it has read its task.
    child.stdin.write(`${JSON.stringify(task)}\n`);
    signal.addEventListener("abort", kill, { once: true });
    try {
      const closed = once(child, "close") as Promise<[number | null, string | null]>;
      if (signal.aborted) kill();
      const [code, by] = await closed;
      return { code, signal: by, logs };
    } catch (error) {
      throw new TaskFailure(`Python could not be started (${taskPython()}): ${(error as Error).message}`);
    } finally {
      signal.removeEventListener("abort", kill);
    }
  }

  /** The environment of this process, with the workspace as the one that Databricks' clients find. */
  #environment(): NodeJS.ProcessEnv {
    const { url, token } = this.#credentials();
    const others = Object.entries(process.env).filter(([name]) => !name.startsWith("DATABRICKS_"));
    return {
      ...Object.fromEntries(others),
      DATABRICKS_HOST: url,
      DATABRICKS_TOKEN: token,
      MLFLOW_TRACKING_URI: "databricks",
      LAKELET_VOLUMES: this.#roots["/Volumes"],
      LAKELET_WORKSPACE_FILES: this.#roots["/Workspace"],
      PYTHONUNBUFFERED: "1",
      // Compiled files would stand among the files of the workspace.
      PYTHONDONTWRITEBYTECODE: "1",
    };
  }
}

/** The interpreter of the workspace's Python parts, or the system's where there is none. */
function taskPython(): string {
  const own = interpreter();
  return existsSync(own) ? own : "python3";
}

interface Outcome {
  exit?: string;
  error?: string;
  trace?: string;
  values: Record<string, unknown>;
}

interface Ended {
  code: number | null;
  signal: string | null;
  logs: Tail;
}

function read(outcome: Outcome | null, ended: Ended, kind: PythonTask["kind"]): Output {
  const logs = { logs: ended.logs.text(), logs_truncated: ended.logs.isCut };
  if (!outcome) {
    const how = ended.signal ? `was ended by ${ended.signal}` : `ended with exit code ${ended.code}`;
    throw new TaskFailure(`The Python process ${how} before the task was done.`, logs);
  }
  const { exit, error, trace, values } = outcome;
  if (error !== undefined) throw new TaskFailure(error, { ...logs, error_trace: trace ?? "", values });
  if (kind === "file") return { ...logs, values };
  const whole = Buffer.from(exit ?? "");
  const truncated = whole.length > MAX_OUTPUT;
  const result = truncated ? whole.subarray(0, MAX_OUTPUT).toString("utf8") : exit;
  return { ...logs, values, notebook_output: { ...(result !== undefined && { result }), truncated } };
}

/** The last bytes of an output. */
class Tail {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #size = 0;
  isCut = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    while (this.#size - (this.#chunks[0]?.length ?? 0) >= this.#limit) {
      this.#size -= this.#chunks.shift()?.length ?? 0;
      this.isCut = true;
    }
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }
}
