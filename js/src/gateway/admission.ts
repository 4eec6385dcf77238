/** What a request must be before anything is done for it. */
import { denied, GatewayError, invalid } from './errors.js';
import type { Limits } from './types.js';

/** Refuses names that the gateway does not go by. */
export function checkName(url: URL, names: readonly string[] | undefined): void {
  if (!names || names.includes(url.hostname.replace(/^\[|\]$/g, ''))) return;
  throw new GatewayError(421, 'MISDIRECTED_REQUEST', 'The gateway does not go by this name.', "Call it by its own name; the list is in the gateway's configuration.");
}

/** Refuses pages of other origins, by `Origin`, or by `Sec-Fetch-Site` where a page had the browser leave that out. Whoever sends neither is no page. */
export function checkOrigin(request: Request, url: URL, allowed: readonly string[]): void {
  const origin = request.headers.get('origin');
  const site = request.headers.get('sec-fetch-site');
  if (origin === null ? site === null || site === 'same-origin' || site === 'none' : origin === url.origin || allowed.includes(origin)) return;
  throw denied('Pages of this origin may not call the gateway.', "Serve the page from the gateway's own origin, or allow the page's origin in the gateway's configuration.");
}

/** Deeper JSON is not handed on: a reader behind the gateway that recurses would run out of stack. */
const DEEPEST = 64;

/** The JSON object in the body of a request; read no further than the limits. */
export async function readObject(request: Request, limits: Limits, signal: AbortSignal): Promise<Record<string, unknown>> {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new GatewayError(415, 'UNSUPPORTED_MEDIA_TYPE', 'The body must be JSON.', 'Send the header content-type: application/json.');
  }
  return parseObject(await readText(request, limits, signal), 'The body');
}

/** The JSON object in a text. */
export function parseObject(text: string, what: string): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalid(`${what} is not JSON.`);
  }
  if (isDeeper(json, DEEPEST)) throw invalid(`${what} is nested more than ${DEEPEST} levels deep.`);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw invalid(`${what} must be a JSON object.`);
  return json as Record<string, unknown>;
}

function isDeeper(json: unknown, levels: number): boolean {
  return typeof json === 'object' && json !== null && (levels === 0 || Object.values(json).some((member) => isDeeper(member, levels - 1)));
}

async function readText(request: Request, { bodyBytes = 256 * 1024, bodyMs = 15_000 }: Limits, signal: AbortSignal): Promise<string> {
  const tooLarge = () => new GatewayError(413, 'REQUEST_TOO_LARGE', `The body is larger than ${bodyBytes} bytes.`, 'Send less at a time.');
  if (Number(request.headers.get('content-length')) > bodyBytes) throw tooLarge();
  const reader = request.body?.getReader();
  if (!reader) return '';
  const stop = () => void reader.cancel().catch(() => {});
  const late = AbortSignal.timeout(bodyMs);
  const over = AbortSignal.any([signal, late]);
  over.addEventListener('abort', stop, { once: true });
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  try {
    for (let size = 0; ; ) {
      const { done, value } = await reader.read();
      over.throwIfAborted();
      if (done) return text + decoder.decode();
      size += value.length;
      if (size > bodyBytes) throw tooLarge();
      text += decoder.decode(value, { stream: true });
    }
  } catch (error) {
    stop();
    // Some hosts fail a read that is cancelled, others end it.
    signal.throwIfAborted();
    if (late.aborted) throw new GatewayError(408, 'REQUEST_TIMEOUT', `The body did not arrive within ${bodyMs / 1000} s.`, 'Try again.');
    if (error instanceof TypeError) throw invalid('The body is not UTF-8.');
    throw error;
  } finally {
    over.removeEventListener('abort', stop);
  }
}

/** The member, which must be an object. */
export function objectMember(body: Readonly<Record<string, unknown>>, name: string): Record<string, unknown> {
  const member = body[name];
  if (typeof member !== 'object' || member === null || Array.isArray(member)) throw invalid(`\`${name}\` must be an object.`);
  return member as Record<string, unknown>;
}

/** Refuses members that are not known: what was not understood must not be passed on. */
export function onlyMembers(body: Readonly<Record<string, unknown>>, known: ReadonlySet<string>): void {
  for (const name of Object.keys(body)) {
    if (!known.has(name)) throw invalid(`The gateway passes on no \`${name.slice(0, 60)}\`.`, `It knows ${[...known].join(', ')}.`);
  }
}
