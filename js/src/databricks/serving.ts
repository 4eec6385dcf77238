/** Serving endpoints: what there is, and making, changing, asking and deleting them. */
import type { Workspace } from '../workspace.js';
import { operation, type ServiceCallOptions, type WaitOptions } from './module.js';

/** A model elsewhere that an endpoint asks. Credentials are references to secrets, `{{secrets/scope/key}}`, or `…_plaintext`. */
export interface ExternalModel {
  readonly name: string;
  readonly provider: 'openai' | 'anthropic' | 'cohere' | 'amazon-bedrock' | 'google-cloud-vertex-ai' | 'databricks-model-serving' | 'ai21labs' | 'palm' | 'custom';
  readonly task: 'llm/v1/chat' | 'llm/v1/completions' | 'llm/v1/embeddings';
  readonly openai_config?: Readonly<Record<string, string>>;
  readonly custom_provider_config?: Readonly<Record<string, unknown>>;
  readonly databricks_model_serving_config?: Readonly<Record<string, string>>;
  readonly [member: string]: unknown;
}

/** A model behind an endpoint: one of Unity Catalog (`system.ai.<model>` among them), or one elsewhere. */
export interface ServedEntity {
  readonly name?: string;
  readonly entity_name?: string;
  readonly entity_version?: string;
  readonly workload_size?: string;
  readonly workload_type?: string;
  readonly scale_to_zero_enabled?: boolean;
  readonly environment_vars?: Readonly<Record<string, string>>;
  readonly external_model?: ExternalModel;
  readonly [member: string]: unknown;
}

/** What an endpoint serves, and how requests are shared between several entities. */
export interface EndpointConfig {
  readonly served_entities: readonly ServedEntity[];
  readonly traffic_config?: { readonly routes: readonly { readonly served_model_name: string; readonly traffic_percentage: number }[] };
  readonly [member: string]: unknown;
}

export interface RateLimit {
  readonly calls?: number;
  readonly tokens?: number;
  readonly key?: 'endpoint' | 'user' | 'user_group' | 'service_principal';
  readonly principal?: string;
  readonly renewal_period: 'minute';
}

/** The AI Gateway before an endpoint. */
export interface AiGateway {
  readonly rate_limits?: readonly RateLimit[];
  readonly fallback_config?: { readonly enabled: boolean };
  readonly usage_tracking_config?: { readonly enabled: boolean };
  readonly guardrails?: Readonly<Record<string, unknown>>;
  readonly inference_table_config?: Readonly<Record<string, unknown>>;
}

/** A new endpoint, as the API takes it. */
export interface EndpointDefinition {
  readonly name: string;
  readonly config: EndpointConfig;
  readonly ai_gateway?: AiGateway;
  readonly tags?: readonly Tag[];
  readonly [member: string]: unknown;
}

export interface Tag {
  readonly key: string;
  readonly value?: string;
}

/** An endpoint, as the API gives it. */
export interface ServingEndpoint {
  readonly name: string;
  readonly id?: string;
  /** `llm/v1/chat`, `llm/v1/completions`, `llm/v1/embeddings` ...; models of one's own have none. */
  readonly task?: string;
  readonly state: { readonly ready: 'READY' | 'NOT_READY'; readonly config_update: 'NOT_UPDATING' | 'IN_PROGRESS' | 'UPDATE_FAILED' | 'UPDATE_CANCELED' };
  readonly config?: EndpointConfig & { readonly config_version?: number };
  readonly pending_config?: EndpointConfig & { readonly config_version?: number };
  readonly tags?: readonly Tag[];
  readonly ai_gateway?: AiGateway;
  readonly [member: string]: unknown;
}

/** What a model of one's own is asked: a table in one of two forms, or tensors. */
export type ModelInput =
  | { readonly dataframe_split: { readonly columns: readonly string[]; readonly data: readonly (readonly unknown[])[]; readonly index?: readonly number[] } }
  | { readonly dataframe_records: readonly Readonly<Record<string, unknown>>[] }
  | { readonly instances: readonly unknown[] }
  | { readonly inputs: unknown };

/** Options of a call that may wait until the endpoint answers. */
export interface CreateOptions extends WaitOptions {
  /** Wait until it answers; true unless told otherwise. */
  readonly wait?: boolean;
}

