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

/** How calls are made, where an optimizer makes several. */
export interface Calling {
  readonly numThreads?: number;
  readonly maxErrors?: number;
}

/** What of it is no option of an optimizer: it makes one call after the other, or has another way with errors. */
const LACKING: Readonly<Record<string, readonly string[]>> = {
  LabeledFewShot: ['numThreads', 'maxErrors'], BootstrapFewShot: ['numThreads'], GEPA: ['maxErrors'], SIMBA: ['maxErrors'],
};

/**
 * The optimizer of a name. Those that put others together are told them by their names: {@link BetterTogether} in its strategy (`p` is DSPy's
 * default), {@link MultiObjective} in `sources`, parted by commas; their options are below those names.
 */
export function optimizer(name: string, metric: AnyMetric | undefined, options: Options, calling: Calling): Made {
  if (Object.hasOwn(IN_CODE, name)) throw new UsageError(`--optimizer: ${name} is used in code alone: ${IN_CODE[name]}, which no saved state holds`);
  if (!Object.hasOwn(OPTIMIZERS, name)) throw new UsageError(`--optimizer: there is no optimizer '${name}'; ${offer(name, Object.keys(OPTIMIZERS))}`);
  if (metric === undefined && !['LabeledFewShot', 'BootstrapFewShot'].includes(name)) throw new UsageError(`--metric is missing: what ${name} compares programs by`);
  const part = (of: string) => optimizer(of, metric, (options[of] ?? {}) as Options, calling);
  const { strategy, sources, ...own }: Options & { readonly strategy?: unknown; readonly sources?: string | string[] } = { ...options, ...without({ ...calling }, LACKING[name] ?? []), ...(metric && { metric }) };
  const Optimizer = OPTIMIZERS[name] as new (options: Options) => Made;
  if (name === 'BetterTogether' && typeof strategy === 'string') {
    const steps = strategy.split('->').map((step) => step.trim()).filter((step) => Object.hasOwn(OPTIMIZERS, step));
    const parts = Object.fromEntries([['p', part('BootstrapFewShotWithRandomSearch')], ...steps.map((step) => [step, part(step)])]);
    return new Optimizer({ ...without(own, steps), strategy, optimizers: parts });
  }
  if (name === 'MultiObjective' && sources !== undefined) {
    const from = Array.isArray(sources) ? sources : sources.split(',').map((source) => source.trim());
    return new Optimizer({ ...without(own, from), sources: from.map(part) });
  }
  return new Optimizer({ ...own, ...(strategy !== undefined && { strategy }), ...(sources !== undefined && { sources }) });
}

function without(options: Options, names: readonly string[]): Options {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !names.includes(name)));
}
