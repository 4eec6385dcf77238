/** Optimizers that find demos. */
import type { LanguageModel } from '../configure.js';
import type { OptimizerMetric } from './metric.js';
import { Optimizer } from './optimizer.js';

/** How many examples {@link LabeledFewShot} shows. */
export interface LabeledFewShotOptions {
  /** How many examples at most; 16 unless given. */
  readonly k?: number;
  /** Whether they are drawn at random, else they are the first ones; `true` unless given. */
  readonly sample?: boolean;
}

/**
 * Shows every predictor some of the examples, as DSPy's `LabeledFewShot` does. It asks no model.
 *
 * ```ts
 * const { program } = await new LabeledFewShot({ k: 8 }).compile(qa, { trainset });
 * ```
 */
export class LabeledFewShot<R extends object = any, O extends object = any> extends Optimizer<R, O> {
  constructor(options: LabeledFewShotOptions = {}) {
    super('LabeledFewShot', { ...options });
  }
}

/** How demos are bootstrapped. */
export interface BootstrapOptions {
  /** The score from which on a prediction is good; without it, or with 0, every score but 0 and `false`. */
  readonly metricThreshold?: number;
  /** How the teacher is asked: `lm`, where its predictors name none. */
  readonly teacherSettings?: { readonly lm?: LanguageModel };
  /** How many examples are to succeed; 4 unless given. */
  readonly maxBootstrappedDemos?: number;
  /** How many demos there are at most, with examples as they are; 16 unless given. */
  readonly maxLabeledDemos?: number;
  /** How often an example is tried; 1 unless given. From the second time on at the temperature 1, past all caches. */
  readonly maxRounds?: number;
  /** The error that ends the search, counted from 1; 10 unless given. */
  readonly maxErrors?: number;
}

/** What {@link BootstrapFewShot} is told. */
export interface BootstrapFewShotOptions<R extends object, O extends object> extends BootstrapOptions {
  /** What tells good predictions; without it all are good. */
  readonly metric?: OptimizerMetric<R, O>;
}

/**
 * Runs a teacher on the examples, and shows the student the calls that led to good predictions, then examples as they are: DSPy's
 * `BootstrapFewShot`.
 *
 * ```ts
 * const { program } = await new BootstrapFewShot({ metric: answerExactMatch }).compile(qa, { trainset });
 * ```
 */
export class BootstrapFewShot<R extends object = any, O extends object = any> extends Optimizer<R, O> {
  constructor({ teacherSettings, ...options }: BootstrapFewShotOptions<R, O> = {}) {
    super('BootstrapFewShot', options, { teacherModel: teacherSettings?.lm });
  }
}

/** How candidates are scored. */
export interface ScoringOptions<R extends object, O extends object> {
  readonly metric: OptimizerMetric<R, O>;
  /** How many examples are under way at once; 8 unless given. */
  readonly numThreads?: number;
  /** The number of failed examples at which the search is given up; 10 unless given. */
  readonly maxErrors?: number;
}

/** What {@link BootstrapFewShotWithRandomSearch} is told. */
export interface RandomSearchOptions<R extends object, O extends object> extends BootstrapOptions, Omit<ScoringOptions<R, O>, 'maxErrors'> {
  /** How many candidates there are beside the first three, whose seeds are -3 (no demos), -2 (examples as they are) and -1; 16 unless given. */
  readonly numCandidatePrograms?: number;
  /** Whether the examples of seed -2 are drawn at random; `true` unless given. */
  readonly labeledSample?: boolean;
  /** The score, in percent, that is good enough to stop at. */
  readonly stopAtScore?: number;
  /** The seeds of the candidates that are tried; all unless given. */
  readonly restrict?: readonly number[];
}

/**
 * Bootstraps demos from the examples in several random orders, and keeps what scores best: DSPy's `BootstrapFewShotWithRandomSearch`, with the
 * same candidates.
 *
 * ```ts
 * const { program, score } = await new BootstrapFewShotWithRandomSearch({ metric: answerExactMatch, numCandidatePrograms: 8 }).compile(qa, { trainset, valset });
 * ```
 */
export class BootstrapFewShotWithRandomSearch<R extends object = any, O extends object = any> extends Optimizer<R, O> {
  constructor({ teacherSettings, ...options }: RandomSearchOptions<R, O>) {
    super('BootstrapFewShotWithRandomSearch', { ...options }, { teacherModel: teacherSettings?.lm });
  }
}
