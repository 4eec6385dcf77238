import { setTimeout as sleep } from "node:timers/promises";
import { invalid } from "../http/errors.js";
import { isObject } from "../http/fields.js";
import { decide } from "./dependencies.js";
import { resolve } from "./references.js";
import { readTasks, type Task } from "./settings.js";
import { ENDED, runState, type Result, type State } from "./states.js";
import type { JobStore, NewRun, Run, TaskRun } from "./store.js";
import { TaskFailure, type Attempt, type Executors } from "./task.js";

/** Why work is cut short. */
type Cut = { why: "canceled" } | { why: "timed out"; seconds: number } | { why: "stopped" };

interface Active {
  run: Run;
  control: AbortController;
  /** To cancel one task, by the id of its run. */
  tasks: Map<number, AbortController>;
  ended: Promise<void>;
}

/** Runs jobs: each task when those it waits for have ended, independent ones side by side. */
export class JobRunner {
  readonly #store: JobStore;
  readonly #executors: Executors;
  readonly #host: () => string;
  readonly #log: (line: string) => void;
  readonly #active = new Map<number, Active>();
  /** Who waits for the end of a run. */
  readonly #waiting = new Map<number, Array<() => void>>();
  #closed = false;

  /** `host` gives the URL of the workspace. */
  constructor(store: JobStore, executors: Executors, host: () => string, log: (line: string) => void) {
    this.#store = store;
    this.#executors = executors;
    this.#host = host;
    this.#log = log;
  }

  /** Stores and starts a run. One with a token that an earlier run has is that run. Throws a 400 if it has no tasks. */
  launch(run: NewRun, token?: string): Run {
    const tasks = readTasks(run.settings).map(({ key }) => key);
    if (tasks.length === 0) throw invalid("The job has no tasks: give at least one in 'tasks'.");
    const { run: stored, isNew } = this.#store.createRun(run, tasks, { life: "PENDING", message: "" }, token);
    if (isNew) this.#start(stored);
    return stored;
  }

