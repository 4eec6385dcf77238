/** Optimizers that put others, or programs, together. */
import { LakeletError } from '../errors.js';
import { majority } from '../metrics.js';
import { Module } from '../module.js';
import type { Program } from '../program.js';
import type { ScoringOptions } from './few-shot.js';
import { Optimizer } from './optimizer.js';

/** What {@link BetterTogether} is told. */
export interface BetterTogetherOptions<R extends object, O extends object> extends ScoringOptions<R, O> {
  /** Optimizers by the names that the strategy has for them; `p` is a {@link BootstrapFewShotWithRandomSearch} unless given. */
  readonly optimizers?: Readonly<Record<string, Optimizer<R, O>>>;
  /** Their names in their order: `p -> copro -> p`. `w`, DSPy's name for the step that tunes weights, is refused. */
  readonly strategy: string;
  /** The share of the examples that programs are scored on when there is no valset; 0.1 unless given. With 0 the last program is the best. */
  readonly valsetRatio?: number;
  /** Whether the examples come in another random order for each step; `true` unless given. */
  readonly shuffleTrainsetBetweenSteps?: boolean;
  /** What draws follow from; 0 unless given. */
  readonly seed?: number;
}

/**
 * Improves a program with one optimizer after the other, and keeps what scores best on the way: the prompt half of DSPy's `BetterTogether`.
 *
 * ```ts
 * const together = new BetterTogether({ metric, optimizers: { mipro: new MIPROv2({ metric }), gepa: new GEPA({ metric, auto: 'light' }) }, strategy: 'mipro -> gepa' });
 * const { program } = await together.compile(qa, { trainset, valset });
 * ```
 */
export class BetterTogether<R extends object = any, O extends object = any> extends Optimizer<R, O> {
  constructor({ optimizers, ...options }: BetterTogetherOptions<R, O>) {
    super('BetterTogether', { ...options }, {}, optimizers);
  }
}

/** What {@link Ensemble} is told. */
export interface EnsembleOptions<O extends object> {
  /** Makes one prediction of several; {@link majority} of the last field unless given. */
  readonly reduceFn?: (predictions: readonly O[]) => O;
  /** How many programs are called, drawn anew at every call; all unless given. */
  readonly size?: number;
  /** What the draws follow from; 0 unless given. DSPy's own draws cannot be repeated. */
  readonly seed?: number;
}

/** Several programs as one. Made by {@link Ensemble}. */
export class Ensembled<I extends object, O extends object> extends Module<I, O> {
  readonly programs: readonly Program<I, O>[];
  readonly reduceFn: (predictions: readonly O[]) => O;
  readonly size: number;
  readonly draws: { state: number };

  /** @internal */
  constructor(programs: readonly Program<I, O>[], { reduceFn, size, seed = 0 }: EnsembleOptions<O>) {
    super();
    this.programs = programs;
    this.reduceFn = reduceFn ?? ((predictions) => majority(predictions));
    this.size = size ?? programs.length;
    this.draws = { state: seed };
  }

  override async forward(inputs: I): Promise<O> {
    const left = [...this.programs], predictions: O[] = [];
    while (predictions.length < this.size) {
      // In their order when all are called, else as they are drawn.
      const place = this.size < this.programs.length ? this.draw(left.length) : 0;
      const [program] = left.splice(place, 1) as [Program<I, O>];
      predictions.push(await program.run(inputs));
    }
    return this.reduceFn(predictions);
  }

  /** A number below `count`, by the generator of Numerical Recipes. */
  private draw(count: number): number {
    this.draws.state = (Math.imul(this.draws.state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.draws.state / 2 ** 32) * count);
  }
}

/**
 * Makes a program of several, such as the candidates of a search: it calls them in turn and makes one prediction of theirs, as DSPy's `Ensemble`
 * does.
 *
 * ```ts
 * const { candidates } = await new BootstrapFewShotWithRandomSearch({ metric }).compile(qa, { trainset });
 * const three = new Ensemble().compile(candidates.slice(0, 3).map(({ program }) => program));
 * ```
 */
export class Ensemble<O extends object = any> {
  readonly #options: EnsembleOptions<O>;

  constructor(options: EnsembleOptions<O> = {}) {
    this.#options = options;
  }

  /** @throws {@link LakeletError} `input`, when there are fewer programs than are to be called, or none. */
  compile<I extends object>(programs: readonly Program<I, O>[]): Ensembled<I, O> {
    const { size = programs.length } = this.#options;
    if (size > programs.length || size < 1) {
      throw new LakeletError(`${size} of ${programs.length} programs cannot be called`, {
        code: 'input', field: 'size', hint: 'give as many programs as are to be called, and at least one',
      });
    }
    return new Ensembled(programs, this.#options);
  }
}
