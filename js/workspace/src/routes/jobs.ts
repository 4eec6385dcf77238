import { invalid } from "../http/errors.js";
import { isObject, optionalInteger, optionalString, optionalStrings } from "../http/fields.js";
import type { Call, Handler, Reply, Route } from "../http/router.js";
import { jobReply, outputReply, runReply, taskReply } from "../jobs/replies.js";
import type { JobRunner } from "../jobs/runner.js";
import { type JobSchedules, readSchedule } from "../jobs/schedules.js";
import { readParameters, readStrings, readTasks } from "../jobs/settings.js";
import type { Given, JobStore, NewRun, Run } from "../jobs/store.js";

type Fields = Record<string, unknown>;

const MAX_ID = Number.MAX_SAFE_INTEGER;
const MAX_TOKEN = 64;

/** Jobs and their runs, in versions 2.1 and 2.2 of the API. */
export class JobsRoutes {
  readonly #store: JobStore;
  readonly #runner: JobRunner;
  readonly #schedules: JobSchedules;

  constructor(store: JobStore, runner: JobRunner, schedules: JobSchedules) {
    this.#store = store;
    this.#runner = runner;
    this.#schedules = schedules;
  }

  routes(): Route[] {
    const handlers: Array<[method: string, path: string, handler: Handler]> = [
      ["POST", "create", (call) => this.#create(call)],
      ["GET", "get", ({ query }) => ({ json: jobReply(this.#store.job(id(query, "job_id")), true) })],
      ["GET", "list", (call) => this.#list(call)],
      ["POST", "update", ({ body }) => this.#update(body)],
      ["POST", "reset", ({ body }) => this.#save(jobId(body), object(body, "new_settings"))],
      ["POST", "delete", ({ body }) => this.#delete(jobId(body))],
      ["POST", "run-now", (call) => this.#runNow(call)],
      ["POST", "runs/submit", (call) => this.#submit(call)],
      ["GET", "runs/get", (call) => ({ json: this.#run(id(call.query, "run_id"), call.origin) })],
      ["GET", "runs/get-output", (call) => this.#output(call)],
      ["GET", "runs/list", (call) => this.#runs(call)],
      ["POST", "runs/cancel", ({ body }) => done(this.#runner.cancel(runId(body)))],
      ["POST", "runs/cancel-all", ({ body }) => this.#cancelAll(body)],
      ["POST", "runs/delete", ({ body }) => done(this.#store.deleteRun(runId(body)))],
    ];
    return ["2.1", "2.2"].flatMap((version) =>
      handlers.map(([method, path, handler]) => ({ method, path: `/api/${version}/jobs/${path}`, handler, limit: 10 << 20 })),
    );
  }

  // ---- jobs

  #create({ body, user }: Call): Reply {
    const job = this.#store.createJob(checked(body), user);
    this.#schedules.follow(job);
    return { json: { job_id: job.id } };
  }

  #list({ query }: Call): Reply {
    const { offset, limit, page } = readPage(query, 20, 100);
    const jobs = this.#store.jobs(query.get("name") || undefined, offset, limit + 1);
    const shown = jobs.slice(0, limit).map((job) => jobReply(job, query.get("expand_tasks") === "true"));
    return { json: { jobs: shown, ...page(jobs.length > limit) } };
  }

  /** Merges settings into a job: top-level fields take the place of the old ones, tasks and job clusters are merged by their keys. */
  #update(body: Fields): Reply {
    const job = this.#store.job(jobId(body));
    const changes = isObject(body["new_settings"]) ? body["new_settings"] : {};
    const settings: Fields = { ...job.settings, ...changes };
    for (const [list, key] of [["tasks", "task_key"], ["job_clusters", "job_cluster_key"], ["environments", "environment_key"]] as const) {
      if (Array.isArray(changes[list])) settings[list] = merge(job.settings[list], changes[list], key);
    }
    for (const field of optionalStrings(body, "fields_to_remove") ?? []) remove(settings, field);
    return this.#save(job.id, settings);
  }

  #save(id: number, settings: Fields): Reply {
    this.#store.saveSettings(id, checked(settings));
    this.#schedules.follow({ id, settings });
    return done();
  }

  #delete(id: number): Reply {
    this.#store.deleteJob(id);
    this.#schedules.forget(id);
    return done();
  }

  // ---- runs

  #runNow({ body, user }: Call): Reply {
    const job = this.#store.job(jobId(body));
    if (isObject(body["pipeline_params"]) || Array.isArray(body["only"])) throw invalid("'pipeline_params' and 'only' are not known to the local workspace: leave them out.");
    const settings = job.settings;
    const run = { job: job.id, type: "JOB_RUN" as const, trigger: "ONE_TIME" as const, name: String(settings["name"] ?? "Untitled"), creator: user, settings, given: readGiven(body, settings) };
    const started = this.#start(run, body);
    return { json: { run_id: started.id, number_in_job: started.number } };
  }

  #submit({ body, user }: Call): Reply {
    const run = { type: "SUBMIT_RUN" as const, trigger: "ONE_TIME" as const, name: optionalString(body, "run_name") ?? "Untitled", creator: user, settings: checked(body), given: { parameters: {} } };
    return { json: { run_id: this.#start(run, body).id } };
  }

  #start(run: NewRun, body: Fields): Run {
    const token = optionalString(body, "idempotency_token") || undefined;
    if (token !== undefined && token.length > MAX_TOKEN) throw invalid(`'idempotency_token' has at most ${MAX_TOKEN} characters.`);
    return this.#runner.launch(run, token);
  }

  /** A run, or the run of one task. */
  #run(id: number, origin: string): object {
    if (!this.#store.isTask(id)) return runReply(this.#store.run(id), this.#store.tasks(id), origin);
    const task = this.#store.task(id);
    const run = this.#store.run(task.run);
    return { ...runReply(run, [task], origin), ...taskReply(task, run, origin), run_name: task.key, job_run_id: run.id };
  }

  #output({ query, origin }: Call): Reply {
    const run = id(query, "run_id");
    if (!this.#store.isTask(run)) {
      throw invalid("Retrieving the output of runs with multiple tasks is not supported. Please retrieve the output of each individual task run instead.");
    }
    const task = this.#store.task(run);
    return { json: outputReply(task, this.#store.run(task.run), origin) };
  }

  #runs({ query, origin }: Call): Reply {
    const { offset, limit, page } = readPage(query, 20, 25);
    const number = (name: string) => (query.get(name) ? id(query, name) : undefined);
    const filter = {
      job: number("job_id"),
      type: query.get("run_type") || undefined,
      from: number("start_time_from"),
      to: number("start_time_to"),
      active: query.get("active_only") === "true",
      completed: query.get("completed_only") === "true",
    };
    if (filter.active && filter.completed) throw invalid("'active_only' and 'completed_only' cannot both be true.");
    const runs = this.#store.runs(filter, offset, limit + 1);
    const withTasks = query.get("expand_tasks") === "true";
    const shown = runs.slice(0, limit).map((run) => runReply(run, withTasks ? this.#store.tasks(run.id) : undefined, origin));
    return { json: { ...(shown.length > 0 && { runs: shown }), ...page(runs.length > limit) } };
  }

  #cancelAll(body: Fields): Reply {
    const job = optionalInteger(body, "job_id", 0, MAX_ID);
    for (const run of this.#store.runs({ ...(job !== undefined && { job }), active: true }, 0, -1)) {
      if (body["all_queued_runs"] !== true || run.state.life === "QUEUED") this.#runner.cancel(run.id);
    }
    return done();
  }
}

const done = (_?: void): Reply => ({ json: {} });

/** The settings as they are, if they make a job. */
function checked(settings: Fields): Fields {
  readTasks(settings);
  readParameters(settings);
  readSchedule(settings);
  return settings;
}

function object(body: Fields, name: string): Fields {
  const value = body[name];
  if (!isObject(value)) throw invalid(`'${name}' is required.`);
  return value;
}

function id(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? "";
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > MAX_ID) throw invalid(`'${name}' must be a whole number, not '${text}'.`);
  return value;
}

const bodyId = (name: string) => (body: Fields): number => {
  const value = optionalInteger(body, name, 0, MAX_ID);
  if (value === undefined) throw invalid(`'${name}' is required.`);
  return value;
};
const jobId = bodyId("job_id");
const runId = bodyId("run_id");

/** The part of a list that is asked for, and what the reply says of the parts before and behind it. */
function readPage(query: URLSearchParams, usual: number, most: number) {
  const limit = query.get("limit") ? id(query, "limit") : usual;
  if (limit < 1 || limit > most) throw invalid(`'limit' must be from 1 to ${most}, not ${limit}.`);
  const offset = query.get("page_token") ? id(query, "page_token") : query.get("offset") ? id(query, "offset") : 0;
  const page = (hasMore: boolean) => ({
    has_more: hasMore,
    ...(hasMore && { next_page_token: String(offset + limit) }),
    ...(offset > 0 && { prev_page_token: String(Math.max(offset - limit, 0)) }),
  });
  return { offset, limit, page };
}

/** What run-now gives: values of the job's parameters, or the older parameters of each kind of task. */
function readGiven(body: Fields, settings: Fields): Given {
  const declared = readParameters(settings);
  const values = readStrings(body, "job_parameters");
  const given: Given = { parameters: { ...declared, ...values } };
  if (isObject(body["notebook_params"])) given.notebook_params = readStrings(body, "notebook_params");
  if (isObject(body["sql_params"])) given.sql_params = readStrings(body, "sql_params");
  const python = optionalStrings(body, "python_params");
  if (python) given.python_params = python;
  if (Object.keys(given).length > 1 && Object.keys(given.parameters).length > 0) {
    throw invalid("A job with parameters takes 'job_parameters', and none of 'notebook_params', 'python_params' and 'sql_params'.");
  }
  return given;
}

/** Puts items in the place of those with the same key, and the others behind them. */
function merge(old: unknown, changes: unknown[], key: string): unknown[] {
  const items = new Map((Array.isArray(old) ? old : []).filter(isObject).map((item) => [item[key], item]));
  for (const change of changes.filter(isObject)) items.set(change[key], change);
  return [...items.values()];
}

/** Removes `field`, or the item with a key (`tasks/task_1`). */
function remove(settings: Fields, field: string): void {
  const [list = "", key] = field.split("/");
  if (key === undefined) delete settings[list];
  else if (Array.isArray(settings[list])) settings[list] = settings[list].filter((item) => !Object.values(item as object).includes(key));
}
