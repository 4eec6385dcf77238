import type { Kind, Task } from "./settings.js";
import type { Output, Run } from "./store.js";

/** One attempt at a task. */
export interface Attempt {
  /** The id of the task's own run. */
  id: number;
  run: Run;
  task: Task;
  /** The fields of its kind, with all references resolved. */
  work: Record<string, unknown>;
  /** Values that earlier tasks of the run have set, by task and key. */
  values: Record<string, Record<string, unknown>>;
  /** Aborts when the task has to end. */
  signal: AbortSignal;
}

/** Does the work of one kind of task. Rejects with a TaskFailure where the work fails. */
export type Executor = (attempt: Attempt) => Promise<Output>;
export type Executors = Record<Kind, Executor>;

/** A task's work failed: what `runs/get-output` tells of it. */
export class TaskFailure extends Error {
  readonly output: Output;

  constructor(message: string, output: Output = {}) {
    super(message);
    this.output = { error: message, ...output };
  }
}
