/** Who is told of a search. */
import type { Found } from '../../wasm/optimize.js';
import { calling } from '../core.js';
import type { EvaluationSummary } from '../evaluate.js';
import { setCompiled, type Program } from '../program.js';
import type { Run, Spent } from '../run.js';

/** A candidate that an optimizer has scored, on all examples or on a part of them. */
export interface Trial<P = Program<never, object>> {
  /** The same object for all that is told of one search. */
  readonly search: object;
  /** DSPy's name of the optimizer. */
  readonly optimizer: string;
  /** Counts from 0 on. */
  readonly number: number;
  readonly program: P;
  readonly evaluation: Omit<EvaluationSummary, 'usage' | 'dollars'>;
  /** What it comes to by other measures than the metric, by their names: `latency_p95_ms`, `tokens`, `dollars` ... */
  readonly objectives: Readonly<Record<string, number>>;
}

/** How a search ended. */
export interface SearchEnd<P = Program<never, object>> {
  readonly search: object;
  /** The best program; `null` when the search failed. */
  readonly program: P | null;
  /** Why it failed, if it did. */
  readonly error?: unknown;
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
  /** How many times something failed and the search went on. */
  readonly failed: number;
  /** What was spent of the budget; `null` when there is none. */
  readonly spent: Spent | null;
  readonly elapsedMs: number;
}

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

/** What is called in a search. @internal */
export interface Watching<P> {
  /** By the core, of every trial. */
  readonly watch?: (text: string, found: Found) => Promise<void>;
  /** By the core, of every score. */
  readonly scored?: () => void;
  /** When the search has ended. */
  readonly ended?: (end: Omit<SearchEnd<P>, 'search'>) => Promise<void>;
}

/** What is called, for those who want to know. @internal */
export function observing<P extends Program<never, object>>(
  student: P, run: Run, observer: Observer<P> | undefined, onProgress: ((progress: Progress) => void) | undefined,
): Watching<P> {
  if (!observer && !onProgress) return {};
  const beganMs = Date.now(), search = {};
  let scored = 0, trials = 0, best: number | null = null;
  const progress = () => onProgress?.({ scored, trials, best, failed: run.failed, spent: run.spent, elapsedMs: Date.now() - beganMs });
  return {
    async watch(text, found) {
      const trial = JSON.parse(text) as Pick<Trial, 'optimizer' | 'number' | 'evaluation' | 'objectives'>;
      const program = learned(student, found, 0);
      found.free();
      trials++;
      best = Math.max(trial.evaluation.score, best ?? -Infinity);
      progress();
      await observer?.tried?.({ search, ...trial, program });
    },
    ...(onProgress && {
      scored() {
        scored++;
        progress();
      },
    }),
    async ended(end) {
      try {
        await observer?.optimized?.({ search, ...end });
      } catch {
        // The search is over: nothing that an observer does can change what came of it.
      }
    },
  };
}