  /** Starts a stored run, or lets it wait or skips it where the job has as many as it may. */
  #start(run: Run): void {
    const limit = run.type === "JOB_RUN" ? Number(run.settings["max_concurrent_runs"] ?? 1) : Infinity;
    const others = [...this.#active.values()].filter((active) => active.run.job === run.job);
    if (others.length < limit) return this.#begin(run);
    const queue = run.settings["queue"];
    if (isObject(queue) && queue["enabled"] === true) {
      this.#store.setState(run.id, { life: "QUEUED", message: `${limit} run(s) of the job are active already.` });
      void Promise.race(others.map(({ ended }) => ended)).then(() => {
        if (!this.#closed && this.#store.run(run.id).state.life === "QUEUED") this.#start(run);
      });
      return;
    }
    this.#endTasks(run.id, { life: "SKIPPED", result: "EXCLUDED", message: "The run was skipped." });
    this.#end(run.id, { life: "SKIPPED", result: "MAXIMUM_CONCURRENT_RUNS_REACHED", message: `${limit} run(s) of the job are active already, and it has no queue.` });
  }

  /** Cancels a run, or the one task whose run's id is given. What has ended stays as it is. */
  cancel(id: number): void {
    const reason: Cut = { why: "canceled" };
    if (this.#store.isTask(id)) {
      const { run } = this.#store.task(id);
      this.#active.get(run)?.tasks.get(id)?.abort(reason);
      return;
    }
    const run = this.#store.run(id);
    if (ENDED.includes(run.state.life)) return;
    const active = this.#active.get(id);
    if (active) {
      this.#store.setState(id, { ...run.state, life: "TERMINATING" });
      active.control.abort(reason);
    } else {
      this.#endTasks(id, cutState(reason));
      this.#end(id, cutState(reason));
    }
  }

  /** Resolves when a run has ended. */
  async ended(id: number): Promise<Run> {
    while (!this.#closed && !ENDED.includes(this.#store.run(id).state.life)) {
      await new Promise<void>((resolve) => this.#waiting.set(id, [...(this.#waiting.get(id) ?? []), resolve]));
    }
    return this.#store.run(id);
  }

  /** Ends all that runs, and says in their states that the workspace was stopped. */
  async close(): Promise<void> {
    this.#closed = true;
    const active = [...this.#active.values()];
    for (const { control } of active) control.abort({ why: "stopped" } satisfies Cut);
    await Promise.all(active.map(({ ended }) => ended));
  }

  #begin(run: Run): void {
    const control = new AbortController();
    const tasks = new Map<number, AbortController>();
    const ended = this.#perform(run, control, tasks)
      .catch((error: Error) => {
        this.#log(`internal error in run ${run.id}: ${error.stack}`);
        return { life: "INTERNAL_ERROR", result: "FAILED", message: "The local workspace failed; its log says why." } satisfies State;
      })
      .then((state) => {
        this.#active.delete(run.id);
        this.#end(run.id, state);
      });
    this.#active.set(run.id, { run, control, tasks, ended });
  }

  async #perform(run: Run, control: AbortController, controls: Map<number, AbortController>): Promise<State> {
    this.#store.setState(run.id, { life: "RUNNING", message: "In run" });
    const seconds = Number(run.settings["timeout_seconds"] ?? 0);
    const stopClock = abortAfter(control, seconds);
    const tasks = readTasks(run.settings);
    const ends = new Map<string, Promise<State>>();
    const end = (key: string): Promise<State> => {
      const known = ends.get(key);
      if (known) return known;
      const task = tasks.find((task) => task.key === key) as Task;
      const promise = this.#task(run, task, end, control.signal, controls);
      ends.set(key, promise);
      return promise;
    };
    const awaited = new Set(tasks.flatMap(({ dependsOn }) => dependsOn.map(({ key }) => key)));
    const states = await Promise.all(tasks.map(async ({ key }) => ({ key, isLast: !awaited.has(key), state: await end(key) })));
    stopClock();
    return control.signal.aborted ? cutState(control.signal.reason as Cut) : runState(states);
  }

  /** Waits for what the task waits for, then makes one attempt after the other, and returns how it ended. */
  async #task(run: Run, task: Task, end: (key: string) => Promise<State>, signal: AbortSignal, controls: Map<number, AbortController>): Promise<State> {
    const upstream = await Promise.all(task.dependsOn.map(async ({ key, outcome }) => {
      const { result = "FAILED" } = await end(key);
      return { result, taken: outcome === undefined || this.#find(run.id, key).output.outcome === outcome };
    }));
    let current = this.#find(run.id, task.key);
    const verdict = task.disabled ? "DISABLED" : decide(task.runIf, upstream);
    if (signal.aborted || verdict !== "run") {
      const state = signal.aborted ? cutState(signal.reason as Cut) : skipped(verdict as Result);
      this.#store.setState(current.id, state);
      return state;
    }
    for (;;) {
      const state = await this.#attempt(run, task, current, signal, controls);
      this.#store.setState(current.id, state);
      const again = state.result === "FAILED" && (task.retries < 0 || current.attempt < task.retries);
      if (!again) return state;
      current = this.#store.createAttempt(current);
      this.#store.setState(current.id, { life: "WAITING_FOR_RETRY", message: "" });
      await sleep(task.retryInterval, undefined, { signal }).catch(() => {});
    }
  }

  async #attempt(run: Run, task: Task, current: TaskRun, runSignal: AbortSignal, controls: Map<number, AbortController>): Promise<State> {
    const control = new AbortController();
    controls.set(current.id, control);
    const stopClock = abortAfter(control, task.timeout);
    const signal = AbortSignal.any([runSignal, control.signal]);
    try {
      signal.throwIfAborted();
      this.#store.setState(current.id, { life: "RUNNING", message: "In run" });
      const work = resolve(task.work, (name) => this.#lookup(run, task, current, name));
      const attempt: Attempt = { id: current.id, run, task, work, values: this.#values(run.id), signal };
      const output = await this.#executors[task.kind](attempt);
      this.#store.setOutput(current.id, output);
      return { life: "TERMINATED", result: "SUCCESS", message: "" };
    } catch (error) {
      return this.#explain(current.id, error, signal);
    } finally {
      stopClock();
      controls.delete(current.id);
    }
  }

  #explain(id: number, error: unknown, signal: AbortSignal): State {
    if (error instanceof TaskFailure) this.#store.setOutput(id, error.output);
    if (signal.aborted) return cutState(signal.reason as Cut);
    if (!(error instanceof TaskFailure)) {
      this.#log(`internal error in task run ${id}: ${error instanceof Error ? error.stack : String(error)}`);
      this.#store.setOutput(id, { error: "The local workspace failed; its log says why." });
    }
    return { life: "TERMINATED", result: "FAILED", message: "Workload failed, see run output for details" };
  }

  /** What a reference such as `job.parameters.day` stands for. */
  #lookup(run: Run, task: Task, current: TaskRun, name: string): unknown {
    const [scope = "", field = "", ...rest] = name.split(".");
    const more = rest.join(".");
    if (scope === "job" && field === "parameters") return run.given.parameters[more];
    if (scope === "tasks") {
      const other = this.#store.tasks(run.id).find(({ key }) => key === field);
      if (more === "run_id") return other?.id;
      if (more === "result_state") return other?.state.result?.toLowerCase();
      if (more === "output.result") return other?.output.notebook_output?.result;
      return more.startsWith("values.") ? other?.output.values?.[more.slice("values.".length)] : undefined;
    }
    const known: Record<string, unknown> = {
      "job.id": run.job,
      "job.run_id": run.id,
      "job.name": run.name,
      "job.start_time.iso_date": new Date(run.start).toISOString().slice(0, 10),
      "job.start_time.iso_datetime": new Date(run.start).toISOString(),
      "job.start_time.timestamp_ms": run.start,
      "task.name": task.key,
      "task.run_id": current.id,
      "task.execution_count": current.attempt + 1,
      "workspace.url": this.#host(),
    };
    return known[name];
  }

