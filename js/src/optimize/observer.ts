/** Who is told of a search. */
import type { Found } from '../../wasm/lakelet.js';
import { calling } from '../core.js';
import { LakeletError } from '../errors.js';
import type { Evaluation } from '../evaluate.js';
import type { DescribedError } from '../events.js';
import { setCompiled, type Program } from '../program.js';
import type { Run, Spent } from '../run.js';

/** A candidate that an optimizer has scored, on all examples or on a part of them. */
export interface Trial<P = Program<never, object>> {
  /** DSPy's name of the optimizer. */
  readonly optimizer: string;
  /** Counts from 0 on. */
  readonly number: number;
  readonly program: P;
  readonly evaluation: Omit<Evaluation<object, object>, 'results' | 'usage'>;
}

/** How a search ended. */
export interface SearchEnd<P = Program<never, object>> {
  /** The best program; `null` when the search failed. */
  readonly program: P | null;
  /** Why it failed, if it did. */
  readonly error?: LakeletError;
}

/** Told of a search, such as {@link MlflowLogger} of `lakelet/databricks`. */
export interface Observer<P = Program<never, object>> {
  /** A candidate was scored. The search goes on when the promise is settled. */
  tried?(trial: Trial<P>): void | Promise<void>;
  /** The search has ended. */
  optimized?(end: SearchEnd<P>): void | Promise<void>;
}

/** How far a search is. {@link Optimizer.estimate} tells what it comes to at most. */
export interface Progress {
  /** How many predictions were scored. */
  readonly scored: number;
  /** How many candidates were scored. */
  readonly trials: number;
  /** The best score of a candidate so far, in percent; `null` before the first. */
  readonly best: number | null;
  /** What was spent of the budget; `null` when there is none. */
  readonly spent: Spent | null;
  readonly elapsedMs: number;
}

type Told =
  | Pick<Trial, 'optimizer' | 'number' | 'evaluation'>
  | { readonly optimized: true; readonly error?: DescribedError };

/** The program like the student whose predictors have learned what the core found: the best one at 0, behind it the candidates. @internal */
export function learned<P extends Program<never, object>>(student: P, found: Found, place: number): P {
  const program = student.deepcopy();
  let first = 0;
  for (const [, part] of program.distinctParts()) {
    part.change((handle) => found.teach(place, first, handle));
    first += part.predictors().length;
  }
  if (calling(() => found.is_compiled(place))) setCompiled(program);
  return program;
}

/** What the core calls in a search. @internal */
export function observing<P extends Program<never, object>>(
  student: P, run: Run, observer: Observer<P> | undefined, onProgress: ((progress: Progress) => void) | undefined,
): { readonly watch?: (text: string, found?: Found) => unknown; readonly scored?: (count: number) => void } {
  if (!observer && !onProgress) return {};
  const beganMs = Date.now();
  let scored = 0, trials = 0, best: number | null = null;
  const progress = () => onProgress?.({ scored, trials, best, spent: run.spent, elapsedMs: Date.now() - beganMs });
  const watch = async (text: string, found?: Found) => {
    const told = JSON.parse(text) as Told;
    const program = found ? learned(student, found, 0) : null;
    found?.free();
    if ('optimized' in told) return observer?.optimized?.({ program, ...(told.error && { error: new LakeletError(told.error.message, told.error) }) });
    trials++;
    best = Math.max(told.evaluation.score, best ?? -Infinity);
    progress();
    return observer?.tried?.({ ...told, program: program as P });
  };
  const count = () => {
    scored++;
    progress();
  };
  return onProgress ? { watch, scored: count } : { watch };
}
