import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { Database } from "../database.js";
import { ApiError, missing } from "../http/errors.js";
import type { PipelineSpec } from "./spec.js";

export interface Pipeline {
  id: string;
  spec: PipelineSpec;
  creator: string;
  /** Milliseconds since 1970. */
  modified: number;
  /** The tables and views that its updates have made, which go with it: `TABLE name` or `VIEW name`. */
  published: string[];
}

const ACTIVE = ["CREATED", "INITIALIZING", "SETTING_UP_TABLES", "RUNNING", "STOPPING"] as const;
export type UpdateState = (typeof ACTIVE)[number] | "COMPLETED" | "FAILED" | "CANCELED";
export const isActive = (state: UpdateState) => ACTIVE.some((active) => active === state);

export interface Update {
  id: string;
  pipeline: string;
  state: UpdateState;
  /** What the update was asked to do, as sent. */
  asked: Record<string, unknown>;
  cause: "API_CALL" | "JOB_TASK";
  created: number;
}

export type Level = "INFO" | "WARN" | "ERROR" | "METRICS";

/** What happened in an update. */
export interface Event {
  type: string;
  level: Level;
  message: string;
  /** The update, and the dataset that it is about. */
  update?: string;
  dataset?: string;
  error?: string;
  details?: object;
}

export interface StoredEvent extends Event {
  number: number;
  id: string;
  pipeline: string;
  time: number;
}

/** Pipelines, their updates and events in one SQLite file. An update that was under way when the process ended has failed when it starts again. */
export class PipelineStore {
  readonly #db: Database;

