/** What Cloudflare gives a Worker, as far as it is used here. */

/**
 * The Worker's variables, secrets and bindings.
 *
 * | name | |
 * |---|---|
 * | `DATABRICKS_HOST` | variable: the workspace's address |
 * | `DATABRICKS_WORKSPACE_ID` | variable: which one it is, where several share an address |
 * | `DATABRICKS_TOKEN` | secret: a personal access token, or instead of it |
 * | `DATABRICKS_CLIENT_ID`, `DATABRICKS_CLIENT_SECRET` | secrets: a service principal |
 * | `LAKELET_SCOPES` | variable: what its tokens are asked for; `all-apis` unless given |
 * | `LAKELET_CHAT_ENDPOINT` | variable: the model of steps that name none |
 * | `LAKELET_INDEX` | variable: the Vector Search index of steps that name none |
 * | `RATE_LIMITER` | binding of a rate limit; without it each isolate counts for itself |
 * | `CACHE` | binding of a key-value namespace, for answers and, encrypted, tokens |
 * | `ASSETS` | binding of the page's files |
 */
export interface WorkerEnv {
  readonly DATABRICKS_HOST: string;
  readonly DATABRICKS_WORKSPACE_ID?: string;
  readonly DATABRICKS_TOKEN?: string;
  readonly DATABRICKS_CLIENT_ID?: string;
  readonly DATABRICKS_CLIENT_SECRET?: string;
  readonly LAKELET_CHAT_ENDPOINT: string;
  readonly LAKELET_SCOPES?: string;
  readonly LAKELET_INDEX?: string;
  readonly RATE_LIMITER?: RateLimitBinding;
  readonly CACHE?: KeyValueBinding;
  readonly ASSETS?: AssetsBinding;
}

/** A rate limit. */
export interface RateLimitBinding {
  limit(call: { key: string }): Promise<{ success: boolean }>;
}

/** A key-value namespace. */
export interface KeyValueBinding {
  get(key: string): Promise<string | null>;
  put(key: string, text: string, options?: { expirationTtl?: number }): Promise<void>;
}

/** Files that were uploaded with the Worker. */
export interface AssetsBinding {
  fetch(request: Request): Promise<Response>;
}

/** Where answers can be kept: a key-value namespace, or a cache of the Cache API. */
export type AnswerStore = KeyValueBinding | Cache;

/** What belongs to one request. */
export interface WorkerContext {
  /** Lets work go on after the answer has been sent. */
  waitUntil(work: Promise<unknown>): void;
}
