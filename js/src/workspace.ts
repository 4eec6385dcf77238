/** Databricks workspaces, and the models and indexes in them. */
import type { Model as ModelHandle, Retriever as IndexHandle, Workspace as Handle } from '../wasm/lakelet.js';
import type { TokenFunction } from './auth/tokens.js';
import { store, type CacheStore } from './cache.js';
import { calling, inCore, init, waiting } from './core.js';
import { LakeletError } from './errors.js';
import { write } from './values.js';

/** Where a workspace is, and who calls it. */
export interface WorkspaceOptions {
  /** The workspace's address: `https://adb-1.azuredatabricks.net`. */
  readonly host?: string;
  /** Which workspace it is, where several share an address. */
  readonly workspaceId?: string;
  /** Instead of `host`: a gateway that adds the credential, `/api/lakelet` on the page's own origin for instance. */
  readonly baseUrl?: string;
  /** A personal access token, or a function that gives the token that is good now. Never in a page. */
  readonly token?: string | TokenFunction;
  /** A service principal; its tokens are fetched and renewed. Never in a page. */
  readonly clientId?: string;
  readonly clientSecret?: string;
  /**
   * Token federation: gives a token of an issuer that the account trusts, to be traded for Databricks' own; for the service principal `clientId`, or
   * without one for the user whom it names.
   */
  readonly subjectToken?: TokenFunction;
  /** What OAuth tokens are asked for; `['all-apis']` unless given. */
  readonly scopes?: readonly string[];
  /**
   * Where tokens of the service principal are kept, for the workspaces that come after this one. They are credentials, as text: what is handed
   * in must keep them to itself.
   */
  readonly tokens?: CacheStore;
  /** What to call instead of the global `fetch`: a service binding, a test. */
  readonly fetch?: (input: string, init: RequestInit) => Promise<Response>;
  /** How long a call may take with all its retries, in milliseconds; 300 000 unless given. */
  readonly timeout?: number;
  /** How often a call is tried again when another try can help; 6 unless given. */
  readonly retries?: number;
}

/** A request to a service of the workspace. */
export interface WorkspaceRequest {
  readonly path: string;
  /** JSON text. */
  readonly body: string;
  /** What kind of answer is asked for, `text/event-stream` for one that streams; it is what the answer is marked as. */
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

/** Parameters of every call of a model, by their wire names: `temperature`, `max_tokens` ... */
export type ModelOptions = Readonly<Record<string, unknown>>;

/** How an index is queried. */
export interface IndexOptions {
  /** The column that identifies a passage; `id` unless given. */
  readonly idColumn?: string;
  /** The column with a passage's text; `text` unless given. */
  readonly textColumn?: string;
  /** More columns to return; or by the names that passages have them by: `{ title: 'headline' }`. */
  readonly columns?: readonly string[] | Readonly<Record<string, string>>;
  /** How many passages to return when a query does not say; 3 unless given. */
  readonly results?: number;
  readonly queryType?: 'ANN' | 'HYBRID' | 'FULL_TEXT';
  /** Passages that score less are left out. */
  readonly scoreThreshold?: number;
}

/**
 * A workspace. Nothing is sent before something is asked of it.
 *
 * ```ts
 * const workspace = new Workspace({ host: 'https://adb-1.azuredatabricks.net', token: process.env.DATABRICKS_TOKEN });
 * configure({ workspace, lm: 'databricks-meta-llama-3-3-70b-instruct' });
 * ```
 */
export class Workspace {
  readonly #options: WorkspaceOptions;
  readonly #handle = inCore(() => this.#open());

  constructor(options: WorkspaceOptions) {
    this.#options = options;
  }

  /** A chat model on a serving endpoint. */
  lm(endpoint: string, options: ModelOptions = {}): Model {
    return new Model(endpoint, this, () => calling(() => this.handle.chat(endpoint, write(options))));
  }

  /** A model that completes text, on a serving endpoint: it is given the messages of a chat as one text, as DSPy gives them to such models. */
  completion(endpoint: string, options: ModelOptions = {}): Model {
    return new Model(endpoint, this, () => calling(() => this.handle.completion(endpoint, write(options))));
  }

