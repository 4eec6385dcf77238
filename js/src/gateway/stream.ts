/** Answers that are sent while they come to be. */
import type { Call } from './call.js';
import type { RunEvent } from './types.js';

const encoder = new TextEncoder();

/**
 * A stream that asks for the next chunk when less than `ahead` bytes wait for the reader, and tells the call when the reader leaves. Chunks
 * that are there already are handed over together.
 */
export function toStream(chunks: AsyncGenerator<Uint8Array>, call: Call, ahead = 0): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      do {
        const { done, value } = await chunks.next();
        if (done) return controller.close();
        controller.enqueue(value);
      } while ((controller.desiredSize ?? 0) > 0);
    },
    cancel() {
      call.leave();
      void chunks.return(undefined).catch(() => {});
    },
  }, { highWaterMark: ahead, size: (chunk) => chunk.length });
}

/** Events, of which the first is there, as server-sent events: `event: TYPE`, `data: JSON`; a comment when nothing has happened for a while. */
export async function* serverSentEvents(first: IteratorResult<RunEvent>, events: AsyncIterator<RunEvent>, call: Call, heartbeatMs: number): AsyncGenerator<Uint8Array> {
  // One timer and one listener for all events: a run tells dozens of them.
  let [tick, stop]: [(nothing: undefined) => void, (reason: unknown) => void] = [() => {}, () => {}];
  const timer = setInterval(() => tick(undefined), heartbeatMs);
  const aborted = () => stop(call.signal.reason);
  call.signal.addEventListener('abort', aborted);
  try {
    for (let next = Promise.resolve(first); ; ) {
      call.signal.throwIfAborted();
      const arrived = await new Promise<IteratorResult<RunEvent> | undefined>((resolve, reject) => {
        [tick, stop] = [resolve, reject];
        next.then(resolve, reject);
      });
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
    clearInterval(timer);
    call.signal.removeEventListener('abort', aborted);
    void events.return?.().catch(() => {});
  }
}

function frame(event: string, data: object): Uint8Array {
  return encoder.encode(`event: ${event.replace(/[\r\n]/g, ' ')}\ndata: ${JSON.stringify(data)}\n\n`);
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
