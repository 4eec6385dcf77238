/**
 * The gateway: what a page may have of a workspace whose credential it must not have.
 *
 * A page talks to its own origin. There the gateway runs programs by name and streams their events, or relays the calls of
 * programs that run in the page, to the endpoints and indexes on its list and to nothing else.
 *
 * | route | |
 * |---|---|
 * | `GET /programs` | the programs, with their inputs and steps |
 * | `POST /programs/{name}` | `{inputs}` gives one answer, or with `accept: text/event-stream` the events as they come |
 * | `POST /serving-endpoints/{name}/invocations` | relayed |
 * | `POST /serving-endpoints/chat/completions` | relayed; `model` is the endpoint |
 * | `POST /api/2.0/vector-search/indexes/{name}/query` | relayed; filters narrowed to what the user may see |
 *
 * Every route stands under the base path, `/api` unless told otherwise. A failure is answered as `{error_code, message, hint?, request_id}`, the
 * first three as Databricks words them. The gateway is a function from `Request` to `Response`: it runs in Workers, in
 * Deno, in Bun, and in Node by `lakelet/gateway/node`.
 *
 * @module
 */
import { checkName, checkOrigin, readObject } from './admission.js';
import { Call } from './call.js';
import { GatewayError, unauthenticated, unknownRoute } from './errors.js';
import { readPath } from './path.js';
import { collect, findProgram, listPrograms, readInputs, run } from './programs.js';
import { networkOf, tokenBucket } from './rate.js';
import { passOn, readRelayed } from './relay.js';
import { relayedBody, serverSentEvents, toStream } from './stream.js';
import type { Connection, GatewayHandler, GatewayOptions, GatewayUser, RunEvent } from './types.js';

export { databricksApp, type DatabricksApp } from './databricks-app.js';
export { GatewayError } from './errors.js';
export { tokenBucket } from './rate.js';
export { sessions, type ClosedSessions, type SessionOptions, type Sessions } from './session.js';
export { tokenUser, type TokenOptions } from './token.js';
export type * from './types.js';

/**
 * Makes a gateway.
 *
 * ```ts
 * import { createGateway, sessions } from 'lakelet/gateway';
 *
 * const gateway = createGateway({
 *   programs: { enterprise_assistant: { program, userInputs: ['role', 'region', 'department'] } },
 *   user: sessions({ secrets: [env.SESSION_SECRET] }).user,
 *   audit: (line) => console.log(JSON.stringify(line)),
 * });
 * export default { fetch: (request) => gateway(request) };
 * ```
 */
export function createGateway(options: GatewayOptions): GatewayHandler {
  const limiter = options.rateLimiter ?? tokenBucket();
  return async (request, connection = {}) => {
    const call = new Call(request, options.limits?.timeoutMs ?? 120_000, options);
    let response: Response;
    try {
      response = await call.within(answer(request, connection, call, options, limiter));
    } catch (error) {
      const failure = call.failed(error);
      call.end(failure.status, failure);
      response = json(failure.body(call.id), failure.status, failure.headers);
    }
    for (const [name, value] of Object.entries(commonHeaders(request, call, options))) response.headers.set(name, value);
    return response;
  };
}

async function answer(request: Request, connection: Connection, call: Call, options: GatewayOptions, limiter: NonNullable<GatewayOptions['rateLimiter']>): Promise<Response> {
  const url = new URL(request.url);
  const { method } = request;
  checkName(url, options.names);
  const segments = readPath(url, options.basePath ?? '/api');
  if (!segments) throw unknownRoute();
  checkOrigin(request, url, options.allowedOrigins ?? []);
  if (method === 'OPTIONS') return done(call, new Response(null, { status: 204 }));

  const wait = await limiter.take((options.client ?? byAddress)(request, connection));
  if (wait > 0) {
    throw new GatewayError(429, 'REQUEST_LIMIT_EXCEEDED', 'There are too many requests from here.', `Try again in ${wait} s.`, { 'retry-after': String(wait) });
  }
  const programs = options.programs ?? {};
  const [root, name = ''] = segments;
  const lists = root === 'programs' && segments.length === 1;
  if (method !== (lists ? 'GET' : 'POST')) {
    const allow = lists ? 'GET' : 'POST';
    throw new GatewayError(405, 'METHOD_NOT_ALLOWED', `Nothing here is done by ${method}.`, `Use ${allow}.`, { allow });
  }
  if (lists) {
    call.route = 'GET /programs';
    return done(call, json(listPrograms(programs)));
  }

  const body = await readObject(request, options.limits ?? {}, call.signal);
  const user = await recognise(request, body, options);
  call.user = user?.id;
  const reach = await options.reach?.(request);
  if (root === 'programs' && segments.length === 2) {
    const served = findProgram(programs, name);
    call.route = `POST /programs/${name}`;
    const events = run(served, readInputs(served, body, user), { signal: call.signal, reach, tokens: call.tokens, inspect: options.inspect });
    if (!wantsEvents(request)) return done(call, json({ ...(await collect(events)), request_id: call.id }));
    return eventStream(events, call, options);
  }
  return relay(segments, body, user, call, reach ? { ...options, workspace: reach.workspace } : options);
}

async function recognise(request: Request, body: Readonly<Record<string, unknown>>, { user }: GatewayOptions): Promise<GatewayUser | undefined> {
  if (!user) return undefined;
  const known = await user(request, body);
  if (!known) throw unauthenticated();
  return known;
}

async function relay(segments: string[], body: Readonly<Record<string, unknown>>, user: GatewayUser | undefined, call: Call, options: GatewayOptions): Promise<Response> {
  const relayed = readRelayed(segments, body, user, options);
  call.route = `POST ${relayed.path}`;
  if (!options.workspace) throw new Error('the gateway was given a list to relay to, and no workspace');
  const reply = await passOn(await options.workspace.send({ ...relayed, signal: call.signal }));
  if (!reply.body) return done(call, reply);
  return new Response(toStream(relayedBody(reply.body, call), call), reply);
}

function wantsEvents(request: Request): boolean {
  return (request.headers.get('accept') ?? '').includes('text/event-stream');
}

/** How many bytes of events may wait for a reader who is slower than the run. */
const AHEAD = 64 * 1024;

/** The status is sent with the first event: what fails before it is answered as any other failure. */
async function eventStream(events: AsyncGenerator<RunEvent>, call: Call, options: GatewayOptions): Promise<Response> {
  const frames = serverSentEvents(await events.next(), events, call, options.limits?.heartbeatMs ?? 15_000);
  return new Response(toStream(frames, call, AHEAD), { headers: { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' } });
}

/** One client for each network; where the host does not tell addresses apart, all callers share one allowance. */
function byAddress(_: Request, { address = '' }: Connection): string {
  return networkOf(address);
}

function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json', ...headers } });
}

function done(call: Call, response: Response): Response {
  call.end(response.status);
  return response;
}

function commonHeaders(request: Request, call: Call, { allowedOrigins = [] }: GatewayOptions): Record<string, string> {
  const origin = request.headers.get('origin');
  const headers = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'x-request-id': call.id };
  if (origin === null || !allowedOrigins.includes(origin)) return headers;
  return {
    ...headers,
    vary: 'origin',
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'x-request-id, retry-after',
    ...(request.method === 'OPTIONS' && { 'access-control-allow-methods': 'GET, POST', 'access-control-allow-headers': 'accept, authorization, content-type', 'access-control-max-age': '600' }),
  };
}
