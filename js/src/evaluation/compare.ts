/** Whether one program does better than another. */
import { calling } from '../core.js';
import { LakeletError } from '../errors.js';
import type { Evaluation } from '../evaluate.js';
import { write } from '../values.js';

/** How two programs do on the same examples. */
export interface Comparison {
  /** How many examples both were evaluated on. */
  readonly count: number;
  /** On how many of them the second program scored higher. */
  readonly better: number;
  /** On how many of them it scored lower. */
  readonly worse: number;
  /** By how much the mean score of the second program is higher, in percent. */
  readonly difference: number;
  /** With 95 % confidence the difference on all such examples is at most so much higher or lower, in percent; `null` for a single example. */
  readonly margin: number | null;
  /**
   * How likely programs that are equally good differ so much, to either side: by McNemar's exact test where all scores are true or false (or 1 or
   * 0), else by a permutation test that swaps the scores of the two.
   */
  readonly pValue: number;
}

type Scored = Pick<Evaluation<object, object>, 'results'>;

/**
 * Compares a second program with a first one by what they scored on the same examples, in the same order. Examples that a budget kept one of
 * them from do not count.
 *
 * ```ts
 * const before = await evaluate(qa, { devset, metric }), after = await evaluate(program, { devset, metric });
 * const { difference, margin, pValue } = compare(before, after);
 * ```
 *
 * @param options `seed`: of the swaps that are drawn where more than 13 scores differ; 0 unless given.
 * @throws {@link LakeletError} `input` for evaluations of sets that differ in length, or without an example that both were evaluated on.
 */
export function compare(first: Scored, second: Scored, options: { readonly seed?: number } = {}): Comparison {
  const given = { first: scores(first), second: scores(second), ...options };
  return JSON.parse(calling((core) => core.compare(write(given, 'the options')))) as Comparison;
}

function scores({ results }: Scored): unknown[] {
  if (!Array.isArray(results)) {
    throw new LakeletError('an evaluation without results cannot be compared', {
      code: 'input', field: 'results', hint: 'evaluate an array of examples, without `keepResults: false`',
    });
  }
  return results.map(({ score, error }) => (error?.code === 'budget' ? null : score));
}
