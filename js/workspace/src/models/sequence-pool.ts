import type { LlamaContextSequence, Token } from "node-llama-cpp";

/** Fewer shared tokens than this are no reason to prefer a sequence: every prompt begins with the same few. */
const WORTH_KEEPING = 32;

interface Waiter {
  tokens: Token[];
  take: (lease: Lease) => void;
}

/** A sequence that is ours until released. `shared` tokens of the prompt are in its memory already. */
export interface Lease {
  sequence: LlamaContextSequence;
  shared: number;
  release: () => void;
}

/**
 * The sequences of a llama.cpp context, each of which remembers the tokens it saw last. A request gets the free one
 * that remembers most of its prompt; when none is free, requests wait in the order in which they came.
 */
export class SequencePool {
  /** Free sequences, the longest unused first. */
  readonly #free: LlamaContextSequence[];
  readonly #waiting: Waiter[] = [];
  readonly #size: number;
  readonly #whenIdle: Array<() => void> = [];

  constructor(sequences: LlamaContextSequence[]) {
    this.#free = sequences;
    this.#size = sequences.length;
  }

  /** Resolves when nobody has or waits for a sequence. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle.push(resolve);
      this.#serve();
    });
  }

  /** Waits for a turn. Rejects with the signal's reason if the caller gives up before. */
  acquire(tokens: Token[], signal: AbortSignal): Promise<Lease> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason as Error);
      };
      const waiter: Waiter = {
        tokens,
        take: (lease) => {
          signal.removeEventListener("abort", giveUp);
          resolve(lease);
        },
      };
      signal.addEventListener("abort", giveUp, { once: true });
      this.#waiting.push(waiter);
      this.#serve();
    });
  }

  #serve(): void {
    while (this.#free.length > 0) {
      const waiter = this.#waiting.shift();
      if (!waiter) break;
      const { sequence, shared } = this.#best(waiter.tokens);
      this.#free.splice(this.#free.indexOf(sequence), 1);
      const release = () => {
        this.#free.push(sequence);
        this.#serve();
      };
      waiter.take({ sequence, shared, release });
    }
    if (this.#free.length === this.#size) this.#whenIdle.splice(0).forEach((resolve) => resolve());
  }

  #best(tokens: Token[]): { sequence: LlamaContextSequence; shared: number } {
    const value = (shared: number) => (shared < WORTH_KEEPING ? 0 : shared);
    return this.#free
      .map((sequence) => ({ sequence, shared: sequence.compareContextTokens(tokens).firstDifferentIndex }))
      .reduce((best, next) => (value(next.shared) > value(best.shared) ? next : best));
  }
}
