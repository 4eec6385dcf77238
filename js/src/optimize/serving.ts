/** Optimizers for programs that are served: accuracy, latency and cost. */
import type { LanguageModel } from '../configure.js';
import type { Budget } from '../run.js';
import type { ScoringOptions } from './few-shot.js';
import { Optimizer } from './optimizer.js';

/** What {@link DatabricksOptimizedOptimizer} is told. */
export interface ServingOptions<R extends object, O extends object> extends ScoringOptions<R, O> {
  /** 0.8 unless given. */
  readonly accuracyWeight?: number;
  /** 0.2 unless given. */
  readonly latencyWeight?: number;
  /** How long a call may take, in milliseconds; 1000 unless given. */
  readonly budgetMs?: number;
  /** Estimates the latency, all in milliseconds (100, 0.5 and 50 unless given); without it, it is measured past all caches. */
  readonly latency?: { readonly base?: number; readonly perCharacter?: number; readonly retrieval?: number };
  /** The score from which on a trace is shown as a demo; that of a right answer just in time unless given. */
  readonly threshold?: number;
  readonly teacherSettings?: { readonly lm?: LanguageModel };
  /** 5 unless given. */
  readonly maxBootstrappedDemos?: number;
  /** 3 unless given. */
  readonly maxLabeledDemos?: number;
  /** What a million tokens cost, by the names of models. */
  readonly prices?: Budget['prices'];
}

/**
 * Teaches a program with calls that were both right and fast, and measures how it would serve the valset: `accuracyWeight * accuracy -
 * latencyWeight * latency / budgetMs`. The observer is told the statistics, as `objectives`: `latency_p50_ms`, `latency_p95_ms`, `tokens`,
 * `dollars`, `error_rate`.
 *
 * ```ts
 * const { program } = await new DatabricksOptimizedOptimizer({ metric: answerExactMatch, budgetMs: 800 }).compile(qa, { trainset, valset });
 * ```
 */
export class DatabricksOptimizedOptimizer<R extends object = any, O extends object = any> extends Optimizer<R, O> {
  constructor({ teacherSettings, ...options }: ServingOptions<R, O>) {
    super('DatabricksOptimizedOptimizer', { ...options }, { teacherModel: teacherSettings?.lm });
  }
}

/** Something that programs are compared by. */
export interface Objective {
  readonly measure: 'score' | 'latencyMs' | 'dollars' | 'tokens' | 'errorRate';
  /** The share of the calls that do not exceed the latency; 0.95 unless given. */
  readonly share?: number;
  /** How much it counts beside the others; 1 unless given. */
  readonly weight?: number;
  /** What a program has to keep to. */
  readonly limit?: number;
}

/** What {@link MultiObjective} is told. */
export interface MultiObjectiveOptions<R extends object, O extends object> extends ScoringOptions<R, O> {
  /** Score, latency at the 95th percentile and tokens unless given. */
  readonly objectives?: readonly Objective[];
  /** The models that are tried, by their names in the settings: which one is asked is a part of what is searched. */
  readonly models?: readonly string[];
  /** Where candidates come from beside the student. */
  readonly sources?: readonly Optimizer<R, O>[];
  /** How many candidates of each source; 8 unless given. */
  readonly numCandidates?: number;
  /** How one of the Pareto front is chosen; by the weights unless given. */
  readonly preference?: 'weights' | 'knee';
  /** Whether only the better half of the candidates goes on to more examples; `true` unless given. */
  readonly halving?: boolean;
  /** How many examples come first; 8 unless given. */
  readonly minExamples?: number;
  readonly seed?: number;
  /** What a million tokens cost, by the names of models. */
  readonly prices?: Budget['prices'];
}

/**
 * Looks for the programs that no other one beats by every measure (the Pareto front), and chooses one of them.
 *
 * ```ts
 * const search = new MultiObjective({
 *   metric: answerExactMatch,
 *   objectives: [{ measure: 'score', weight: 3 }, { measure: 'latencyMs', limit: 800 }],
 *   models: ['large', 'small'],
 *   sources: [new BootstrapFewShotWithRandomSearch({ metric: answerExactMatch })],
 * });
 * const { program } = await search.compile(qa, { trainset, valset, lm: { large, small } });
 * ```
 */
export class MultiObjective<R extends object = any, O extends object = any> extends Optimizer<R, O> {
  constructor({ sources = [], ...options }: MultiObjectiveOptions<R, O>) {
    super('MultiObjective', { ...options }, {}, Object.fromEntries(sources.entries()));
  }
}
