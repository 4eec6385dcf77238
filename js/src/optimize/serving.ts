/** Optimizers for programs that are served: accuracy, latency and cost. */
import type { LanguageModel } from '../configure.js';
import type { Budget } from '../run.js';
import type { ScoringOptions } from './few-shot.js';
import { Optimizer, type AnyProgram, type CompileOptions, type Optimized } from './optimizer.js';

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

/** What a call comes to, on the valset. */
export interface ServingStats {
  /** Milliseconds that half of the calls did not exceed; not there when all failed. */
  readonly latency_p50_ms?: number;
  /** Milliseconds that 95 % of the calls did not exceed. */
  readonly latency_p95_ms?: number;
  /** Tokens of prompts and answers. */
  readonly tokens: number;
  /** US dollars, where all models have a price. */
  readonly dollars?: number;
  /** The share of the calls that failed. */
  readonly error_rate: number;
}

/** A program, and how it would serve. */
export interface Served<P> extends Optimized<P> {
  /** `null` when the budget was spent before it was measured. */
  readonly serving: ServingStats | null;
}

/**
 * Teaches a program with calls that were both right and fast, and measures how it would serve the valset: `accuracyWeight * accuracy -
 * latencyWeight * latency / budgetMs`.
 *
 * ```ts
 * const { program, serving } = await new DatabricksOptimizedOptimizer({ metric: answerExactMatch, budgetMs: 800 }).compile(qa, { trainset, valset });
 * ```
 */
export class DatabricksOptimizedOptimizer<R extends object = any, O extends object = any> extends Optimizer<R, O> {
  constructor({ teacherSettings, ...options }: ServingOptions<R, O>) {
    super('DatabricksOptimizedOptimizer', { ...options }, { teacherModel: teacherSettings?.lm });
  }

  override compile<P extends AnyProgram, E extends R>(program: P, options: CompileOptions<E, P>): Promise<Served<P>> {
    return super.compile(program, options) as Promise<Served<P>>;
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

/** A program that no other one beats by every measure. */
export interface Weighed<P> {
  readonly program: P;
  /** The model that it asks, when models were searched. */
  readonly model: string | null;
  /** On how many examples it was measured. */
  readonly examples: number;
  /** What it came to by each measure: `score`, `latency_p95_ms`, `dollars`, `tokens`, `error_rate`. */
  readonly objectives: Readonly<Record<string, number>>;
}

/** The programs that are worth a choice, and one of them as the program. */
export interface Chosen<P> extends Optimized<P> {
  /** The Pareto front, in the order in which the programs came up. */
  readonly front: readonly Weighed<P>[];
  /** Why that one was chosen. */
  readonly why: string;
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
 * const { program, front, why } = await search.compile(qa, { trainset, valset, lm: { large, small } });
 * ```
 */
export class MultiObjective<R extends object = any, O extends object = any> extends Optimizer<R, O> {
  constructor({ sources = [], ...options }: MultiObjectiveOptions<R, O>) {
    super('MultiObjective', { ...options }, {}, Object.fromEntries(sources.entries()));
  }

  override compile<P extends AnyProgram, E extends R>(program: P, options: CompileOptions<E, P>): Promise<Chosen<P>> {
    return super.compile(program, options) as Promise<Chosen<P>>;
  }
}
