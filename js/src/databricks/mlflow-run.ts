/** A run of MLflow. */
import type { Workspace } from '../workspace.js';
import { operation, type ServiceCallOptions } from './module.js';

/** What the server tells of a run that was started. */
export interface StartedRun {
  readonly run_id: string;
  readonly run_name?: string;
  readonly experiment_id?: string;
  readonly artifact_uri?: string;
  readonly [member: string]: unknown;
}

/** How a run ends. */
export type MlflowRunStatus = 'FINISHED' | 'FAILED' | 'KILLED';

/** A run that is logged to. Made by {@link MlflowLogger.startRun}. */
export class MlflowRun {
  readonly #workspace: Workspace;
  readonly id: string;
  /** What the server told when it was started. */
  readonly info: StartedRun | undefined;

  /** @internal */
  constructor(workspace: Workspace, id: string, info?: StartedRun) {
    this.#workspace = workspace;
    this.id = id;
    this.info = info;
  }

  /** Logs metrics at a step; 0 unless given. */
  logMetrics(metrics: Readonly<Record<string, number>>, step = 0, options?: ServiceCallOptions): Promise<void> {
    return this.#call('log_metrics', { metrics, step }, options);
  }

  /** Logs parameters. A parameter keeps its first value: another one is refused. */
  logParams(params: Readonly<Record<string, unknown>>, options?: ServiceCallOptions): Promise<void> {
    return this.#call('log_params', { params }, options);
  }

  /** Sets tags. */
  setTags(tags: Readonly<Record<string, string>>, options?: ServiceCallOptions): Promise<void> {
    return this.#call('set_tags', { tags }, options);
  }

  /** Logs which data the run was given: objects by column, under a name. */
  logDataset(name: string, rows: readonly object[], { context, source, ...options }: { readonly context?: string; readonly source?: string } & ServiceCallOptions = {}): Promise<void> {
    return this.#call('log_dataset', { name, rows, context, source }, options);
  }

  /** Writes a file into the run's artifacts, in the place of an earlier one. */
  logArtifact(path: string, content: Uint8Array | string, options?: ServiceCallOptions): Promise<void> {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    return this.#call('log_artifact', { path }, { ...options, bytes });
  }

  /** Writes a JSON value into the run's artifacts: `logDict({...}, 'pipeline_config.json')`. */
  logDict(value: unknown, path: string, options?: ServiceCallOptions): Promise<void> {
    return this.logArtifact(path, JSON.stringify(value, null, 2), options);
  }

  /** Writes a table into the run's artifacts, which MLflow's page shows and compares between runs. */
  logTable(path: string, rows: readonly object[], options?: ServiceCallOptions): Promise<void> {
    return this.#call('log_table', { path, rows }, options);
  }

  /** Ends the run; as finished unless told otherwise. */
  end(status: MlflowRunStatus = 'FINISHED', options?: ServiceCallOptions): Promise<void> {
    return this.#call('end_run', { status }, options);
  }

  /** Does some work and ends the run: as failed, with the reason in the tag `error`, if the work fails. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    let result: T;
    try {
      result = await work();
    } catch (error) {
      // What stopped the work says more than what stops this.
      await this.setTags({ error: String(error) }).catch(() => {});
      await this.end('FAILED').catch(() => {});
      throw error;
    }
    await this.end();
    return result;
  }

  async #call(name: string, args: Readonly<Record<string, unknown>>, options?: ServiceCallOptions & { readonly bytes?: Uint8Array }): Promise<void> {
    await operation(this.#workspace, `mlflow.${name}`, { run_id: this.id, ...args }, options);
  }
}
