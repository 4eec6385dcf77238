/** A running program as an async iterable of its events. */
import { LakeletError } from './errors.js';
import type { ProgramEvent } from './events.js';
import type { CallOptions } from './run.js';

type Tell<O> = (event: ProgramEvent<O>) => void;

/**
 * A program that runs. It runs whether or not its events are read; leaving the loop early cancels it.
 * An error of the program ends the loop, and rejects {@link result}.
 */
export class ProgramStream<O extends object> implements AsyncIterable<ProgramEvent<O>> {
  /** The outputs, once the program has ended. */
  readonly result: Promise<O>;
  readonly #cancel = new AbortController();
  readonly #told: ProgramEvent<O>[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  /** @internal */
  constructor(options: CallOptions, start: (options: CallOptions, tell: Tell<O>) => Promise<O>) {
    const signal = options.signal ? AbortSignal.any([options.signal, this.#cancel.signal]) : this.#cancel.signal;
    const tell: Tell<O> = (event) => {
      this.#told.push(event);
      this.#wake?.();
    };
    this.result = start({ ...options, signal }, tell).finally(() => {
      this.#ended = true;
      this.#wake?.();
    });
    // Whoever only reads the events learns of the error there.
    this.result.catch(() => {});
  }

  /** Abandons the program, with everything that it has under way. */
  cancel(reason?: unknown): void {
    this.#cancel.abort(reason);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ProgramEvent<O>, void, void> {
    if (this.#wake) throw new LakeletError('the events of a stream can be read once', { code: 'input', hint: 'read them in one loop' });
    try {
      while (true) {
        for (let event; (event = this.#told.shift()); ) yield event;
        if (this.#ended) break;
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      await this.result;
    } finally {
      if (!this.#ended) this.cancel('the reader left');
    }
  }
}
