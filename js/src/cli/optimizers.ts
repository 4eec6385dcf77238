/** Optimizers by their names. */
import * as exported from 'lakelet/optimize';

import { offer, UsageError } from './usage.js';
import type { AnyMetric } from './program.js';

type Options = Readonly<Record<string, unknown>>;
type Made = exported.Optimizer<object, object>;

const {
  BetterTogether, BootstrapFewShot, BootstrapFewShotWithRandomSearch, COPRO, DatabricksOptimizedOptimizer, GEPA, InferRules, LabeledFewShot, MIPROv2, MultiObjective, SIMBA,
} = exported;

const OPTIMIZERS = {
  LabeledFewShot, BootstrapFewShot, BootstrapFewShotWithRandomSearch, COPRO, MIPROv2, SIMBA, GEPA, InferRules, BetterTogether, DatabricksOptimizedOptimizer, MultiObjective,
} as unknown as Readonly<Record<string, new (options: Options) => Made>>;

/** Optimizers whose programs are more than what a file holds of them. */
const IN_CODE: Readonly<Record<string, string>> = {
  KNNFewShot: 'it makes programs that look for demos at every call',
  Ensemble: 'it makes one program of several',
};

/**
 * The optimizer of a name. Those that put others together are told them by their names: {@link BetterTogether} in its strategy (`p` is DSPy's
 * default), {@link MultiObjective} in `sources`; their options are below those names.
 */
export function optimizer(name: string, metric: AnyMetric | undefined, options: Options): Made {
  if (Object.hasOwn(IN_CODE, name)) throw new UsageError(`--optimizer: ${name} is used in code alone: ${IN_CODE[name]}, which no saved state holds`);
  if (!Object.hasOwn(OPTIMIZERS, name)) throw new UsageError(`--optimizer: there is no optimizer '${name}'; ${offer(name, Object.keys(OPTIMIZERS))}`);
  if (metric === undefined && !['LabeledFewShot', 'BootstrapFewShot'].includes(name)) throw new UsageError(`--metric is missing: what ${name} compares programs by`);
  const part = (of: string) => optimizer(of, metric, (options[of] ?? {}) as Options);
  const { strategy, sources, ...own } = options;
  const Optimizer = OPTIMIZERS[name] as new (options: Options) => Made;
  if (name === 'BetterTogether' && typeof strategy === 'string') {
    const steps = strategy.split('->').map((step) => step.trim()).filter((step) => Object.hasOwn(OPTIMIZERS, step));
    const parts = Object.fromEntries([['p', part('BootstrapFewShotWithRandomSearch')], ...steps.map((step) => [step, part(step)])]);
    return new Optimizer({ ...without(own, steps), metric, strategy, optimizers: parts });
  }
  if (name === 'MultiObjective' && Array.isArray(sources)) {
    return new Optimizer({ ...without(own, sources as string[]), metric, sources: (sources as string[]).map(part) });
  }
  return new Optimizer({ ...options, ...(metric && { metric }) });
}

function without(options: Options, names: readonly string[]): Options {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !names.includes(name)));
}
