/** Calls of programs that run in the page, passed on to endpoints and indexes on the list and to nothing else. */
import { onlyMembers, parseObject } from './admission.js';
import { GatewayError, invalid, told, unauthenticated, unknownRoute } from './errors.js';
import { narrow } from './filters.js';
import { LakeletError } from '../errors.js';
import type { Filters, GatewayOptions, GatewayUser, RelayedRequest } from './types.js';

/** What is sent to the workspace: everything in it was checked or written here. */
export type Relayed = Pick<RelayedRequest, 'path' | 'body' | 'accept'>;

type Body = Readonly<Record<string, unknown>>;

const CHAT = [
  'messages', 'max_tokens', 'temperature', 'top_p', 'top_k', 'stop', 'n', 'stream', 'stream_options', 'tools', 'tool_choice',
  'parallel_tool_calls', 'response_format', 'logprobs', 'top_logprobs', 'reasoning_effort', 'thinking',
];
const COMPLETION = new Set(['model', ...CHAT]);
const INVOCATION = new Set([
  ...COMPLETION, 'prompt', 'input', 'instruction', 'dimensions', 'encoding_format', 'dataframe_split', 'dataframe_records', 'instances', 'inputs',
]);
/** Members that name a place where something else lies. */
const ELSEWHERE = /(ur[il]|file_?id)$/i;
const QUERY = new Set(['columns', 'query_text', 'query_vector', 'num_results', 'query_type', 'score_threshold', 'filters_json']);

/** The call that a page asks for by its path and body. */
export function readRelayed(segments: readonly string[], body: Body, user: GatewayUser | undefined, options: GatewayOptions): Relayed {
  const path = segments.join('/');
  const name = segments.at(-2) ?? '';
  if (path === 'serving-endpoints/chat/completions') {
    onlyMembers(body, COMPLETION);
    return chat('/serving-endpoints/chat/completions', { ...body, model: endpoint(body['model'], options) }, options);
  }
  if (path === `serving-endpoints/${name}/invocations`) {
    const listed = endpoint(name, options);
    onlyMembers(body, INVOCATION);
    if (body['model'] !== undefined && body['model'] !== listed) throw invalid('`model` names another endpoint than the path.', 'Leave it out.');
    return chat(`/serving-endpoints/${encodeURIComponent(listed)}/invocations`, body, options);
  }
  if (path === `api/2.0/vector-search/indexes/${name}/query`) return query(name, body, user, options);
  throw unknownRoute();
}

function endpoint(name: unknown, { relay }: GatewayOptions): string {
  const listed = relay?.endpoints?.find((endpoint) => endpoint === name);
  if (listed === undefined) throw notListed('endpoint');
  return listed;
}

/** A name off the list and a name that does not exist look the same from outside. */
const notListed = (what: string) =>
  new GatewayError(404, 'RESOURCE_DOES_NOT_EXIST', `The gateway relays to no ${what} of this name.`, "Names match exactly; the list is in the gateway's configuration.");

function chat(path: string, body: Body, { limits }: GatewayOptions): Relayed {
  const { messages = [], input, tools = [] } = body;
  if (!Array.isArray(messages)) throw invalid('`messages` must be a list.');
  checkAddresses([messages, input]);
  if (!Array.isArray(tools) || tools.some((tool) => tool?.type !== 'function')) throw invalid('The gateway passes on tools of type `function` only.');
  return { path, body: JSON.stringify(bounded(body, limits?.completionTokens)), accept: body['stream'] === true ? 'text/event-stream' : 'application/json' };
}

/** The call with a bound on what the model may write. */
function bounded(body: Body, most: number | undefined): Body {
  const isAsked = body['messages'] !== undefined || body['prompt'] !== undefined;
  if (most === undefined || !isAsked) return body;
  const { n = 1, max_tokens = Math.floor(most / Number(n)) } = body;
  const isCount = (value: unknown): value is number => Number.isInteger(value) && Number(value) > 0;
  if (isCount(n) && isCount(max_tokens) && n * max_tokens <= most) return { ...body, max_tokens };
  throw invalid(`A call may ask for ${most} tokens, all completions together.`, 'Lower `max_tokens` or `n`.');
}

/** What a message holds must not make the endpoint fetch from an address, or read a file, that the page chose. */
function checkAddresses(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    const isHere = typeof member === 'string' ? /^data:/i.test(member) : typeof member === 'object' && !Array.isArray(member);
    if (ELSEWHERE.test(name) && !isHere) {
      throw invalid('Images and files must be part of the request.', 'Send them as data: URLs.');
    }
    checkAddresses(member);
  }
}

function query(name: string, body: Body, user: GatewayUser | undefined, { relay }: GatewayOptions): Relayed {
  const [listed, policy] = Object.entries(relay?.indexes ?? {}).find(([index]) => index === name) ?? [];
  if (listed === undefined || policy === undefined) throw notListed('index');
  onlyMembers(body, QUERY);
  let filters = readFilters(body);
  if (policy !== 'public') {
    if (!user) throw unauthenticated();
    filters = narrow(filters, policy(user));
  }
  const narrowed = { ...body, filters_json: JSON.stringify(filters) };
  return { path: `/api/2.0/vector-search/indexes/${encodeURIComponent(listed)}/query`, body: JSON.stringify(narrowed), accept: 'application/json' };
}

function readFilters({ filters_json: text }: Body): Filters {
  if (text === undefined || text === null) return {};
  if (typeof text !== 'string') throw invalid('`filters_json` must be JSON text.');
  return parseObject(text, '`filters_json`');
}

const PASSED_ON = ['application/json', 'text/event-stream'];

/** The workspace's answer without anything that a page has no use for: its headers, and what it says about the gateway's own rights. */
export async function passOn(answer: Response): Promise<Response> {
  const type = answer.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (!answer.ok) throw await refusal(answer);
  if (!PASSED_ON.includes(type)) {
    await answer.body?.cancel();
    throw told(new LakeletError(`the workspace answered with ${type || 'no content type'}`, { code: 'protocol' }));
  }
  return new Response(answer.body, { status: answer.status, headers: { 'content-type': type } });
}

async function refusal(answer: Response): Promise<GatewayError> {
  const { status } = answer;
  if (status === 400) {
    const { error_code, message } = (await answer.json().catch(() => ({}))) as { error_code?: unknown; message?: unknown };
    if (typeof error_code === 'string' && typeof message === 'string') return new GatewayError(400, error_code, message);
    return invalid('The workspace refused the request as malformed.');
  }
  await answer.body?.cancel();
  const code = ({ 401: 'auth', 403: 'permission', 404: 'not_found', 429: 'rate_limited' } as const)[status] ?? 'server';
  const wait = Number(answer.headers.get('retry-after'));
  return told(new LakeletError(`the workspace answered ${status}`, { code, ...(wait > 0 && { retryAfterMs: wait * 1000 }) }));
}