  constructor(data: string) {
    this.#db = new Database(join(data, "pipelines.db"), `
      CREATE TABLE IF NOT EXISTS pipelines (id TEXT PRIMARY KEY, name TEXT NOT NULL, spec TEXT NOT NULL, creator TEXT NOT NULL,
        modified INTEGER NOT NULL, published TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS updates (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, pipeline TEXT NOT NULL,
        state TEXT NOT NULL, asked TEXT NOT NULL, cause TEXT NOT NULL, created INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, pipeline TEXT NOT NULL,
        time INTEGER NOT NULL, event TEXT NOT NULL);
      CREATE INDEX IF NOT EXISTS updates_of ON updates (pipeline, number);
      CREATE INDEX IF NOT EXISTS events_of ON events (pipeline, number);`);
    for (const { id, pipeline } of this.#db.all<{ id: string; pipeline: string }>(`SELECT id, pipeline FROM updates WHERE state IN (${ACTIVE.map(() => "?").join(", ")})`, [...ACTIVE])) {
      this.setState(pipeline, id, "FAILED", "The workspace was stopped while the update was under way.");
    }
  }

  close(): void {
    this.#db.close();
  }

  // ---- pipelines

  create(spec: PipelineSpec, creator: string, mayRepeatName: boolean): Pipeline {
    if (!mayRepeatName) this.#checkName(spec.name, undefined);
    const id = randomUUID();
    this.#db.run("INSERT INTO pipelines VALUES (?, ?, ?, ?, ?, ?)", [id, spec.name, JSON.stringify(spec), creator, Date.now(), "[]"]);
    return this.pipeline(id);
  }

  /** Throws a 404 if there is none. */
  pipeline(id: string): Pipeline {
    const [found] = this.#pipelines("WHERE id = ?", [id]);
    if (!found) throw missing(`The specified pipeline ${id} was not found.`);
    return found;
  }

  /** Pipelines whose name is LIKE a pattern, by name. */
  pipelines(like: string, offset: number, limit: number): Pipeline[] {
    return this.#pipelines("WHERE name LIKE ? ORDER BY name, id LIMIT ? OFFSET ?", [like, limit, offset]);
  }

  save(id: string, spec: PipelineSpec, mayRepeatName: boolean): void {
    this.pipeline(id);
    if (!mayRepeatName) this.#checkName(spec.name, id);
    this.#db.run("UPDATE pipelines SET name = ?, spec = ?, modified = ? WHERE id = ?", [spec.name, JSON.stringify(spec), Date.now(), id]);
  }

  /** Notes what an update has made. */
  addPublished(id: string, what: string): void {
    const { published } = this.pipeline(id);
    if (!published.includes(what)) this.#db.run("UPDATE pipelines SET published = ? WHERE id = ?", [JSON.stringify([...published, what]), id]);
  }

  delete(id: string): void {
    this.pipeline(id);
    this.#db.transaction(() => {
      for (const table of ["events", "updates"]) this.#db.run(`DELETE FROM ${table} WHERE pipeline = ?`, [id]);
      this.#db.run("DELETE FROM pipelines WHERE id = ?", [id]);
    });
  }

  #checkName(name: string, own: string | undefined): void {
    const [other] = this.#pipelines("WHERE name = ? AND id <> ?", [name, own ?? ""]);
    if (other) throw new ApiError(409, "RESOURCE_CONFLICT", `The pipeline name '${name}' is already used by another pipeline. This check can be skipped by setting 'allow_duplicate_names = true' in the request.`);
  }

  #pipelines(rest: string, values: Array<string | number>): Pipeline[] {
    const rows = this.#db.all<{ id: string; spec: string; creator: string; modified: number; published: string }>(`SELECT * FROM pipelines ${rest}`, values);
    return rows.map(({ id, spec, creator, modified, published }) => ({ id, spec: JSON.parse(spec) as PipelineSpec, creator, modified, published: JSON.parse(published) as string[] }));
  }

  // ---- updates

  createUpdate(pipeline: string, asked: Record<string, unknown>, cause: Update["cause"]): Update {
    const { spec } = this.pipeline(pipeline);
    const [latest] = this.updates(pipeline, 0, 1);
    if (latest && isActive(latest.state)) throw new ApiError(409, "RESOURCE_CONFLICT", `An active update ${latest.id} already exists for pipeline '${spec.name}'. Wait until it ends, or stop it.`);
    const id = randomUUID();
    this.#db.run("INSERT INTO updates (id, pipeline, state, asked, cause, created) VALUES (?, ?, 'CREATED', ?, ?, ?)", [id, pipeline, JSON.stringify(asked), cause, Date.now()]);
    this.addEvent(pipeline, { type: "create_update", level: "INFO", update: id, message: `Update ${short(id)} started by ${cause}.`, details: { create_update: { cause, ...asked } } });
    return this.update(pipeline, id);
  }

  /** Throws a 404 if there is none. */
  update(pipeline: string, id: string): Update {
    const [found] = this.#updates("WHERE pipeline = ? AND id = ?", [pipeline, id]);
    if (!found) throw missing(`The specified update ${id} of pipeline ${pipeline} was not found.`);
    return found;
  }

  /** Newest first. */
  updates(pipeline: string, offset: number, limit: number): Update[] {
    return this.#updates("WHERE pipeline = ? ORDER BY number DESC LIMIT ? OFFSET ?", [pipeline, limit, offset]);
  }

  /** Changes the state of an update, with the event that tells so; an update that is stopped may only end. */
  setState(pipeline: string, id: string, state: UpdateState, error?: string): void {
    this.#db.transaction(() => {
      this.#db.run("UPDATE updates SET state = ? WHERE id = ?", [state, id]);
      const level = state === "FAILED" ? "ERROR" : "INFO";
      const details = { update_progress: { state } };
      this.addEvent(pipeline, { type: "update_progress", level, update: id, message: `Update ${short(id)} is ${state}.`, details, ...(error !== undefined && { error }) });
    });
  }

  #updates(rest: string, values: Array<string | number>): Update[] {
    const rows = this.#db.all<Omit<Update, "asked"> & { asked: string }>(`SELECT id, pipeline, state, asked, cause, created FROM updates ${rest}`, values);
    return rows.map((row) => ({ ...row, asked: JSON.parse(row.asked) as Update["asked"] }));
  }

  // ---- events

  addEvent(pipeline: string, event: Event): void {
    this.#db.run("INSERT INTO events (id, pipeline, time, event) VALUES (?, ?, ?, ?)", [randomUUID(), pipeline, Date.now(), JSON.stringify(event)]);
  }

  /** All events of a pipeline in the order in which they happened. */
  events(pipeline: string): StoredEvent[] {
    this.pipeline(pipeline);
    const rows = this.#db.all<{ number: number; id: string; time: number; event: string }>("SELECT * FROM events WHERE pipeline = ? ORDER BY number", [pipeline]);
    return rows.map(({ event, ...row }) => ({ ...(JSON.parse(event) as Event), ...row, pipeline }));
  }
}

const short = (id: string) => id.slice(0, 6);
