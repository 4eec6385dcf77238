/** Optimizers that write instructions. */
import type { LanguageModel } from '../configure.js';
import type { BootstrapOptions, ScoringOptions } from './few-shot.js';
import { Optimizer } from './optimizer.js';

/** What {@link COPRO} is told. */
export interface COPROOptions<R extends object, O extends object> extends ScoringOptions<R, O> {
  /** The model that proposes; that of the program unless given. */
  readonly promptModel?: LanguageModel;
  /** How many proposals there are each time, at least two; 10 unless given. */
  readonly breadth?: number;
  /** How many times there are proposals; 3 unless given. */
  readonly depth?: number;
  /** The temperature of proposals; 1.4 unless given. */
  readonly initTemperature?: number;
}

/**
 * Lets a model propose instructions and the prefix of the last output, scores them on all examples, and shows the model what they scored, for
 * better ones: DSPy's `COPRO`.
 *
 * ```ts
 * const { program } = await new COPRO({ metric: answerExactMatch, breadth: 5 }).compile(qa, { trainset });
 * ```
 */
export class COPRO<R extends object = any, O extends object = any> extends Optimizer<R, O> {
  constructor({ promptModel, ...options }: COPROOptions<R, O>) {
    super('COPRO', { ...options }, { promptModel });
  }
}

/** What {@link InferRules} is told. */
export interface InferRulesOptions<R extends object, O extends object> extends BootstrapOptions, Omit<ScoringOptions<R, O>, 'maxErrors'> {
  /** How many candidates there are; 10 unless given. */
  readonly numCandidates?: number;
  /** How many rules the model is asked for; 10 unless given. */
  readonly numRules?: number;
}

/**
 * Bootstraps demos, lets a model put the examples into rules, adds the rules to the instructions, and keeps what scores best: DSPy's
 * `InferRules`. The model of `teacherSettings` writes the rules.
 *
 * ```ts
 * const { program } = await new InferRules({ metric: answerExactMatch, numRules: 5 }).compile(qa, { trainset, valset });
 * ```
 */
export class InferRules<R extends object = any, O extends object = any> extends Optimizer<R, O> {
  constructor({ teacherSettings, ...options }: InferRulesOptions<R, O>) {
    super('InferRules', { ...options }, { teacherModel: teacherSettings?.lm });
  }
}

/** What {@link MIPROv2} is told: what DSPy's constructor takes, and what its `compile` takes. */
export interface MIPROv2Options<R extends object, O extends object> extends ScoringOptions<R, O> {
  /** The model that proposes instructions; that of the program unless given. */
  readonly promptModel?: LanguageModel;
  /** The model that the program asks, where its predictors name none. */
  readonly taskModel?: LanguageModel;
  /** How the teacher is asked: `lm`, where its predictors name none; the task model unless given. */
  readonly teacherSettings?: { readonly lm?: LanguageModel };
  /** How much is tried; `light` unless given. `null` for `numCandidates` and `numTrials`. */
  readonly auto?: 'light' | 'medium' | 'heavy' | null;
  /** How many instructions and sets of demos there are to choose from, for each predictor. */
  readonly numCandidates?: number;
  /** How many combinations are tried. */
  readonly numTrials?: number;
  /** 4 unless given. With 0 here and for `maxLabeledDemos` the program gets instructions and no demos. */
  readonly maxBootstrappedDemos?: number;
  /** 4 unless given. */
  readonly maxLabeledDemos?: number;
  /** The score from which on the teacher's prediction is good enough for a demo. */
  readonly metricThreshold?: number;
  /** What draws follow from; 9 unless given. */
  readonly seed?: number;
  /** The temperature of proposals; 1 unless given. */
  readonly initTemperature?: number;
  /** Whether combinations are scored on a part of the valset first; `auto` decides itself, else `true` unless given. */
  readonly minibatch?: boolean;
  /** 35 unless given. */
  readonly minibatchSize?: number;
  /** After how many combinations the best one so far is scored on all examples; 5 unless given. */
  readonly minibatchFullEvalSteps?: number;
  /** How many examples the model that proposes looks at at a time, for a summary; 10 unless given. */
  readonly viewDataBatchSize?: number;
  /** Whether the model that proposes is shown the program; `true` unless given. */
  readonly programAwareProposer?: boolean;
  /** Whether it is shown a summary of the examples; `true` unless given. */
  readonly dataAwareProposer?: boolean;
  /** Whether it is given a tip, drawn by chance; `true` unless given. */
  readonly tipAwareProposer?: boolean;
  /** Whether it is shown demos; `true` unless given. */
  readonly fewshotAwareProposer?: boolean;
}

/**
 * Bootstraps sets of demos, lets a model propose instructions from what it is shown of the examples and the program, and searches for the
 * instructions and demos that score best together: DSPy's `MIPROv2`.
 *
 * ```ts
 * const { program } = await new MIPROv2({ metric: answerExactMatch, auto: 'light', promptModel: 'databricks-claude-sonnet-4-5' }).compile(qa, { trainset });
 * ```
 */
export class MIPROv2<R extends object = any, O extends object = any> extends Optimizer<R, O> {
  constructor({ promptModel, taskModel, teacherSettings, ...options }: MIPROv2Options<R, O>) {
    super('MIPROv2', { ...options }, { promptModel, taskModel, teacherModel: teacherSettings?.lm });
  }
}

