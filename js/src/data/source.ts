/** Where examples are read from. */
import { LakeletError } from '../errors.js';

/** A text, bytes, a file that a page was given, the answer of `fetch`, or a stream of bytes. What is no text yet is UTF-8. */
export type ExampleSource = string | Uint8Array | Blob | Response | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * The source as text, in pieces.
 *
 * @param name what errors call it
 */
export async function* pieces(source: ExampleSource, name: string): AsyncGenerator<string> {
  if (typeof source === 'string') return yield source.replace(/^\uFEFF/, '');
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decoded = (piece?: Uint8Array) => {
    try {
      return decoder.decode(piece, { stream: piece !== undefined });
    } catch (cause) {
      throw new LakeletError(`${name} is not UTF-8`, { code: 'input', hint: 'save it as UTF-8' }, { cause });
    }
  };
  for await (const piece of bytes(source, name)) yield decoded(piece);
  yield decoded();
}

/** The whole text of a source. */
export async function text(source: ExampleSource, name: string): Promise<string> {
  let whole = '';
  for await (const piece of pieces(source, name)) whole += piece;
  return whole;
}

/** The lines of a source, without their ends. */
export async function* lines(source: ExampleSource, name: string): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of pieces(source, name)) {
    const parts = (rest + piece).split('\n');
    rest = parts.pop() as string;
    for (const line of parts) yield line.endsWith('\r') ? line.slice(0, -1) : line;
  }
  if (rest !== '') yield rest;
}

async function* bytes(source: Exclude<ExampleSource, string>, name: string): AsyncGenerator<Uint8Array> {
  if (source instanceof Uint8Array) return yield source;
  if (Symbol.asyncIterator in source) return yield* source as AsyncIterable<Uint8Array>;
  const reader = stream(source, name).getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } finally {
    // Who stops reading early wants no more of it.
    await reader.cancel().catch(() => {});
  }
}

function stream(source: Exclude<ExampleSource, string | Uint8Array>, name: string): ReadableStream<Uint8Array> {
  if ('getReader' in source) return source;
  if (!('body' in source)) return (source as Blob).stream();
  if (source.ok && source.body) return source.body;
  throw new LakeletError(`${name} could not be fetched: the answer has the status ${source.status}`, {
    code: 'network', status: source.status, hint: source.url ? `check the address ${source.url}` : 'check the address',
  });
}