/**
 * The serving endpoints of a workspace ([Serving endpoints API](https://docs.databricks.com/api/workspace/servingendpoints)).
 *
 * ```ts
 * const endpoints = new ServingEndpoints(workspace);
 * await endpoints.create({ name: 'rag', config: { served_entities: [{ entity_name: 'main.ml.rag', entity_version: '1', workload_size: 'Small' }] } });
 * const { predictions } = await endpoints.query('rag', { dataframe_records: [{ question: 'What is DSPy?' }] });
 * ```
 */
export class ServingEndpoints {
  readonly #workspace: Workspace;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /** All endpoints that the caller may see. */
  list(options?: ServiceCallOptions): Promise<ServingEndpoint[]> {
    return this.#call('list', {}, options);
  }

  /** @throws `LakeletError` `not_found` when there is none of the name. */
  get(name: string, options?: ServiceCallOptions): Promise<ServingEndpoint> {
    return this.#call('get', { name }, options);
  }

  /**
   * Makes an endpoint.
   *
   * @throws `LakeletError` `conflict` when there is one of the name; `server` when it does not start, with the reason: then it is left in the
   * workspace, and the hint says so.
   */
  create(definition: EndpointDefinition, { wait = true, ...options }: CreateOptions = {}): Promise<ServingEndpoint> {
    return this.#call('create', { definition, wait }, options);
  }

  /**
   * Changes what an endpoint serves. Until that runs it serves what it did.
   *
   * @throws `LakeletError` `conflict` while another change is under way; as `create` when the new configuration does not start.
   */
  updateConfig(name: string, config: EndpointConfig, { wait = true, ...options }: CreateOptions = {}): Promise<ServingEndpoint> {
    return this.#call('update_config', { name, config, wait }, options);
  }

  /** Waits until no change of an endpoint is under way, and it answers. */
  ready(name: string, options?: WaitOptions): Promise<ServingEndpoint> {
    return this.#call('ready', { name }, options);
  }

  async delete(name: string, options?: ServiceCallOptions): Promise<void> {
    await this.#call('delete', { name }, options);
  }

  /** Sets the AI Gateway of an endpoint; gives what is set. */
  setAiGateway(name: string, gateway: AiGateway, options?: ServiceCallOptions): Promise<AiGateway> {
    return this.#call('set_ai_gateway', { name, gateway }, options);
  }

  /** Sets the rate limits that were there before the AI Gateway. */
  async setRateLimits(name: string, rate_limits: readonly RateLimit[], options?: ServiceCallOptions): Promise<RateLimit[]> {
    const answer = await this.#call<{ rate_limits?: RateLimit[] }>('set_rate_limits', { name, limits: { rate_limits } }, options);
    return answer.rate_limits ?? [];
  }

  /** Adds and deletes tags; gives all. */
  async changeTags(name: string, { add = [], remove = [] }: { readonly add?: readonly Tag[]; readonly remove?: readonly string[] }, options?: ServiceCallOptions): Promise<Tag[]> {
    const answer = await this.#call<{ tags?: Tag[] }>('change_tags', { name, change: { add_tags: add, delete_tags: remove } }, options);
    return answer.tags ?? [];
  }

  /** What an endpoint has done, in the format of Prometheus. */
  metrics(name: string, options?: ServiceCallOptions): Promise<string> {
    return this.#call('metrics', { name }, options);
  }

  /** What an endpoint takes and gives, as an OpenAPI document. */
  openApi(name: string, options?: ServiceCallOptions): Promise<Record<string, unknown>> {
    return this.#call('open_api', { name }, options);
  }

  /** Asks a model of one's own; any other body is that of the endpoint's task, and so is the answer. */
  query<P = unknown>(name: string, body: ModelInput & { readonly [member: string]: unknown }, options?: ServiceCallOptions): Promise<{ readonly predictions: P }>;
  query(name: string, body: Readonly<Record<string, unknown>>, options?: ServiceCallOptions): Promise<Record<string, unknown>>;
  query(name: string, body: object, options?: ServiceCallOptions): Promise<unknown> {
    return this.#call('query', { name, body }, options);
  }

  #call<T>(name: string, args: Readonly<Record<string, unknown>>, options?: WaitOptions): Promise<T> {
    return operation<T>(this.#workspace, `serving.${name}`, args, options);
  }
}