/** What {@link GEPA} is told. Exactly one of `auto`, `maxFullEvals` and `maxMetricCalls` says when it ends. */
export interface GEPAOptions<R extends object, O extends object> extends Omit<ScoringOptions<R, O>, 'maxErrors'> {
  readonly auto?: 'light' | 'medium' | 'heavy';
  /** So many evaluations of all examples, those of the valset included. */
  readonly maxFullEvals?: number;
  readonly maxMetricCalls?: number;
  /** How many examples a candidate is changed for, and tried on first; 3 unless given. */
  readonly reflectionMinibatchSize?: number;
  /** Which candidate is changed next; `pareto` unless given: one of those that do best on some example. */
  readonly candidateSelectionStrategy?: 'pareto' | 'current_best' | 'epsilon_greedy' | 'top_k_pareto';
  /** Which predictors of a candidate are changed; `round_robin` unless given. */
  readonly componentSelector?: 'round_robin' | 'all';
  /** The model that reflects: DSPy asks for a strong one. That of the program unless given. */
  readonly reflectionLm?: LanguageModel;
  /** Reference material for the model that reflects, each the text of a skill. */
  readonly skills?: readonly string[];
  /** Requirements for every proposal. */
  readonly additionalInstructions?: string;
  /** The most characters that a proposal may have. */
  readonly maxChars?: number;
  /** Whether a candidate stays as it is when it is perfect on its minibatch; `true` unless given. */
  readonly skipPerfectScore?: boolean;
  /** The score from which on a prediction is perfect; 1 unless given. */
  readonly perfectScore?: number;
  /** Whether replies that could not be read are reflected on; `false` unless given. */
  readonly addFormatFailureAsFeedback?: boolean;
  /** Whether candidates that have changed different predictors are merged; `true` unless given. */
  readonly useMerge?: boolean;
  /** How many merged candidates there are at most; 5 unless given. */
  readonly maxMergeInvocations?: number;
  /** The score of an example that the program or the metric fails on; 0 unless given. */
  readonly failureScore?: number;
  /** What draws follow from; 0 unless given. */
  readonly seed?: number;
}

/**
 * Lets a model rewrite instructions by reflecting on what they led to and on what the metric says of it, and goes on from the candidates that are
 * best on some example: DSPy's `GEPA`. The metric is best one that says why.
 *
 * ```ts
 * const metric = (example, prediction) => {
 *   const isRight = example.answer === prediction.answer;
 *   return { score: isRight, feedback: isRight ? 'Right.' : `The answer is ${example.answer}.` };
 * };
 * const { program } = await new GEPA({ metric, auto: 'light', reflectionLm: 'databricks-claude-sonnet-4-5' }).compile(qa, { trainset, valset });
 * ```
 */
export class GEPA<R extends object = any, O extends object = any> extends Optimizer<R, O> {
  constructor({ reflectionLm, ...options }: GEPAOptions<R, O>) {
    super('GEPA', { ...options }, { reflectionModel: reflectionLm });
  }
}

/** What {@link SIMBA} is told: what DSPy's constructor takes, and the seed of its `compile`. */
export interface SIMBAOptions<R extends object, O extends object> extends Omit<ScoringOptions<R, O>, 'maxErrors'> {
  /** How many examples a batch has; 32 unless given. */
  readonly bsize?: number;
  /** How often each example of a batch is tried, and one less than the most new programs of a step; 6 unless given. */
  readonly numCandidates?: number;
  /** How many batches there are; 8 unless given. */
  readonly maxSteps?: number;
  /** From how many demos of a predictor on some are dropped; 4 unless given. With 0 programs get rules and no demos. */
  readonly maxDemos?: number;
  /** The model that writes rules; that of the program unless given. */
  readonly promptModel?: LanguageModel;
  /** A model, `lm`, that makes the first of the tries of each example. */
  readonly teacherSettings?: { readonly lm?: LanguageModel };
  /** How many characters of an input a demo shows; 100,000 unless given. */
  readonly demoInputFieldMaxlen?: number;
  /** The lower, the more the best programs are preferred when a batch is tried; 0.2 unless given. */
  readonly temperatureForSampling?: number;
  /** The same, when a program is picked to make a new one from; 0.2 unless given. */
  readonly temperatureForCandidates?: number;
  /** What draws follow from; 0 unless given. */
  readonly seed?: number;
}

/**
 * Tries small batches of examples several times, looks where the tries differ most, and shows what went well as a demo, or lets a model write rules
 * from what went well and what went badly: DSPy's `SIMBA`. A valset and a teacher are not looked at.
 *
 * ```ts
 * const { program } = await new SIMBA({ metric: answerExactMatch, bsize: 16, maxSteps: 4 }).compile(qa, { trainset });
 * ```
 */
export class SIMBA<R extends object = any, O extends object = any> extends Optimizer<R, O> {
  constructor({ promptModel, teacherSettings, ...options }: SIMBAOptions<R, O>) {
    super('SIMBA', { ...options }, { promptModel, teacherModel: teacherSettings?.lm });
  }
}
