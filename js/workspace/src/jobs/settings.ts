import { invalid, notImplemented } from "../http/errors.js";
import { isObject, optionalInteger, optionalString, requiredString } from "../http/fields.js";

type Fields = Record<string, unknown>;

const RUN_IF = ["ALL_SUCCESS", "ALL_DONE", "NONE_FAILED", "AT_LEAST_ONE_SUCCESS", "ALL_FAILED", "AT_LEAST_ONE_FAILED"] as const;
export type RunIf = (typeof RUN_IF)[number];

/** The kinds of task that run here. */
const KINDS = ["notebook_task", "spark_python_task", "sql_task", "run_job_task", "condition_task", "pipeline_task"] as const;
export type Kind = (typeof KINDS)[number];

/** Those that Databricks has too, and what to use instead. */
const LACKING: Record<string, string> = {
  python_wheel_task: "a spark_python_task that imports the package",
  spark_jar_task: "a spark_python_task or sql_task",
  spark_submit_task: "a spark_python_task",
  dbt_task: "a sql_task for each model",
  dbt_cloud_task: "a sql_task for each model",
  dbt_platform_task: "a sql_task for each model",
  for_each_task: "one task for each value",
  dashboard_task: "a sql_task",
  alert_task: "a sql_task and a condition_task",
  power_bi_task: "a sql_task",
  gen_ai_compute_task: "a spark_python_task",
  ai_runtime_task: "a spark_python_task",
  python_operator_task: "a spark_python_task",
  clean_rooms_notebook_task: "a notebook_task",
};

const MAX_TASKS = 100;

/** One task of a job or run, checked. */
export interface Task {
  key: string;
  kind: Kind;
  /** The fields of its kind, as sent. */
  work: Fields;
  dependsOn: Array<{ key: string; outcome?: string }>;
  runIf: RunIf;
  /** Seconds; 0 is without end. */
  timeout: number;
  retries: number;
  /** Milliseconds between two attempts. */
  retryInterval: number;
  disabled: boolean;
  environment: string | undefined;
  libraries: unknown[];
  /** The task as sent, which replies repeat. */
  sent: Fields;
}

/** Reads the tasks of a job or of a one-time run. Throws a 400 that names the task and the field, or a 501 for what no task can do here. */
export function readTasks(body: Fields): Task[] {
  const sent = body["tasks"] ?? [];
  if (!Array.isArray(sent) || !sent.every(isObject)) throw invalid("'tasks' must be a list of tasks.");
  if (sent.length > MAX_TASKS) throw invalid(`A job has at most ${MAX_TASKS} tasks here; this one has ${sent.length}.`);
  if (isObject(body["git_source"])) throw notImplemented("git_source is not part of the local workspace: import the files with /api/2.0/workspace/import.");
  const tasks = sent.map(readTask);
  const keys = new Set(tasks.map(({ key }) => key));
  if (keys.size < tasks.length) throw invalid("Each 'task_key' must be unique within the job.");
  for (const { key, dependsOn } of tasks) {
    for (const { key: other } of dependsOn) {
      if (!keys.has(other)) throw invalid(`Task '${key}' depends on '${other}', which is no task of the job.`);
    }
  }
  checkAcyclic(tasks);
  return tasks;
}

function readTask(sent: Fields): Task {
  const key = requiredString(sent, "task_key");
  if (!/^[\w-]{1,100}$/.test(key)) throw invalid(`'task_key' must have 1 to 100 letters, digits, - and _, not '${key}'.`);
  const inTask = <T>(read: () => T): T => {
    try {
      return read();
    } catch (error) {
      (error as Error).message = `Task '${key}': ${(error as Error).message}`;
      throw error;
    }
  };
  return inTask(() => {
    const kind = readKind(sent);
    const work = sent[kind] as Fields;
    checkWork(kind, work);
    const runIf = optionalString(sent, "run_if") ?? "ALL_SUCCESS";
    if (!RUN_IF.some((known) => known === runIf)) throw invalid(`'run_if' must be one of ${RUN_IF.join(", ")}, not '${runIf}'.`);
    const libraries = sent["libraries"] ?? [];
    if (!Array.isArray(libraries)) throw invalid("'libraries' must be a list.");
    return {
      key,
      kind,
      work,
      dependsOn: readDependencies(sent["depends_on"]),
      runIf: runIf as RunIf,
      timeout: optionalInteger(sent, "timeout_seconds", 0, 2 ** 31) ?? 0,
      retries: optionalInteger(sent, "max_retries", -1, 1000) ?? 0,
      retryInterval: optionalInteger(sent, "min_retry_interval_millis", 0, 2 ** 31) ?? 0,
      disabled: sent["disabled"] === true,
      environment: optionalString(sent, "environment_key"),
      libraries,
      sent,
    };
  });
}

