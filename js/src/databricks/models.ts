/** The models of a workspace: by type, by name, and by what a task needs. */
import type { Span } from '../events.js';
import type { Model, Workspace } from '../workspace.js';
import { operation, type ServiceCallOptions } from './module.js';

/** What a model is for. */
export type ModelType = 'chat' | 'completion' | 'embedding';

/** Makes a vector of each text. */
export type Embedder = (texts: readonly string[]) => Promise<number[][]>;

/** An endpoint of the workspace as a model, with what the catalogue knows of a model of its name. */
export interface ServedModel {
  /** The endpoint's name. */
  readonly name: string;
  /** `null` for a model of one's own and for an agent. */
  readonly type: ModelType | null;
  readonly task: string | null;
  readonly ready: boolean;
  readonly state: { readonly ready?: string; readonly config_update?: string } | null;
  /** What really answers, `system.ai.<model>` for instance. */
  readonly entity: string | null;
  /** The longest prompt and the longest answer, in tokens. */
  readonly context: number | null;
  readonly output: number | null;
  /** The list price in USD of a million tokens, of the prompt and of the answer. */
  readonly usd_per_million: readonly [input: number, output: number] | null;
  /** The day on which Databricks retires it, when that is announced. */
  readonly until: string | null;
}

/** A row of the catalogue: a model of today, or one that is gone, with what took its place. */
export type CatalogueRow =
  | (Pick<ServedModel, 'name' | 'context' | 'output' | 'usd_per_million' | 'until'> & { readonly type: ModelType | 'responses' })
  | { readonly name: string; readonly retired: string; readonly successor: string };

/** A model that can be chosen. */
export interface Candidate {
  /** The name of its endpoint. */
  readonly model: string;
  readonly latency_ms?: number | null;
  readonly usd_per_1k?: number | null;
}

/** Chooses a candidate when all of its conditions hold. */
export interface SelectionRule {
  readonly latency_budget_below_ms?: number;
  readonly latency_budget_from_ms?: number;
  readonly max_cost_per_1k_below?: number;
  readonly max_cost_per_1k_from?: number;
  readonly task_complexity_above?: number;
  /** The key of a candidate. */
  readonly choose: string;
}

/** Rules, of which the first that holds decides, and the models that they choose from. */
export interface SelectionTable {
  readonly rules: readonly SelectionRule[];
  readonly models: Readonly<Record<string, Candidate>>;
}

/** What was chosen, and why. */
export interface ModelSelection extends Candidate {
  /** The key of the candidate in the table. */
  readonly choice: string;
  /** A reason for each rule that was looked at; the last one decided. */
  readonly reasons: readonly { readonly choose: string; readonly decides: boolean; readonly because: string }[];
  /** The reasons, for a person. */
  readonly text: string;
}

/** How a model is chosen. */
export interface SelectOptions extends ServiceCallOptions {
  /** Instead of the study's. */
  readonly table?: SelectionTable;
  /** Choose only among models that are ready in the workspace; false unless told otherwise: then nothing is asked of it. */
  readonly served?: boolean;
}

/** One call of a model, as it was seen. */
export interface Observation {
  readonly model: string;
  readonly latency_ms: number;
  readonly prompt_tokens?: number;
  readonly completion_tokens?: number;
  /** How good the answer was, the higher the better, where somebody judged it. */
  readonly score?: number;
}

/**
 * The models of a workspace.
 *
 * ```ts
 * const registry = new ModelRegistry(workspace);
 * configure({ workspace, lm: await registry.getModel('chat') });
 * const { model, text } = await registry.selectOptimalModel(0.8, 1000, { max_cost_per_1k: 0.01 }, { served: true });
 * ```
 */
export class ModelRegistry {
  readonly #workspace: Workspace;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /** All endpoints that the caller may see, as models. */
  list(options?: ServiceCallOptions): Promise<ServedModel[]> {
    return this.#call('list', {}, options);
  }

  /** What is known of Databricks' models: of those of today, and of those that are gone. The prices are list prices. */
  catalogue(options?: ServiceCallOptions): Promise<CatalogueRow[]> {
    return this.#call('catalogue', {}, options);
  }

  /**
   * The model of a type and name, or the preferred one of the type that is ready. For `completion` that may be a chat model, since
   * Databricks hosts no other.
   *
   * @throws `LakeletError` `input` with "Unknown model type", and for a model of another type; `not_found` for one that is retired, with its
   * successor in the hint, or not served; `conflict` for one that is not ready.
   */
  find(modelType: string, modelName?: string, options?: ServiceCallOptions): Promise<ServedModel> {
    return this.#call('find', { model_type: modelType, model_name: modelName }, options);
  }

  /** The model itself, to be asked. @throws as {@link find}. */
  getModel(modelType: 'embedding', modelName?: string, options?: ServiceCallOptions): Promise<Embedder>;
  getModel(modelType: 'chat' | 'completion', modelName?: string, options?: ServiceCallOptions): Promise<Model>;
  getModel(modelType: string, modelName?: string, options?: ServiceCallOptions): Promise<Model>;
  async getModel(modelType: string, modelName?: string, options?: ServiceCallOptions): Promise<Model | Embedder> {
    const { name, type } = await this.find(modelType, modelName, options);
    if (type === 'embedding') return this.#workspace.embedder(name);
    return type === 'completion' ? this.#workspace.completion(name) : this.#workspace.lm(name);
  }

  /**
   * The model for a task, and why: by the thresholds of the study unless a table is given.
   *
   * @param taskComplexity how hard the task is, from 0 to 1.
   * @param latencyBudget how long an answer may take, in milliseconds.
   * @param costConstraints what 1000 tokens may cost at most, in USD.
   */
  selectOptimalModel(taskComplexity: number, latencyBudget?: number, costConstraints: { readonly max_cost_per_1k?: number } = {}, options: SelectOptions = {}): Promise<ModelSelection> {
    const { table, served, ...call } = options;
    const needs = { task_complexity: taskComplexity, latency_budget: latencyBudget, max_cost_per_1k: costConstraints.max_cost_per_1k };
    return this.#call('select', { ...needs, table, served }, call);
  }

  /** The table that {@link selectOptimalModel} goes by: the study's thresholds, with models of today. Its latencies and prices are the study's. */
  selectionTable(options?: ServiceCallOptions): Promise<SelectionTable> {
    return this.#call('table', {}, options);
  }

  /**
   * A table that is learned from what calls took and used: their latencies, and list prices for their tokens.
   *
   * @param observations calls, or the traces of runs: `inspect(prediction).trace`.
   */
  learnSelectionTable(observations: readonly (Observation | Span)[], options?: ServiceCallOptions): Promise<SelectionTable> {
    return this.#call('learn', { observations: observations.flatMap((of) => ('calls' in of ? calls(of) : [of])) }, options);
  }

  #call<T>(name: string, args: Readonly<Record<string, unknown>>, options?: ServiceCallOptions): Promise<T> {
    return operation<T>(this.#workspace, `models.${name}`, args, options);
  }
}

/** The calls of a step that were answered. Answers that came from a cache tell nothing of the model. */
function calls({ calls: made }: Span): Observation[] {
  return made.filter(({ error, usage }) => !error && usage.totalTokens > 0).map(({ endpoint, durationMs, usage }) => (
    { model: endpoint, latency_ms: durationMs, prompt_tokens: usage.promptTokens, completion_tokens: usage.completionTokens }
  ));
}
