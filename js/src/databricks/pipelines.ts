/** Declarative pipelines: Delta Live Tables, now Lakeflow Spark Declarative Pipelines. */
import type { Workspace } from '../workspace.js';
import { operation, type ServiceCallOptions, type WaitOptions } from './module.js';

/** A pipeline, as the API takes it. */
export interface PipelineSpec {
  readonly name: string;
  /** Where its tables are published. */
  readonly catalog?: string;
  readonly schema?: string;
  readonly libraries?: readonly (
    | { readonly notebook: { readonly path: string } }
    | { readonly file: { readonly path: string } }
    | { readonly glob: { readonly include: string } }
  )[];
  readonly configuration?: Readonly<Record<string, string>>;
  readonly serverless?: boolean;
  readonly continuous?: boolean;
  readonly development?: boolean;
  readonly [member: string]: unknown;
}

/** A stored pipeline, as the API gives it. */
export interface PipelineInfo {
  readonly pipeline_id: string;
  readonly name: string;
  /** `IDLE`, `RUNNING`, `STOPPING`, `FAILED` ... */
  readonly state: string;
  readonly spec?: PipelineSpec;
  readonly latest_updates?: readonly { readonly update_id: string; readonly state: string; readonly creation_time: string }[];
  readonly [member: string]: unknown;
}

/** What an update is asked to do. */
export interface UpdateRequest {
  readonly full_refresh?: boolean;
  /** The tables to update; all unless given. */
  readonly refresh_selection?: readonly string[];
  readonly full_refresh_selection?: readonly string[];
  /** Reads the sources, and makes nothing. */
  readonly validate_only?: boolean;
}

/** An update, as the API gives it. */
export interface PipelineUpdate {
  readonly update_id: string;
  readonly pipeline_id?: string;
  /** `INITIALIZING`, `RUNNING`, `COMPLETED`, `FAILED`, `CANCELED` ... */
  readonly state: string;
  readonly [member: string]: unknown;
}

/** What happened in a pipeline, as the API gives it. */
export interface PipelineEvent {
  readonly id: string;
  readonly event_type: string;
  readonly level: 'INFO' | 'WARN' | 'ERROR' | 'METRICS';
  readonly message: string;
  /** RFC 3339. */
  readonly timestamp: string;
  readonly [member: string]: unknown;
}

/**
 * The pipelines of a workspace ([Pipelines API](https://docs.databricks.com/api/workspace/pipelines)).
 *
 * ```ts
 * const pipelines = new Pipelines(workspace);
 * const id = await pipelines.create({ name: 'docs', catalog: 'main', schema: 'rag', libraries: [{ file: { path: '/Shared/docs.sql' } }] });
 * await pipelines.run(id, {}, { onProgress: ({ state, message }) => console.log(state, message) });
 * ```
 */
export class Pipelines {
  readonly #workspace: Workspace;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /** Creates a pipeline and gives its id. Nothing runs until it is started. */
  async create(spec: PipelineSpec, options?: ServiceCallOptions): Promise<string> {
    return (await this.#call<{ pipeline_id: string }>('create', { spec }, options)).pipeline_id;
  }

  get(pipelineId: string, options?: ServiceCallOptions): Promise<PipelineInfo> {
    return this.#call('get', { pipeline_id: pipelineId }, options);
  }

  /** Pipelines; `filter` is one of the API: `name LIKE '%docs%'`. */
  list({ filter, most, ...options }: { readonly filter?: string; readonly most?: number } & ServiceCallOptions = {}): Promise<readonly PipelineInfo[]> {
    return this.#call('list', { filter, most }, options);
  }

  /** Gives a pipeline a new specification in the place of the old one. */
  async edit(pipelineId: string, spec: PipelineSpec, options?: ServiceCallOptions): Promise<void> {
    await this.#call('edit', { pipeline_id: pipelineId, spec }, options);
  }

  /** Deletes a pipeline, with the tables that it has made. */
  async delete(pipelineId: string, options?: ServiceCallOptions): Promise<void> {
    await this.#call('delete', { pipeline_id: pipelineId }, options);
  }

  /**
   * Starts an update and waits until it has ended well. Progress is told by its state, with the messages of its events.
   *
   * @throws `LakeletError` when it fails, with what its events say: `bad_request`; or `cancelled`, `deadline`, `conflict`.
   */
  async run(pipelineId: string, update: UpdateRequest = {}, options?: WaitOptions): Promise<PipelineUpdate> {
    return this.follow(pipelineId, await this.start(pipelineId, update, options), options);
  }

  /** Starts an update and gives its id. */
  async start(pipelineId: string, update: UpdateRequest = {}, options?: ServiceCallOptions): Promise<string> {
    return (await this.#call<{ update_id: string }>('start', { pipeline_id: pipelineId, options: update }, options)).update_id;
  }

  /** An update as it stands. */
  update(pipelineId: string, updateId: string, options?: ServiceCallOptions): Promise<PipelineUpdate> {
    return this.#call('update', { pipeline_id: pipelineId, update_id: updateId }, options);
  }

  /** Waits until an update has ended well; throws as {@link run}. When the time is over, the update goes on. */
  follow(pipelineId: string, updateId: string, options?: WaitOptions): Promise<PipelineUpdate> {
    return this.#call('follow', { pipeline_id: pipelineId, update_id: updateId }, options);
  }

  /** Events, newest first; `filter` is one of the API: `level='ERROR'`. */
  events(pipelineId: string, { filter, most, ...options }: { readonly filter?: string; readonly most?: number } & ServiceCallOptions = {}): Promise<readonly PipelineEvent[]> {
    return this.#call('events', { pipeline_id: pipelineId, filter, most }, options);
  }

  /** Stops the active update, and waits until the pipeline rests. */
  async stop(pipelineId: string, options?: WaitOptions): Promise<void> {
    await this.#call('stop', { pipeline_id: pipelineId }, options);
  }

  #call<T>(name: string, args: Readonly<Record<string, unknown>>, options?: WaitOptions): Promise<T> {
    return operation<T>(this.#workspace, `pipelines.${name}`, args, options);
  }
}
