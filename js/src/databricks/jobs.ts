/** Jobs and their runs. */
import type { Workspace } from '../workspace.js';
import { operation, type ServiceCallOptions, type WaitOptions } from './module.js';

/**
 * A task, as the Jobs API has it: its key, one of the kinds of work (`notebook_task`, `spark_python_task`, `sql_task`, `run_job_task`,
 * `condition_task`, `pipeline_task` ...), and what it waits for.
 */
export interface Task {
  readonly task_key: string;
  readonly depends_on?: readonly { readonly task_key: string; readonly outcome?: string }[];
  readonly run_if?: 'ALL_SUCCESS' | 'ALL_DONE' | 'NONE_FAILED' | 'AT_LEAST_ONE_SUCCESS' | 'ALL_FAILED' | 'AT_LEAST_ONE_FAILED';
  readonly notebook_task?: { readonly notebook_path: string; readonly base_parameters?: Readonly<Record<string, string>>; readonly source?: 'WORKSPACE' | 'GIT' };
  readonly spark_python_task?: { readonly python_file: string; readonly parameters?: readonly string[] };
  readonly sql_task?: {
    readonly warehouse_id: string; readonly query?: { readonly query_id: string }; readonly file?: { readonly path: string };
    readonly parameters?: Readonly<Record<string, string>>;
  };
  readonly run_job_task?: { readonly job_id: number; readonly job_parameters?: Readonly<Record<string, string>> };
  readonly condition_task?: { readonly op: string; readonly left: string; readonly right: string };
  readonly pipeline_task?: { readonly pipeline_id: string; readonly full_refresh?: boolean };
  readonly [member: string]: unknown;
}

/** A one-time run, as the API takes it. */
export interface RunSettings {
  readonly tasks: readonly Task[];
  readonly run_name?: string;
  /** A call that is made again with the same token starts nothing twice. */
  readonly idempotency_token?: string;
  readonly timeout_seconds?: number;
  readonly [member: string]: unknown;
}

/** A job, as the API takes it. */
export interface JobSettings {
  readonly name?: string;
  readonly tasks?: readonly Task[];
  readonly parameters?: readonly { readonly name: string; readonly default: string }[];
  readonly max_concurrent_runs?: number;
  readonly tags?: Readonly<Record<string, string>>;
  readonly [member: string]: unknown;
}

/** A stored job, as the API gives it. */
export interface Job {
  readonly job_id: number;
  readonly settings: JobSettings;
  readonly created_time?: number;
  readonly creator_user_name?: string;
}

export interface RunState {
  /** `PENDING`, `QUEUED`, `RUNNING`, `TERMINATED`, `SKIPPED`, `INTERNAL_ERROR` ... */
  readonly life_cycle_state: string;
  /** `SUCCESS`, `FAILED`, `TIMEDOUT`, `CANCELED` ... when it has ended. */
  readonly result_state?: string;
  readonly state_message?: string;
}

/** A run, as the API gives it. */
export interface Run {
  readonly run_id: number;
  readonly job_id?: number;
  readonly run_name?: string;
  readonly run_page_url?: string;
  readonly state: RunState;
  /** Milliseconds since 1970. */
  readonly start_time?: number;
  readonly end_time?: number;
  readonly tasks?: readonly { readonly run_id: number; readonly task_key: string; readonly state: RunState; readonly [member: string]: unknown }[];
  readonly [member: string]: unknown;
}

/** What one task's run left behind, as the API gives it. */
export interface RunOutput {
  readonly notebook_output?: { readonly result?: string; readonly truncated?: boolean };
  readonly logs?: string;
  readonly error?: string;
  readonly error_trace?: string;
  readonly [member: string]: unknown;
}

/** Which runs to list, in the parameters of the API. */
export interface RunFilter {
  readonly job_id?: number;
  readonly active_only?: boolean;
  readonly completed_only?: boolean;
  readonly run_type?: 'JOB_RUN' | 'SUBMIT_RUN' | 'WORKFLOW_RUN';
  readonly start_time_from?: number;
  readonly start_time_to?: number;
  readonly expand_tasks?: boolean;
}

