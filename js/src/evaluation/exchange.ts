/** What an evaluation and the core exchange: examples go in, rows come out. */
import { LakeletError } from '../errors.js';
import type { EvaluationProgress, EvaluationRow, Listeners, Score } from '../evaluate.js';
import type { DescribedError } from '../events.js';
import { opened } from '../types.js';
import { write } from '../values.js';

/** Writes an example into the core's buffer; `undefined` at the end. */
type Next = (() => number) | undefined;

/** A row as the core tells it: the record is the prediction. */
interface Told {
  readonly progress: EvaluationProgress;
  readonly score: Score;
  readonly latencyMs: number;
  readonly records: [object];
  readonly error?: DescribedError;
}

/** @internal */
export class Exchange<R extends object, O extends object> {
  /** All examples, where they are known. */
  readonly all: readonly R[] | undefined;
  readonly #devset: Iterable<R> | AsyncIterable<R>;
  readonly #listeners: Listeners<R, O>;
  /** By their places. */
  readonly #rows: EvaluationRow<R, O>[] | undefined;
  /** Examples that were taken one by one, and have not ended. */
  readonly #underWay = new Map<number, R>();
  #iterator: Iterator<R> | AsyncIterator<R> | undefined;
  /** What the caller is still doing with rows. */
  #telling: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(devset: Iterable<R> | AsyncIterable<R>, listeners: Listeners<R, O>, keepsRows: boolean) {
    if (typeof devset !== 'object' || devset === null || !(Symbol.iterator in devset || Symbol.asyncIterator in devset)) {
      throw new LakeletError('the option `devset` must be a list, or give examples one by one', {
        code: 'config', field: 'devset', hint: 'give an array, or what `for await` goes through',
      });
    }
    this.#devset = devset;
    this.#listeners = listeners;
    this.all = Array.isArray(devset) ? (devset as readonly R[]) : undefined;
    this.#rows = this.all && keepsRows ? [] : undefined;
  }

  /** The example at this place, which is the next one. */
  take(place: number): Next | Promise<Next> {
    const { all } = this;
    if (all && !this.#telling) return place < all.length ? () => written(all[place], place) : undefined;
    return this.#takeInTurn(place).catch((error: unknown) => {
      this.#failure ??= { error };
      throw error;
    });
  }

  async #takeInTurn(place: number): Promise<Next> {
    await this.#telling;
    if (this.all) return this.take(place);
    const next = await this.#next();
    if (next.done) return undefined;
    this.#underWay.set(place, next.value);
    return () => written(next.value, place);
  }

  async #next(): Promise<IteratorResult<R>> {
    const devset = this.#devset;
    const iterator = (this.#iterator ??= Symbol.asyncIterator in devset ? devset[Symbol.asyncIterator]() : devset[Symbol.iterator]());
    let isOver = true;
    try {
      const next = await iterator.next();
      isOver = next.done ?? false;
      return next;
    } finally {
      // One that has ended or failed is not to be told that it may end.
      if (isOver) this.#iterator = undefined;
    }
  }

  /** A row has ended. */
  ended(text: string): void {
    const { progress, score, latencyMs, records, error } = opened<Told>(text);
    const { row: place } = progress;
    const row: EvaluationRow<R, O> = {
      example: (this.all?.[place] ?? this.#underWay.get(place)) as R,
      prediction: error ? null : (records[0] as O),
      score,
      latencyMs,
      ...(error && { error: new LakeletError(error.message, error) }),
    };
    this.#underWay.delete(place);
    if (this.#rows) this.#rows[place] = row;
    this.#tell(row, place);
    this.#listeners.onProgress?.(error ? { ...progress, error } : progress);
  }

  /** Tells of rows one by one. After what a listener fails with, no more are told and no more examples are begun. */
  #tell(row: EvaluationRow<R, O>, place: number): void {
    const { onRow } = this.#listeners;
    if (!onRow) return;
    const told = (this.#telling ?? Promise.resolve()).then(() => onRow(row, place));
    this.#telling = told;
    told.then(() => {
      if (this.#telling === told) this.#telling = undefined;
    }, (error: unknown) => (this.#failure ??= { error }));
  }

  /** Waits until all rows are told, and tells who gives the examples that no more are taken. */
  async finish(): Promise<void> {
    await this.#telling;
    await this.#iterator?.return?.();
  }

  /** The rows of all examples, if they are kept. Those that were not evaluated have this score, and the reason for it as their error. */
  results(reason: LakeletError | null, score: number): EvaluationRow<R, O>[] | undefined {
    const rows = this.#rows;
    return rows && this.all?.map((example, place) => rows[place] ?? { example, prediction: null, score, latencyMs: 0, ...(reason && { error: reason }) });
  }

  /** Finishes an evaluation that has failed with this error; gives what the caller's part in it failed with, if it did. */
  failed(error: unknown): unknown {
    // Nobody waits for it: who is asked for an example that never comes may never answer this either.
    void (async () => this.#iterator?.return?.())().catch(() => {});
    return this.#failure ? this.#failure.error : error;
  }
}

function written(example: unknown, place: number): number {
  return write(example as Record<string, unknown>, `row ${place} of the devset`);
}
