/**
 * A Cloudflare Worker that is a gateway: programs by name, relayed calls, the page's files beside them.
 *
 * What the gateway needs comes from the Worker's secrets, variables and bindings, by the names of {@link WorkerEnv}; the rest are the
 * options of `createGateway` in `lakelet/gateway`.
 *
 * @module
 */
import { inCore, init } from '../core.js';
import { createGateway, tokenBucket } from '../gateway/index.js';
import type { GatewayOptions, GatewayProgram, GatewayUser, ServedProgram } from '../gateway/types.js';
import type { CallOptions } from '../run.js';
import type { IndexOptions } from '../workspace.js';
import { answers } from './answers.js';
import { fromBinding } from './rate.js';
import { connect } from './workspace.js';
import { logAudit, logFailure } from './log.js';
import type { KnownTokens } from './tokens.js';
import type { AnswerStore, WorkerContext, WorkerEnv } from './types.js';

export type * from './types.js';

/** A program of a Worker: one of `lakelet`, or what stands around one and hands the options on. */
export interface WorkerProgram extends Omit<GatewayProgram, 'stream'> {
  stream(inputs: Record<string, unknown>, options: CallOptions & { readonly signal: AbortSignal }): ReturnType<GatewayProgram['stream']>;
}

type Given = 'programs' | 'workspace' | 'user' | 'rateLimiter' | 'client';

/** What a Worker is made of beside its environment. */
export interface WorkerOptions<E extends WorkerEnv> extends Omit<GatewayOptions, Given> {
  /** The programs by the name that pages call them. Asked for once in an isolate, and again if the core has crashed. */
  readonly programs: (env: E) => Readonly<Record<string, Omit<ServedProgram, 'program'> & { readonly program: WorkerProgram }>>;
  /** As in `createGateway`, with the environment. */
  readonly user?: (request: Request, body: Readonly<Record<string, unknown>>, env: E) => GatewayUser | undefined | Promise<GatewayUser | undefined>;
  /** How the index `LAKELET_INDEX` is queried. */
  readonly index?: IndexOptions | ((env: E) => IndexOptions);
  /**
   * Where answers of models are kept for a day, for the same request. Default the key-value namespace `CACHE`, if it is bound;
   * `() => caches.default` keeps them in the data centre that the Worker runs in.
   */
  readonly cache?: (env: E) => AnswerStore | undefined;
}

/** What a Worker exports. */
export interface Worker<E> {
  fetch(request: Request, env: E, context: WorkerContext): Promise<Response>;
}

/**
 * Makes what a Worker exports.
 *
 * ```ts
 * import { inspect, pipeline } from 'lakelet';
 * import { databricksRag } from 'lakelet/assistant';
 * import { createWorker } from 'lakelet/worker';
 *
 * export default createWorker({
 *   programs: () => ({ databricks_rag: { program: pipeline(databricksRag) } }),
 *   inspect,
 * });
 * ```
 *
 * A path below the base path is the gateway's; everything else is a file of the binding `ASSETS`. No state of a call outlives it: connections
 * belong to the request that opened them, so each one gets a {@link Workspace} of its own, and only tokens and answers are shared.
 */
export function createWorker<E extends WorkerEnv>(options: WorkerOptions<E>): Worker<E> {
  const { programs: makePrograms, user, index = {}, cache = ({ CACHE }) => CACHE, ...gateway } = options;
  const { basePath = '/api', report = logFailure } = options;
  let programs: (() => ReturnType<typeof makePrograms>) | undefined;
  const buckets = tokenBucket();
  const knownTokens: KnownTokens = new Map();

  async function answer(request: Request, env: E, context: WorkerContext): Promise<Response> {
    if (!new URL(request.url).pathname.startsWith(`${basePath}/`)) return env.ASSETS?.fetch(request) ?? new Response('There is no page here.', { status: 404 });
    await init();
    programs ??= inCore(() => makePrograms(env));
    const store = cache(env);
    const settings = {
      ...connect(env, typeof index === 'function' ? index(env) : index, knownTokens, context),
      ...(store && { cache: answers(store, context) }),
    };
    const handle = createGateway({
      audit: logAudit,
      report,
      ...gateway,
      programs: Object.fromEntries(Object.entries(programs()).map(([name, served]) => [name, { ...served, program: within(settings, served.program) }])),
      workspace: settings.workspace,
      rateLimiter: env.RATE_LIMITER ? fromBinding(env.RATE_LIMITER) : buckets,
      ...(user && { user: (from, body) => user(from, body, env) }),
    });
    return handle(request, { address: request.headers.get('cf-connecting-ip') ?? '' });
  }

  return {
    async fetch(request, env, context) {
      try {
        return await answer(request, env, context);
      } catch (error) {
        const id = crypto.randomUUID();
        report(error, id);
        return Response.json({ error_code: 'INTERNAL_ERROR', message: 'The gateway failed.', request_id: id }, { status: 500 });
      }
    },
  };
}

/** The program with the settings of one call. */
function within(settings: CallOptions, program: WorkerProgram): GatewayProgram {
  const { inputs, steps } = program;
  return { inputs, steps, stream: (given, { signal }) => program.stream(given, { ...settings, signal }) };
}
