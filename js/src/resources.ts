/** What a program may use of a workspace's endpoints, and programs over many examples. */
import { store as coreStore, type CacheStore } from './cache.js';
import { calling, inCore, init } from './core.js';
import { LakeletError } from './errors.js';
import type { DescribedError, Usage } from './events.js';
import { inputsOf } from './evaluate.js';
import type { Program } from './program.js';
import { Run, type CallOptions } from './run.js';
import { opened } from './types.js';
import { Model } from './workspace.js';

/** Where models come from by their type: a `ModelRegistry` of `lakelet/databricks`, or an object of one's own. */
export interface ModelSource {
  getModel(modelType: string): Model | Promise<Model>;
}

/** What an endpoint is doing. */
export interface EndpointLoad {
  readonly inFlight: number;
  readonly waiting: number;
  /** How many requests may be in flight now. */
  readonly limit: number;
  /** How many may be in flight when the endpoint does not complain. */
  readonly poolSize: number;
  /** How long nothing is sent, because the endpoint asked for it. */
  readonly pausedMs: number;
  /** How often the endpoint's complaints have halved the limit. */
  readonly halvings: number;
}

/** How far the work on many examples is, when one has ended. */
export interface BatchProgress {
  /** The place of the example. */
  readonly item: number;
  /** Why it failed, if it did. */
  readonly error?: DescribedError;
  readonly done: number;
  readonly total: number;
  readonly failed: number;
  /** How many were kept by an earlier run. */
  readonly kept: number;
  readonly elapsedMs: number;
}

/** How a program is run on many examples. */
export interface BatchOptions extends CallOptions {
  /** Examples in a batch, which are under way together; 32 unless given. */
  readonly batchSize?: number;
  /** Batches under way at once; 4 unless given. */
  readonly batchesInFlight?: number;
  /** The fields of an example that the program is given. Predictors and pipelines tell them themselves; others are given all. */
  readonly inputs?: readonly string[];
  /** Where predictions are kept, so that work which was broken off goes on where it was. Failures are not kept. */
  readonly store?: CacheStore;
  /** Tells the work apart from other work in the store: the name of the program and its version. */
  readonly job?: string;
  /** Told whenever an example has ended. */
  readonly onProgress?: (progress: BatchProgress) => void;
}

/** What came of one example. */
export interface BatchItem<R extends object, O extends object> {
  /** The very object that was given. */
  readonly example: R;
  /** What the program predicted; `null` when the example failed. */
  readonly prediction: O | null;
  /** Why it failed, if it did. */
  readonly error?: LakeletError;
  /** The prediction was kept by an earlier run. */
  readonly isKept: boolean;
  readonly latencyMs: number;
}

/** What came of many examples. */
export interface BatchResults<R extends object, O extends object> {
  /** In the order of the examples. */
  readonly items: readonly BatchItem<R, O>[];
  readonly failed: number;
  /** The tokens of all model calls. */
  readonly usage: Usage;
}

/** Work on examples as the core tells it: the records are the predictions. */
interface Outcome {
  readonly items: readonly { readonly isKept: boolean; readonly latencyMs: number; readonly error?: DescribedError }[];
  readonly records: object[];
}

/**
 * Shares what endpoints can take between all who ask: the study's pools, where a request over `fetch` has turns instead of connections.
 *
 * ```ts
 * const resources = new ResourceManager(new ModelRegistry(workspace));
 * configure({ lm: await resources.getEndpoint('chat') });
 * const { items, failed } = await resources.optimizeBatchProcessing(qa, questions, { store: new Map(), job: 'qa 1' });
 * ```
 */
export class ResourceManager {
  readonly #models: ModelSource;
  readonly #resources = inCore(() => calling((core) => new core.Resources()));

  constructor(models: ModelSource) {
    this.#models = models;
  }

  /**
   * A model of that type, whose requests wait their turn. Each call is a caller of its own, with whom the others take turns; requests for
   * the same endpoint stand in one queue. When the endpoint complains, everybody waits as long as it asks, and fewer are in flight.
   *
   * @param poolSize how many requests are in flight at once; who asks for an endpoint first decides.
   * @throws what the source throws: for a `ModelRegistry`, `input` with "Unknown model type".
   */
  async getEndpoint(modelType: string, poolSize = 5): Promise<Model> {
    if (!Number.isSafeInteger(poolSize) || poolSize < 1) {
      throw new LakeletError(`poolSize must be a whole number from 1 on, not ${poolSize}`, { code: 'input', field: 'poolSize' });
    }
    await init();
    const model = await this.#models.getModel(modelType);
    const pooled = new Model(model.name, model.owner, () => calling(() => this.#resources().get_endpoint(model.handle, poolSize)));
    void pooled.handle; // the pool is there from now on
    return pooled;
  }

  /** What the endpoints are doing, by name. */
  get loads(): Readonly<Record<string, EndpointLoad>> {
    return JSON.parse(calling(() => this.#resources().loads())) as Record<string, EndpointLoad>;
  }

  /**
   * Runs a program on many examples, in batches. What fails is told in its place and loses nothing of the rest.
   *
   * @throws `LakeletError` when the work as a whole cannot be done: an example that is no object, a call that was cancelled.
   */
  optimizeBatchProcessing<I extends object, O extends object, R extends I>(
    program: Program<I, O>, examples: readonly R[], options: BatchOptions = {},
  ): Promise<BatchResults<R, O>> {
    const { batchSize, batchesInFlight, inputs, store, job, onProgress, ...call } = options;
    return Run.begin(call, async (run) => {
      const watch = onProgress && ((text: string) => onProgress(JSON.parse(text) as BatchProgress));
      const given = { ...(inputs ? { inputs } : inputsOf(program)), examples, batchSize, batchesInFlight, job };
      const text = await run.batches(program.inner(run), store && coreStore(store), watch, given);
      const { items, records } = opened<Outcome>(text);
      const told = items.map(({ error, ...item }, i) => ({
        example: examples[i] as R,
        prediction: error ? null : (records[i] as O),
        ...item,
        ...(error && { error: new LakeletError(error.message, error) }),
      }));
      return { items: told, failed: told.filter(({ error }) => error).length, usage: run.usage.usage };
    });
  }
}
