/** Answers that are sent while they come to be. */
import type { Call } from './call.js';
import type { RunEvent } from './types.js';

const encoder = new TextEncoder();

/** A stream that asks for the next chunk only when the reader wants it, and tells the call when the reader leaves. */
export function toStream(chunks: AsyncGenerator<Uint8Array>, call: Call): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel() {
      call.leave();
      void chunks.return(undefined).catch(() => {});
    },
  }, { highWaterMark: 0 });
}

/** Events as server-sent events: `event: TYPE`, `data: JSON`; a comment when nothing has happened for a while. */
export async function* serverSentEvents(events: AsyncIterator<RunEvent>, call: Call, heartbeatMs: number): AsyncGenerator<Uint8Array> {
  try {
    for (let next = events.next(); ; ) {
      const arrived = await call.within(orAfter(next, heartbeatMs));
      if (arrived === undefined) {
        yield encoder.encode(':\n\n');
        continue;
      }
      if (arrived.done) break;
      const { type, ...members } = arrived.value;
      yield frame(type, members);
      next = events.next();
    }
    call.end(200);
  } catch (error) {
    const failure = call.failed(error);
    call.end(200, failure);
    yield frame('error', { error: failure.body(call.id) });
  } finally {
    void events.return?.().catch(() => {});
  }
}

function frame(event: string, data: object): Uint8Array {
  return encoder.encode(`event: ${event.replace(/[\r\n]/g, ' ')}\ndata: ${JSON.stringify(data)}\n\n`);
}

/** The value, or undefined when it takes longer. */
async function orAfter<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await Promise.race([work, new Promise<undefined>((resolve) => (timer = setTimeout(resolve, ms, undefined)))]);
  } finally {
    clearTimeout(timer);
  }
}

/** How much of the end of a relayed reply is kept to read the tokens from. */
const TAIL = 4096;

/** A relayed body as it comes; its last `usage` is counted. */
export async function* relayedBody(body: ReadableStream<Uint8Array>, call: Call): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let tail = '';
  try {
    for (;;) {
      const { done, value } = await call.within(reader.read());
      if (done) break;
      tail = (tail + decoder.decode(value, { stream: true })).slice(-TAIL);
      yield value;
    }
    for (const name of ['prompt_tokens', 'completion_tokens'] as const) {
      call.tokens[name] = Number([...tail.matchAll(new RegExp(`"${name}"\\s*:\\s*(\\d+)`, 'g'))].at(-1)?.[1] ?? 0);
    }
    call.end(200);
  } catch (error) {
    call.end(200, call.failed(error));
    throw error;
  } finally {
    void reader.cancel().catch(() => {});
  }
}
