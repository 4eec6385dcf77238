/** Optimizers: what DSPy calls teleprompters. */
export {
  BootstrapFewShot, BootstrapFewShotWithRandomSearch, LabeledFewShot,
  type BootstrapFewShotOptions, type BootstrapOptions, type LabeledFewShotOptions, type RandomSearchOptions, type ScoringOptions,
} from './few-shot.js';
export { COPRO, GEPA, InferRules, type COPROOptions, type GEPAOptions, type InferRulesOptions } from './instructions.js';
export type { OptimizerMetric, OptimizerScore, TracedCall } from './metric.js';
export type { Observer, Progress, SearchEnd, Trial } from './observer.js';
export { Optimizer, type AnyProgram, type Candidate, type CompileOptions, type Estimate, type Optimized } from './optimizer.js';
