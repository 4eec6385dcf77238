/** How well a program does on a set of examples. */
import { LakeletError } from './errors.js';
import { Exchange } from './evaluation/exchange.js';
import type { DescribedError, Usage } from './events.js';
import { Pipeline } from './pipeline.js';
import { Predictor } from './predict.js';
import type { Program } from './program.js';
import { Run, type CallOptions } from './run.js';
import { opened } from './types.js';
import { write } from './values.js';

/** What a metric says: true, false, or a number, the higher the better. */
export type Score = number | boolean;

/**
 * How good a prediction is: a function, or a program that judges, such as {@link semanticF1}. One that throws counts as an error, and the
 * example as failed.
 */
export type Metric<R extends object, O extends object> =
  | ((example: R, prediction: O) => Score | Promise<Score>)
  | Program<never, { score: Score }>;

/** Who is told of an evaluation. */
export interface Listeners<R extends object, O extends object> {
  /** Told whenever an example has ended. */
  readonly onProgress?: (progress: EvaluationProgress) => void;
  /**
   * Given each row when its example has ended, one after the other, with the place of the example in the set. No further example is begun before
   * what it gives is settled; what it fails with ends the evaluation.
   */
  readonly onRow?: (row: EvaluationRow<R, O>, place: number) => void | Promise<void>;
}

/** How a program is evaluated. */
export interface EvaluateSettings<R extends object, O extends object> extends CallOptions, Listeners<R, O> {
  readonly metric: Metric<R, O>;
  /** The fields of an example that the program is given. Predictors and pipelines tell their inputs themselves. */
  readonly inputs?: readonly (keyof R & string)[];
  /** How many examples are under way at once; 8 unless given. */
  readonly concurrency?: number;
  /** The number of failed examples at which the rest is given up; 10 unless given. */
  readonly maxErrors?: number;
  /** The score of an example that failed; 0 unless given. */
  readonly failureScore?: number;
}

/** What a program is evaluated on, and how. */
export interface EvaluateOptions<R extends object, O extends object> extends EvaluateSettings<R, O> {
  /** The examples: what the program is given, and what the metric compares with. */
  readonly devset: readonly R[];
  readonly keepResults?: true;
}

/** What a program is evaluated on, and how, when no results are kept: whatever the number of examples, memory does not grow with it. */
export interface StreamedEvaluateOptions<R extends object, O extends object> extends EvaluateSettings<R, O> {
  /** The examples one by one, from a file for instance: each is taken when it is begun. */
  readonly devset: Iterable<R> | AsyncIterable<R>;
  /** The results of an array are kept unless this is `false`. */
  readonly keepResults?: false;
}

/** How far an evaluation is, when an example has just ended. */
export interface EvaluationProgress {
  /** The place of the example in the set. */
  readonly row: number;
  /** Why it failed, if it did. */
  readonly error?: DescribedError;
  /** How many examples have ended. */
  readonly done: number;
  /** How many there are; `null` of examples that come one by one. */
  readonly total: number | null;
  /** How many of them failed. */
  readonly failed: number;
  /** The mean score of those that ended, in percent. */
  readonly score: number;
  readonly elapsedMs: number;
  /** How long the rest takes at this rate, where it is known how much that is. */
  readonly leftMs: number | null;
  /** Examples a second; `null` while no time has passed. */
  readonly perSecond: number | null;
}

/** What came of one example. */
export interface EvaluationRow<R extends object, O extends object> {
  /** The very object of the set. */
  readonly example: R;
  /** What the program predicted; `null` when the example failed. */
  readonly prediction: O | null;
  readonly score: Score;
  /** How long the program took, without the metric. */
  readonly latencyMs: number;
  /** Why the example failed, if it did. */
  readonly error?: LakeletError;
}

/** How well a program did, and what it cost. */
export interface EvaluationSummary {
  /** The mean score in percent, rounded to two digits as Python rounds. */
  readonly score: number;
  /** With 95 % confidence the score on all such examples is at most so much higher or lower, in percent; `null` for a single example. */
  readonly margin: number | null;
  /** How many examples failed. */
  readonly failed: number;
  /** The tokens of all model calls, those of the metric included. */
  readonly usage: Usage;
  /** What the calls cost in US dollars, by the prices of the budget; `null` without prices. Models without a price count as free. */
  readonly dollars: number | null;
  readonly durationMs: number;
  /**
   * The latency that half of the examples did not exceed, and 95 % and 99 % of them; `null` when all failed. Where more than 2,000 latencies are
   * different, they may be a thousandth too low.
   */
  readonly latencyMs: Readonly<Record<'p50' | 'p95' | 'p99', number | null>>;
  /** Why not all examples were evaluated, if so: the budget was spent. The score is of the others. */
  readonly stoppedBy: LakeletError | null;
}