function readKind(sent: Fields): Kind {
  const lacking = Object.keys(LACKING).find((name) => isObject(sent[name]));
  if (lacking) throw notImplemented(`${lacking} is not part of the local workspace. Use ${LACKING[lacking]}.`);
  const given = KINDS.filter((kind) => isObject(sent[kind]));
  if (given.length !== 1) throw invalid(`give one of ${KINDS.join(", ")}; ${given.length === 0 ? "none is given" : `both ${given.join(" and ")} are given`}.`);
  return given[0] as Kind;
}

function readDependencies(value: unknown): Task["dependsOn"] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every(isObject)) throw invalid("'depends_on' must be a list of {task_key}.");
  return value.map((dependency) => {
    const outcome = optionalString(dependency, "outcome");
    return { key: requiredString(dependency, "task_key"), ...(outcome !== undefined && { outcome }) };
  });
}

const CONDITIONS = ["EQUAL_TO", "NOT_EQUAL", "GREATER_THAN", "GREATER_THAN_OR_EQUAL", "LESS_THAN", "LESS_THAN_OR_EQUAL"];

function checkWork(kind: Kind, work: Fields): void {
  if (kind === "notebook_task") requiredString(work, "notebook_path");
  if (kind === "spark_python_task") requiredString(work, "python_file");
  if (kind === "pipeline_task") requiredString(work, "pipeline_id");
  if (kind === "run_job_task" && optionalInteger(work, "job_id", 0, Number.MAX_SAFE_INTEGER) === undefined) throw invalid("'job_id' is required.");
  if (kind === "condition_task") {
    const op = requiredString(work, "op");
    if (!CONDITIONS.includes(op)) throw invalid(`'op' must be one of ${CONDITIONS.join(", ")}, not '${op}'.`);
    for (const side of ["left", "right"]) if (optionalString(work, side) === undefined) throw invalid(`'${side}' is required.`);
  }
  if (kind === "sql_task") {
    requiredString(work, "warehouse_id");
    if (isObject(work["dashboard"]) || isObject(work["alert"])) throw notImplemented("dashboards and alerts are not part of the local workspace: give 'query' or 'file'.");
    const [query, file] = [work["query"], work["file"]];
    if (isObject(query) === isObject(file)) throw invalid("give one of 'query' and 'file'.");
    if (isObject(query)) requiredString(query, "query_id");
    if (isObject(file)) requiredString(file, "path");
  }
  for (const source of [work["source"], isObject(work["file"]) ? work["file"]["source"] : undefined]) {
    if (source === "GIT") throw notImplemented("files from Git are not part of the local workspace: import them, and leave 'source' out.");
  }
}

/** Refuses tasks that wait for each other. */
function checkAcyclic(tasks: Task[]): void {
  const waiting = new Map(tasks.map((task) => [task.key, task.dependsOn.map(({ key }) => key)]));
  for (;;) {
    const free = [...waiting].filter(([, others]) => others.every((other) => !waiting.has(other)));
    if (free.length === 0) break;
    for (const [key] of free) waiting.delete(key);
  }
  if (waiting.size > 0) throw invalid(`The tasks ${[...waiting.keys()].map((key) => `'${key}'`).join(", ")} depend on each other in a circle.`);
}

/** Reads the parameters that a job declares: their defaults by name. */
export function readParameters(body: Fields): Record<string, string> {
  const sent = body["parameters"] ?? [];
  if (!Array.isArray(sent) || !sent.every(isObject)) throw invalid("'parameters' must be a list of {name, default}.");
  return Object.fromEntries(sent.map((parameter) => [requiredString(parameter, "name"), optionalString(parameter, "default") ?? ""]));
}

/** Reads an object whose values are strings. */
export function readStrings(body: Fields, name: string): Record<string, string> {
  const value = body[name] ?? {};
  if (!isObject(value) || !Object.values(value).every((item) => typeof item === "string")) throw invalid(`'${name}' must be an object of strings.`);
  return value as Record<string, string>;
}
