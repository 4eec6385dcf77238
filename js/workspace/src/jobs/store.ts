import { join } from "node:path";
import { Database } from "../database.js";
import { invalid } from "../http/errors.js";
import { ENDED, type State } from "./states.js";

type Fields = Record<string, unknown>;

export interface Job {
  id: number;
  /** The settings as sent, with what updates changed. */
  settings: Fields;
  creator: string;
  /** Milliseconds since 1970. */
  created: number;
}

/** What every run has, the whole and each task of it. Times are milliseconds since 1970. */
interface RunBase {
  id: number;
  job: number;
  state: State;
  start: number;
  /** When its work began. */
  begun: number | null;
  end: number | null;
}

/** One run of a job, or a one-time run. */
export interface Run extends RunBase {
  type: "JOB_RUN" | "SUBMIT_RUN";
  trigger: "ONE_TIME" | "PERIODIC";
  name: string;
  creator: string;
  /** Its number among the runs of the job, from 1. */
  number: number;
  /** The settings that it runs with. */
  settings: Fields;
  /** The values of the job's parameters, and what else run-now gave. */
  given: Given;
}

/** A run that is not stored yet; a one-time run has no job, and gets the id of none. */
export type NewRun = Pick<Run, "type" | "trigger" | "name" | "creator" | "settings" | "given"> & { job?: number };

/** What a run was started with. */
export interface Given {
  /** Values of the job's parameters by name. */
  parameters: Record<string, string>;
  notebook_params?: Record<string, string>;
  python_params?: string[];
  sql_params?: Record<string, string>;
}

export interface TaskRun extends RunBase {
  run: number;
  key: string;
  /** 0 for the first. */
  attempt: number;
  output: Output;
}

/** What a task leaves behind, in the fields of `runs/get-output`. */
export interface Output {
  notebook_output?: { result?: string; truncated: boolean };
  logs?: string;
  logs_truncated?: boolean;
  error?: string;
  error_trace?: string;
  sql_output?: object;
  run_job_output?: { run_id: number };
  /** What a condition came to: "true" or "false". */
  outcome?: string;
  /** Values set with `dbutils.jobs.taskValues`. */
  values?: Record<string, unknown>;
}

interface RunRow {
  id: number;
  parent: number | null;
  job: number;
  document: string;
  state: string;
  start: number;
  begun: number | null;
  end: number | null;
}

export interface RunFilter {
  job?: number;
  active?: boolean;
  completed?: boolean;
  type?: string;
  from?: number;
  to?: number;
}

/** Milliseconds for which runs are kept after their end: 60 days, as Databricks keeps them. */
const KEPT = 60 * 24 * 3600_000;

const STOPPED: State = { life: "INTERNAL_ERROR", result: "FAILED", message: "The workspace was stopped while this was under way." };

/** Jobs and runs in one SQLite file. What was under way when the process ended has ended when it starts again. */
export class JobStore {
  readonly #db: Database;