  /** A Vector Search index, by its full name `catalog.schema.index`. */
  index(name: string, options: IndexOptions = {}): Index {
    return new Index(name, () => calling(() => this.handle.index(name, write({ ...options }))));
  }

  /**
   * An embedding model on a serving endpoint: makes a vector of each text.
   *
   * @param options `cache`: where vectors are kept, each by its text; only texts that are not there are sent.
   */
  embedder(endpoint: string, { cache }: { readonly cache?: CacheStore } = {}): (texts: readonly string[]) => Promise<number[][]> {
    return async (texts) => {
      await init();
      const vectors = calling(() => {
        const model = this.handle.embedder(endpoint);
        return (cache ? model.cached(store(cache)) : model).embed([...texts]);
      });
      return JSON.parse(await waiting(vectors)) as number[][];
    };
  }

  /**
   * Posts a JSON body to any service of the workspace, with its credential and retries: what a gateway relays.
   *
   * @param request `path` stands below the workspace's address, its segments encoded.
   * @returns the answer, whatever its status; the body of a good one can be read as it arrives.
   * @throws {@link LakeletError} when no answer came, and `config` when the path could lead elsewhere.
   */
  async send({ path, body, accept = 'application/json', signal }: WorkspaceRequest): Promise<Response> {
    await init();
    signal?.throwIfAborted();
    const answer = calling(() => this.handle.post(path, new TextEncoder().encode(body)));
    const giveUp = () => answer.give_up();
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      const status = await waiting(answer.begin());
      const pieces = new ReadableStream<Uint8Array>({
        pull: async (into) => {
          const piece = await waiting(answer.next());
          if (piece) into.enqueue(piece);
          else into.close();
        },
        cancel: giveUp,
      });
      return new Response(pieces, { status, headers: { 'content-type': accept } });
    } catch (error) {
      if (error instanceof LakeletError && error.status) return refusal(error, error.status);
      throw error;
    }
  }

  /** @internal */
  get handle(): Handle {
    return this.#handle();
  }

  /** What a module opens it with: a method, so that whoever prints a workspace prints no credential. @internal */
  connection() {
    const { host, workspaceId, baseUrl, token, clientId, clientSecret, subjectToken, scopes, tokens, fetch, timeout, retries } = this.#options;
    const source = typeof token === 'function' ? token : subjectToken;
    return {
      address: host ?? baseUrl,
      workspaceId,
      token: typeof token === 'string' ? token : undefined,
      clientId,
      clientSecret,
      scopes,
      exchange: subjectToken !== undefined,
      longestCallMs: timeout,
      tries: retries === undefined ? retries : retries + 1,
      tokens,
      fetch,
      source: source && (async () => source()),
    };
  }

  #open(): Handle {
    const { fetch, tokens, source, ...options } = this.connection();
    const made = calling((core) => new core.Workspace(write(options), fetch, source));
    if (tokens) made.keep_tokens(store(tokens));
    return made;
  }
}

/** A refusal of the workspace, in Databricks' words. */
function refusal({ errorCode, message, retryAfterMs }: LakeletError, status: number): Response {
  const headers = retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) };
  return Response.json({ error_code: errorCode, message }, { status, headers });
}

/** Made on first use, when the core is there. */
class Lazy {
  readonly name: string;
  readonly #handle: () => unknown;

  constructor(name: string, make: () => unknown) {
    this.name = name;
    this.#handle = inCore(make);
  }

  /** @internal */
  protected made<H>(): H {
    return this.#handle() as H;
  }
}

/** A chat model. Made by {@link Workspace.lm} and {@link languageModel}. */
export class Model extends Lazy {
  readonly kind = 'model';
  /** What answers: a {@link Workspace}, or a function. @internal */
  readonly owner: object;

  /** @internal */
  constructor(name: string, owner: object, make: () => unknown) {
    super(name, make);
    this.owner = owner;
  }

  /** @internal */
  get handle(): ModelHandle {
    return this.made();
  }
}

/** A Vector Search index. Made by {@link Workspace.index}. */
export class Index extends Lazy {
  readonly kind = 'index';

  /** @internal */
  get handle(): IndexHandle {
    return this.made();
  }
}
