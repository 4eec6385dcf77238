/** Optimizers: what DSPy calls teleprompters. */
export {
  BootstrapFewShot, BootstrapFewShotWithRandomSearch, LabeledFewShot,
  type BootstrapFewShotOptions, type BootstrapOptions, type LabeledFewShotOptions, type RandomSearchOptions, type ScoringOptions,
} from './few-shot.js';
export {
  COPRO, GEPA, InferRules, MIPROv2, SIMBA,
  type COPROOptions, type GEPAOptions, type InferRulesOptions, type MIPROv2Options, type SIMBAOptions,
} from './instructions.js';
export { KNNFewShot, NearestDemos, type KNNFewShotOptions } from './knn-few-shot.js';
export type { OptimizerMetric, OptimizerScore, TracedCall } from './metric.js';
export type { Observer, Progress, SearchEnd, Trial } from './observer.js';
export { Optimizer, type AnyProgram, type Candidate, type CompileOptions, type Estimate, type Optimized } from './optimizer.js';
export { BetterTogether, Ensemble, Ensembled, type BetterTogetherOptions, type EnsembleOptions } from './together.js';
export {
  DatabricksOptimizedOptimizer, MultiObjective,
  type Chosen, type MultiObjectiveOptions, type Objective, type Served, type ServingOptions, type ServingStats, type Weighed,
} from './serving.js';