  constructor(data: string) {
    this.#db = new Database(join(data, "jobs.db"), `
      CREATE TABLE IF NOT EXISTS ids (last INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS jobs (id INTEGER PRIMARY KEY, settings TEXT NOT NULL, creator TEXT NOT NULL, created INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS runs (id INTEGER PRIMARY KEY, parent INTEGER, job INTEGER NOT NULL, document TEXT NOT NULL,
        state TEXT NOT NULL, start INTEGER NOT NULL, begun INTEGER, "end" INTEGER, token TEXT UNIQUE);
      CREATE INDEX IF NOT EXISTS runs_of_job ON runs (job, parent);
      CREATE INDEX IF NOT EXISTS tasks_of_run ON runs (parent);`);
    this.#db.run("INSERT INTO ids SELECT 1000 WHERE NOT EXISTS (SELECT 1 FROM ids)");
    this.#db.run(`DELETE FROM runs WHERE coalesce((SELECT whole."end" FROM runs AS whole WHERE whole.id = runs.parent), "end") < ?`, [Date.now() - KEPT]);
    this.#db.run(`UPDATE runs SET state = ?, "end" = ? WHERE "end" IS NULL`, [JSON.stringify(STOPPED), Date.now()]);
  }

  close(): void {
    this.#db.close();
  }

  // ---- jobs

  createJob(settings: Fields, creator: string): Job {
    const job = { id: this.#nextId(), settings, creator, created: Date.now() };
    this.#db.run("INSERT INTO jobs VALUES (?, ?, ?, ?)", [job.id, JSON.stringify(settings), creator, job.created]);
    return job;
  }

  /** Throws the 400 with which Databricks answers for a job that is not there. */
  job(id: number): Job {
    const [found] = this.#jobs("WHERE id = ?", [id]);
    if (!found) throw invalid(`Job ${id} does not exist.`);
    return found;
  }

  /** Newest first. */
  jobs(name: string | undefined, offset: number, limit: number): Job[] {
    const where = name === undefined ? "" : "WHERE lower(json_extract(settings, '$.name')) = lower(?)";
    return this.#jobs(`${where} ORDER BY id DESC LIMIT ? OFFSET ?`, [...(name === undefined ? [] : [name]), limit, offset]);
  }

  saveSettings(id: number, settings: Fields): void {
    this.job(id);
    this.#db.run("UPDATE jobs SET settings = ? WHERE id = ?", [JSON.stringify(settings), id]);
  }

  deleteJob(id: number): void {
    this.job(id);
    this.#db.run("DELETE FROM jobs WHERE id = ?", [id]);
  }

  #jobs(rest: string, values: Array<string | number>): Job[] {
    const rows = this.#db.all<{ id: number; settings: string; creator: string; created: number }>(`SELECT * FROM jobs ${rest}`, values);
    return rows.map((row) => ({ ...row, settings: JSON.parse(row.settings) as Fields }));
  }

  // ---- runs

  /** Stores a new run with a run for each of its tasks; with a token that an earlier run has, returns that one. */
  createRun(run: NewRun, tasks: string[], state: State, token: string | undefined): { run: Run; isNew: boolean } {
    return this.#db.transaction(() => {
      const [earlier] = token === undefined ? [] : this.#db.all<RunRow>("SELECT * FROM runs WHERE token = ?", [token]);
      if (earlier) return { run: toRun(earlier), isNew: false };
      const id = this.#nextId();
      const job = run.job ?? this.#nextId();
      const [counted] = this.#db.all<{ n: number }>("SELECT count(*) AS n FROM runs WHERE job = ? AND parent IS NULL", [job]);
      const { job: _, ...rest } = run;
      const document = { ...rest, number: (counted?.n ?? 0) + 1 };
      const values = [JSON.stringify(document), JSON.stringify(state), Date.now()] as const;
      this.#db.run(`INSERT INTO runs (id, job, document, state, start, token) VALUES (?, ?, ?, ?, ?, ?)`, [id, job, ...values, token ?? null]);
      for (const key of tasks) this.#insertTask(id, job, key, 0, { life: "BLOCKED", message: "" });
      return { run: this.run(id), isNew: true };
    });
  }

  /** Stores another attempt at a task. */
  createAttempt(earlier: TaskRun): TaskRun {
    const id = this.#insertTask(earlier.run, earlier.job, earlier.key, earlier.attempt + 1, { life: "PENDING", message: "" });
    return this.task(id);
  }

  #insertTask(run: number, job: number, key: string, attempt: number, state: State): number {
    const id = this.#nextId();
    const document = JSON.stringify({ key, attempt, output: {} });
    this.#db.run(`INSERT INTO runs (id, parent, job, document, state, start) VALUES (?, ?, ?, ?, ?, ?)`, [id, run, job, document, JSON.stringify(state), Date.now()]);
    return id;
  }

  /** Throws the 400 with which Databricks answers for a run that is not there. */
  run(id: number): Run {
    return toRun(this.#row(id, "parent IS NULL"));
  }

  task(id: number): TaskRun {
    return toTask(this.#row(id, "parent IS NOT NULL"));
  }

  /** Whether the id is that of a task's run. */
  isTask(id: number): boolean {
    return this.#row(id, "1").parent !== null;
  }

  #row(id: number, where: string): RunRow {
    const [found] = this.#db.all<RunRow>(`SELECT * FROM runs WHERE id = ? AND ${where}`, [id]);
    if (!found) throw invalid(`Run ${id} does not exist.`);
    return found;
  }

  /** The latest attempt at each task of a run, in the order in which they were given. */
  tasks(run: number): TaskRun[] {
    const attempts = this.#db.all<RunRow>("SELECT * FROM runs WHERE parent = ? ORDER BY id", [run]).map(toTask);
    return [...new Map(attempts.map((task) => [task.key, task])).values()];
  }

  /** Newest first. */
  runs(filter: RunFilter, offset: number, limit: number): Run[] {
    const ended = ENDED.map((life) => `'${life}'`).join(", ");
    const life = "json_extract(state, '$.life')";
    const conditions: Array<[string, string | number | undefined]> = [
      ["job = ?", filter.job],
      ["json_extract(document, '$.type') = ?", filter.type],
      ["start >= ?", filter.from],
      ["start <= ?", filter.to],
    ];
    const given = conditions.filter((condition): condition is [string, string | number] => condition[1] !== undefined);
    const where = ["parent IS NULL", ...given.map(([sql]) => sql)];
    if (filter.active) where.push(`${life} NOT IN (${ended})`);
    if (filter.completed) where.push(`${life} IN (${ended})`);
    const sql = `SELECT * FROM runs WHERE ${where.join(" AND ")} ORDER BY id DESC LIMIT ? OFFSET ?`;
    return this.#db.all<RunRow>(sql, [...given.map(([, value]) => value), limit, offset]).map(toRun);
  }

  /** Changes the state of a run or task. Its work begins with RUNNING, and it ends with a state that is an end. */
  setState(id: number, state: State): void {
    const now = Date.now();
    const begun = state.life === "RUNNING" ? now : null;
    const end = ENDED.includes(state.life) ? now : null;
    this.#db.run(`UPDATE runs SET state = ?, begun = coalesce(begun, ?), "end" = ? WHERE id = ?`, [JSON.stringify(state), begun, end, id]);
  }

  setOutput(id: number, output: Output): void {
    this.#db.run("UPDATE runs SET document = json_set(document, '$.output', json(?)) WHERE id = ?", [JSON.stringify(output), id]);
  }

  deleteRun(id: number): void {
    if (!ENDED.includes(this.run(id).state.life)) throw invalid(`Run ${id} is still active: cancel it first.`);
    this.#db.run("DELETE FROM runs WHERE id = ? OR parent = ?", [id, id]);
  }

  /** Ids of jobs and runs are of one sequence, so that none means two things. */
  #nextId(): number {
    return this.#db.all<{ last: number }>("UPDATE ids SET last = last + 1 RETURNING last")[0]?.last ?? 0;
  }
}

function base(row: RunRow): RunBase {
  const { id, job, start, begun, end } = row;
  return { id, job, state: JSON.parse(row.state) as State, start, begun, end };
}

const toRun = (row: RunRow): Run => ({ ...base(row), ...(JSON.parse(row.document) as Omit<Run, keyof RunBase>) });

const toTask = (row: RunRow): TaskRun => ({ ...base(row), run: row.parent ?? 0, ...(JSON.parse(row.document) as { key: string; attempt: number; output: Output }) });