  #values(run: number): Attempt["values"] {
    return Object.fromEntries(this.#store.tasks(run).map(({ key, output }) => [key, output.values ?? {}]));
  }

  #find(run: number, key: string): TaskRun {
    return this.#store.tasks(run).find((task) => task.key === key) as TaskRun;
  }

  #end(run: number, state: State): void {
    this.#store.setState(run, state);
    for (const tell of this.#waiting.get(run) ?? []) tell();
    this.#waiting.delete(run);
  }

  #endTasks(run: number, state: State): void {
    for (const { id } of this.#store.tasks(run)) this.#store.setState(id, state);
  }
}

/** Aborts after some seconds, or never if they are 0; returns what stops that. */
function abortAfter(control: AbortController, seconds: number): () => void {
  if (seconds <= 0) return () => {};
  const timer = setTimeout(() => control.abort({ why: "timed out", seconds } satisfies Cut), Math.min(seconds * 1000, 2 ** 31 - 1));
  return () => clearTimeout(timer);
}

function cutState(cut: Cut): State {
  if (cut.why === "canceled") return { life: "TERMINATED", result: "CANCELED", message: "Run cancelled.", cut: true };
  if (cut.why === "timed out") return { life: "TERMINATED", result: "TIMEDOUT", message: `Run timed out after ${cut.seconds} s.`, cut: true };
  return { life: "INTERNAL_ERROR", result: "FAILED", message: "The workspace was stopped while this was under way." };
}

function skipped(result: Result): State {
  const messages: Partial<Record<Result, string>> = {
    UPSTREAM_FAILED: "An upstream task failed.",
    UPSTREAM_CANCELED: "An upstream task was cancelled.",
    EXCLUDED: "The conditions to run the task were not met.",
    DISABLED: "The task is disabled.",
  };
  return { life: "SKIPPED", result, message: messages[result] ?? "" };
}
