/** Programs that try several times: `bestOfN` and `refine`. */
import { calling } from './core.js';
import { adapterOf } from './configure.js';
import { Module } from './module.js';
import { Program, type Compiled, type Copying, type Place } from './program.js';
import { opened } from './types.js';
import { write } from './values.js';

/** How often a program tries, and what is good enough. */
export interface TriesOptions<I, O> {
  /** How often at most. */
  readonly n: number;
  /** How good a prediction is, from the inputs and the outputs: the higher the better. */
  readonly rewardFn: (args: I, prediction: O) => number | boolean | Promise<number | boolean>;
  /** The reward that is good enough to stop at. */
  readonly threshold: number;
  /** How many tries may fail; all but the last unless given. */
  readonly failCount?: number;
}

/** A program around another one that is run several times. Made by {@link bestOfN} and {@link refine}. */
export class Tries<I extends object, O extends object> extends Program<I, O> {
  readonly module: Program<I, O>;
  readonly #kind: 'bestOfN' | 'refine';
  readonly #options: TriesOptions<I, O>;

  /** @internal */
  constructor(kind: 'bestOfN' | 'refine', module: Program<I, O>, options: TriesOptions<I, O>) {
    super();
    this.#kind = kind;
    this.module = module;
    this.#options = options;
  }

  /** @internal */
  override async runIn({ run, path }: Place, inputs: I): Promise<O> {
    const { rewardFn, n, threshold, failCount } = this.#options;
    const reward = async (text: string) => {
      const { records: [args, prediction] } = opened<{ records: [I, O] }>(text);
      return rewardFn(args, prediction);
    };
    const code = this.#kind === 'refine' && { programCode: sourceOf(this.module), rewardCode: String(rewardFn) };
    const [adapter, extractionModel] = adapterOf();
    const options = { n, threshold, failCount, adapter, ...code };
    const part = this.module.inner(run);
    const handle = calling((core) => core.Program.around(this.#kind, [part], [reward], extractionModel, write(options)));
    try {
      return (await run.call(handle, path || undefined, inputs)) as O;
    } finally {
      handle.free();
    }
  }

  /** @internal */
  override copyWith(copied: Copying): this {
    return new Tries(this.#kind, copied(this.module) as Program<I, O>, this.#options) as this;
  }

  /** @internal */
  override parts(path: string): Iterable<[path: string, part: Compiled<object, object>]> {
    return this.module.parts(path ? `${path}.module` : 'module');
  }
}

/** The source of a class; what the core makes of a signature has none. */
function sourceOf(program: Program<never, object>): string | undefined {
  return program instanceof Module ? String(program.constructor) : undefined;
}

/**
 * Runs a program up to `n` times, and gives the prediction with the highest reward, or the first whose reward reaches the
 * threshold, as DSPy's `BestOfN` does. Every try asks the model at temperature 1, and is kept apart from the others by caches.
 *
 * ```ts
 * const brief = bestOfN(predict('question -> answer'), {
 *   n: 3,
 *   rewardFn: (_, { answer }) => (answer.split(' ').length === 1 ? 1 : 0),
 *   threshold: 1,
 * });
 * ```
 */
export function bestOfN<I extends object, O extends object>(module: Program<I, O>, options: TriesOptions<I, O>): Tries<I, O> {
  return new Tries('bestOfN', module, options);
}

/**
 * The same, but between the tries a model is asked what each predictor should do differently, and the predictors are shown its
 * advice as `hint_`, as DSPy's `Refine` does. The model sees the source of the program's class and of `rewardFn`.
 */
export function refine<I extends object, O extends object>(module: Program<I, O>, options: TriesOptions<I, O>): Tries<I, O> {
  return new Tries('refine', module, options);
}