/** How well a program did on each example: DSPy's `EvaluationResult`. */
export interface Evaluation<R extends object, O extends object> extends EvaluationSummary {
  /** A row for each example, in the order of the set. The rows of examples that were not evaluated hold the error `budget`. */
  readonly results: readonly EvaluationRow<R, O>[];
}

/** An evaluation as the core tells it. */
interface Outcome extends Omit<EvaluationSummary, 'usage' | 'dollars' | 'stoppedBy'> {
  /** What ended it before its end. */
  readonly error?: DescribedError;
}

/**
 * Runs a program on examples, a few at a time, and scores what it predicts, as DSPy's `Evaluate` does.
 *
 * ```ts
 * const { score, results } = await evaluate(predict('question -> answer'), {
 *   devset: [{ question: '2 + 2?', answer: '4' }, { question: '3 * 4?', answer: '12' }],
 *   metric: answerExactMatch,
 *   onProgress: ({ done, total }) => console.log(`${done}/${total}`),
 * });
 * ```
 *
 * Examples leave no trace behind, whatever their number; `inspect` of the evaluation tells what was used. Those of a file are read as they are
 * begun, and their rows are told and not kept:
 *
 * ```ts
 * const { score } = await evaluate(qa, { devset: linesOf('million.jsonl'), metric: answerExactMatch, onRow: (row) => write(row) });
 * ```
 *
 * @throws {@link LakeletError} `input` for a set without examples, for an example that lacks an input (in an array before any call), and for a
 * metric that gives what is no score; `cancelled` when too many examples failed. What `devset` and `onRow` throw is thrown as it is.
 */
export function evaluate<I extends object, O extends object, R extends I>(program: Program<I, O>, options: EvaluateOptions<R, O>): Promise<Evaluation<R, O>>;
export function evaluate<I extends object, O extends object, R extends I>(program: Program<I, O>, options: StreamedEvaluateOptions<R, O>): Promise<EvaluationSummary>;
export function evaluate<I extends object, O extends object, R extends I>(
  program: Program<I, O>, options: EvaluateOptions<R, O> | StreamedEvaluateOptions<R, O>,
): Promise<EvaluationSummary | Evaluation<R, O>> {
  const { devset, keepResults = true, metric, inputs, concurrency, maxErrors, failureScore = 0, ...call } = options;
  return Run.begin(call, async (run) => {
    const [score, judge] = typeof metric === 'function' ? [scoring(metric), undefined] : [undefined, metric?.inner(run)];
    const exchange = new Exchange<R, O>(devset, call, keepResults);
    const given = { ...(inputs ? { inputs } : (inputsOf(program) ?? untold())), total: exchange.all?.length, concurrency, maxErrors, failureScore };
    try {
      const text = await run.evaluate(program.inner(run), score, judge, (place) => exchange.take(place), (row) => exchange.ended(row), given);
      await exchange.finish();
      const { error, ...outcome } = JSON.parse(text) as Outcome;
      const stoppedBy = error ? new LakeletError(error.message, error) : null;
      const dollars = call.budget?.prices ? (run.spent?.dollars ?? null) : null;
      const summary = { ...outcome, usage: run.usage.usage, dollars, stoppedBy };
      const results = exchange.results(stoppedBy, failureScore);
      return results ? { ...summary, results } : summary;
    } catch (error) {
      throw exchange.failed(error);
    }
  });
}

/** What the core calls for a metric. */
function scoring<R extends object, O extends object>(metric: (example: R, prediction: O) => Score | Promise<Score>): (text: string) => Promise<() => number> {
  return async (text) => {
    const { records: [example, prediction] } = opened<{ records: [R, O] }>(text);
    const score = await metric(example, prediction);
    return () => write({ score }, 'the score');
  };
}

/** The fields of an example that a program is given, as far as it tells them. @internal */
export function inputsOf(program: object): { readonly inputs: readonly string[]; readonly optional?: readonly string[] } | undefined {
  if (program instanceof Pipeline) {
    const names = (required: boolean) => program.inputs.filter((input) => input.required === required).map(({ name }) => name);
    return { inputs: names(true), optional: names(false) };
  }
  if (!(program instanceof Predictor)) return undefined;
  return { inputs: program.signature.fields.filter(({ io }) => io === 'input').map(({ name }) => name) };
}

function untold(): never {
  throw new LakeletError('the program does not tell which fields of an example it is given', {
    code: 'config',
    field: 'inputs',
    hint: "name them: evaluate(program, { inputs: ['question'], ... })",
  });
}
