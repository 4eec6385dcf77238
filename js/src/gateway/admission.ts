/** What a request must be before anything is done for it. */
import { denied, GatewayError, invalid } from './errors.js';

/** Refuses pages of other origins; whoever sends no `Origin` is no page of another origin. */
export function checkOrigin(request: Request, url: URL, allowed: readonly string[]): void {
  const origin = request.headers.get('origin');
  if (origin === null || origin === url.origin || allowed.includes(origin)) return;
  throw denied('Pages of this origin may not call the gateway.', "Serve the page from the gateway's own origin, or allow the page's origin in the gateway's configuration.");
}

/** The JSON object in the body of a request; read no further than `limit` bytes. */
export async function readObject(request: Request, limit: number, signal: AbortSignal): Promise<Record<string, unknown>> {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new GatewayError(415, 'UNSUPPORTED_MEDIA_TYPE', 'The body must be JSON.', 'Send the header content-type: application/json.');
  }
  const text = await readText(request, limit, signal);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalid('The body is not JSON.');
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw invalid('The body must be a JSON object.');
  return json as Record<string, unknown>;
}

async function readText(request: Request, limit: number, signal: AbortSignal): Promise<string> {
  const tooLarge = () => new GatewayError(413, 'REQUEST_TOO_LARGE', `The body is larger than ${limit} bytes.`, 'Send less at a time.');
  if (Number(request.headers.get('content-length')) > limit) throw tooLarge();
  const reader = request.body?.getReader();
  if (!reader) return '';
  const stop = () => void reader.cancel().catch(() => {});
  signal.addEventListener('abort', stop, { once: true });
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  try {
    for (let size = 0; ; ) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return text + decoder.decode();
      size += value.length;
      if (size > limit) throw tooLarge();
      text += decoder.decode(value, { stream: true });
    }
  } catch (error) {
    stop();
    if (error instanceof TypeError) throw invalid('The body is not UTF-8.');
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
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
