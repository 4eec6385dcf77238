/** Many calls, a few at a time. */
import { Program, type Compiled, type Place } from './program.js';
import type { CallOptions } from './run.js';

/** A program and what it is given. */
export type Pair = readonly [program: Program<never, object>, inputs: object];

/** What calls came to, in their order; `null` for one that failed. */
export type Results<P extends readonly Pair[]> = { -readonly [K in keyof P]: P[K] extends readonly [Program<never, infer O>, unknown] ? O | null : never };

/** How many calls are under way at once, and how many may fail. */
export interface ParallelOptions {
  /** 8 unless given. */
  readonly numThreads?: number;
  /** The number of failed calls at which the rest is given up; 10 unless given. */
  readonly maxErrors?: number;
}

/** Makes many calls. Made by {@link parallel}. */
export class Parallel extends Program<readonly Pair[], (object | null)[]> {
  readonly #options: ParallelOptions;

  /** @internal */
  constructor(options: ParallelOptions) {
    super();
    this.#options = options;
  }

  /** Calls each program with its inputs. Why one failed is told by `inspect(results).trace`. */
  override run<const P extends readonly Pair[]>(pairs: P, options: CallOptions = {}): Promise<Results<P>> {
    return super.run(pairs, options) as Promise<Results<P>>;
  }

  /** @internal */
  override runIn({ run, path }: Place, pairs: readonly Pair[]): Promise<(object | null)[]> {
    return run.parallel(path || undefined, pairs.map(([program]) => program.inner(run)), { ...this.#options, inputs: pairs.map(([, inputs]) => inputs) });
  }

  /** @internal */
  override copyWith(): this {
    return new Parallel(this.#options) as this;
  }

  /** @internal */
  override *parts(): Iterable<[path: string, part: Compiled<object, object>]> {}
}

/**
 * Makes many calls, a few at a time, as DSPy's `Parallel` does.
 *
 * ```ts
 * const answers = await parallel({ numThreads: 4 }).run(questions.map((question) => [qa, { question }]));
 * ```
 */
export function parallel(options: ParallelOptions = {}): Parallel {
  return new Parallel(options);
}
