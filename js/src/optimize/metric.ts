/** Metrics as optimizers ask them. */
import type { Metric as Handle } from '../../wasm/optimize.js';
import { LakeletError } from '../errors.js';
import { Program } from '../program.js';
import type { Run } from '../run.js';
import { opened } from '../types.js';
import { write } from '../values.js';
import { optimizing } from './core.js';

/** A call of a predictor that led to a prediction. */
export interface TracedCall {
  /** The path of the predictor, as `namedPredictors()` has it. */
  readonly predictor: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** True, false, or a number, the higher the better; with words for a model that reflects, as {@link GEPA} asks for. */
export type OptimizerScore = number | boolean | { readonly score: number | boolean; readonly feedback?: string };

/**
 * How good a prediction is: a function, or a program that judges, such as {@link semanticF1}. One that throws counts as an error, and the
 * example as failed.
 *
 * The `trace` is given where demos are looked for, as in DSPy: there a metric may be stricter. {@link GEPA} asks with the path of a predictor and
 * its call too: what it did for the prediction, or against it.
 *
 * ```ts
 * const metric = (example, prediction, trace) => (trace ? example.answer === prediction.answer : answerF1(example, prediction));
 * ```
 */
export type OptimizerMetric<R extends object, O extends object> =
  | ((example: R, prediction: O, trace?: readonly TracedCall[], predName?: string, predTrace?: readonly TracedCall[]) => OptimizerScore | Promise<OptimizerScore>)
  | Program<never, { score: number | boolean }>;

interface Asked {
  readonly records: Record<string, unknown>[];
  readonly trace?: readonly string[];
  readonly predictor?: string | null;
}

/** The metric as the core asks it; `watch` is told of every score. @internal */
export function metricIn(run: Run, metric: OptimizerMetric<never, never>, watch: (() => void) | undefined): Handle {
  if (typeof metric !== 'function' && !(metric instanceof Program)) {
    throw new LakeletError('the metric is neither a function nor a program', { code: 'config', field: 'metric', hint: 'give (example, prediction) => score' });
  }
  return optimizing(({ Metric }) => {
    const made = metric instanceof Program ? Metric.judge(metric.inner(run)) : Metric.of(scoring(metric));
    return watch ? made.counted(watch) : made;
  });
}

function scoring(metric: Exclude<OptimizerMetric<never, never>, Program<never, object>>): (text: string) => Promise<() => number> {
  return async (text) => {
    const { records: [example, prediction, ...calls], trace: paths, predictor } = opened<Asked>(text);
    const call = (path: string, place: number) => ({ predictor: path, inputs: calls[2 * place] ?? {}, outputs: calls[2 * place + 1] ?? {} });
    const trace = paths?.map(call);
    const judged = typeof predictor === 'string' ? [call(predictor, trace?.length ?? 0)] : undefined;
    const score = await metric(example as never, prediction as never, trace, predictor ?? undefined, judged);
    return () => write({ score }, 'the score');
  };
}