/**
 * The jobs of a workspace ([Jobs API](https://docs.databricks.com/api/workspace/jobs), version 2.2).
 *
 * ```ts
 * const jobs = new Jobs(workspace);
 * const run = await jobs.run({ tasks: [{ task_key: 'train', notebook_task: { notebook_path: '/Shared/train' } }] }, { onProgress: console.log });
 * const { notebook_output } = await jobs.output(run.tasks[0].run_id);
 * ```
 */
export class Jobs {
  readonly #workspace: Workspace;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /**
   * Submits a one-time run and waits until it has ended well.
   *
   * @throws `LakeletError` when it fails, with the task that failed, its error and trace: `bad_request`; or `cancelled`, `deadline`, `conflict`.
   */
  async run(run: RunSettings, options?: WaitOptions): Promise<Run> {
    return this.finish(await this.submit(run, options), options);
  }

  /** Submits a one-time run and gives its id. */
  async submit(run: RunSettings, options?: ServiceCallOptions): Promise<number> {
    return (await this.#call<{ run_id: number }>('submit', { run }, options)).run_id;
  }

  /** Starts a run of a job and gives its id. `options` has `job_parameters` and what else the API knows. */
  async runNow(jobId: number, run: { readonly job_parameters?: Readonly<Record<string, string>>; readonly [member: string]: unknown } = {}, options?: ServiceCallOptions): Promise<number> {
    return (await this.#call<{ run_id: number }>('run_now', { job_id: jobId, options: run }, options)).run_id;
  }

  /** Waits until a run has ended well; throws as {@link run}. When the time is over, the run goes on. */
  finish(runId: number, options?: WaitOptions): Promise<Run> {
    return this.#call('finish', { run_id: runId }, options);
  }

  /** A run as it stands. */
  get(runId: number, options?: ServiceCallOptions): Promise<Run> {
    return this.#call('run', { run_id: runId }, options);
  }

  /** What one task's run left behind: the id is that of the task's run. */
  output(taskRunId: number, options?: ServiceCallOptions): Promise<RunOutput> {
    return this.#call('output', { run_id: taskRunId }, options);
  }

  /** Runs, newest first, all pages of them or at most `most`. */
  runs(filter: RunFilter = {}, { most, ...options }: { readonly most?: number } & ServiceCallOptions = {}): Promise<readonly Run[]> {
    return this.#call('runs', { options: filter, most }, options);
  }

  /** Ends a run, or one task's run. */
  async cancel(runId: number, options?: ServiceCallOptions): Promise<void> {
    await this.#call('cancel', { run_id: runId }, options);
  }

  /** Forgets a run that has ended. */
  async deleteRun(runId: number, options?: ServiceCallOptions): Promise<void> {
    await this.#call('delete_run', { run_id: runId }, options);
  }

  /** Stores a job and gives its id. */
  async create(settings: JobSettings, options?: ServiceCallOptions): Promise<number> {
    return (await this.#call<{ job_id: number }>('create', { settings }, options)).job_id;
  }

  job(jobId: number, options?: ServiceCallOptions): Promise<Job> {
    return this.#call('get', { job_id: jobId }, options);
  }

  /** Jobs, all pages of them or at most `most`. */
  list(filter: { readonly name?: string; readonly expand_tasks?: boolean } = {}, { most, ...options }: { readonly most?: number } & ServiceCallOptions = {}): Promise<readonly Job[]> {
    return this.#call('list', { options: filter, most }, options);
  }

  /** Changes some settings of a job; the fields named in `remove` go. */
  async update(jobId: number, settings: JobSettings, { remove, ...options }: { readonly remove?: readonly string[] } & ServiceCallOptions = {}): Promise<void> {
    await this.#call('update', { job_id: jobId, settings, remove }, options);
  }

  /** Gives a job new settings in the place of all old ones. */
  async reset(jobId: number, settings: JobSettings, options?: ServiceCallOptions): Promise<void> {
    await this.#call('reset', { job_id: jobId, settings }, options);
  }

  /** Deletes a job. Its runs stay. */
  async delete(jobId: number, options?: ServiceCallOptions): Promise<void> {
    await this.#call('delete', { job_id: jobId }, options);
  }

  #call<T>(name: string, args: Readonly<Record<string, unknown>>, options?: WaitOptions): Promise<T> {
    return operation<T>(this.#workspace, `jobs.${name}`, args, options);
  }
}
