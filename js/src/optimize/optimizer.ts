/** What optimizers have in common: DSPy's teleprompters. */
import type { Found, Optimizer as Handle } from '../../wasm/optimize.js';
import { withModels, type LanguageModel } from '../configure.js';
import { calling } from '../core.js';
import { LakeletError } from '../errors.js';
import { inputsOf } from '../evaluate.js';
import type { DescribedError } from '../events.js';
import type { Program } from '../program.js';
import { Run, type CallOptions } from '../run.js';
import { write } from '../values.js';
import { optimizing } from './core.js';
import { metricIn, type OptimizerMetric } from './metric.js';
import { learned, observing, type Observer, type Progress, type Watching } from './observer.js';

/** What an optimizer works with. */
export interface CompileOptions<R extends object, P> extends CallOptions {
  /** Examples: what the program is given, and what is wanted of it. */
  readonly trainset: readonly R[];
  /** What candidates are scored on; the trainset or a part of it unless given. */
  readonly valset?: readonly R[];
  /** A program with the same predictors, whose calls the student learns from; the student itself unless given. */
  readonly teacher?: P;
  /** The fields of an example that the program is given. Predictors and pipelines tell their inputs themselves. */
  readonly inputs?: readonly (keyof R & string)[];
  /** Told of the candidates. What it fails with stops nothing. */
  readonly observer?: Observer<P>;
  /** Told whenever a prediction or a candidate was scored. */
  readonly onProgress?: (progress: Progress) => void;
}

/** A candidate. */
export interface Candidate<P> {
  readonly program: P;
  /** In percent. */
  readonly score: number;
}

/** What came of a search. */
export interface Optimized<P> {
  /** The best program that was found: one of its own, of the class of the student, which stays as it is. */
  readonly program: P;
  /** The score of the best candidate in percent; `null` of optimizers that do not score. */
  readonly score: number | null;
  /** What was scored on all the examples that programs are compared on: the best first, of equals the earlier one. */
  readonly candidates: readonly Candidate<P>[];
  /** Why the search ended before its end, if it did: the budget was spent. */
  readonly stoppedBy: LakeletError | null;
  /** How many times the program, the metric or a model that proposes failed and the search went on, which DSPy only logs. */
  readonly failed: number;
  /** What failed last of that. */
  readonly lastFailure: LakeletError | null;
}

/** What a search comes to at most. */
export interface Estimate {
  /** Calls of programs, the student's or the teacher's. */
  readonly programCalls: number;
  /** Calls of the model that proposes: instructions, rules, advice. */
  readonly proposals: number;
  /** Both as calls of models, of programs that ask each of their predictors once; without those of a metric that asks a model. */
  readonly modelCalls: number;
  /**
   * Tokens of the prompts of these calls, too many rather than too few: each shows 16 demos as long as the longest example, and four characters
   * are a token.
   */
  readonly promptTokens: number;
  /** Tokens of the answers. */
  readonly completionTokens: number;
}

interface Sets<P> {
  readonly trainset: readonly object[];
  readonly valset?: readonly object[] | undefined;
  readonly teacher?: P | undefined;
  readonly inputs?: readonly string[] | undefined;
}

/** Any program, as a type that is inferred. */
export type AnyProgram = Program<never, object>;

/**
 * Makes programs better. The student stays as it is, so that several searches for the same one may be under way at once.
 *
 * ```ts
 * const optimizer = new BootstrapFewShotWithRandomSearch({ metric: answerExactMatch });
 * const { program, score } = await optimizer.compile(qa, { trainset, budget: { calls: 2000 } });
 * await writeFile('qa.json', program.save());
 * ```
 */
export abstract class Optimizer<R extends object, O extends object> {
  /** DSPy's name of it. */
  readonly name: string;
  readonly #metric: OptimizerMetric<R, O> | undefined;
  readonly #models: Readonly<Record<string, LanguageModel | undefined>>;
  readonly #options: Readonly<Record<string, unknown>>;
  readonly #parts: Readonly<Record<string, Optimizer<R, O>>>;

  /** @internal */
  protected constructor(
    name: string,
    { metric, ...options }: { readonly metric?: OptimizerMetric<R, O>; readonly [option: string]: unknown },
    models: Readonly<Record<string, LanguageModel | undefined>> = {},
    parts: Readonly<Record<string, Optimizer<R, O>>> = {},
  ) {
    this.name = name;
    this.#metric = metric;
    this.#options = options;
    this.#models = models;
    this.#parts = parts;
  }

  /**
   * Searches for a better program.
   *
   * @throws {@link LakeletError} `input` for sets that cannot be learned from, naming the row and the field; what the program and the model that
   * proposes fail with, when that ends the search. A budget that is spent is no error: see {@link Optimized.stoppedBy}.
   */
  compile<P extends AnyProgram, E extends R>(program: P, options: CompileOptions<E, P>): Promise<Optimized<P>> {
    const { trainset, valset, teacher, inputs, observer, onProgress, ...call } = options;
    const [settings, names] = withModels(call, this.models());
    return Run.begin(settings, async (run) => {
      const watching = observing(program, run, observer, onProgress);
      try {
        const found = await this.compileIn(run, program, { trainset, valset, teacher, inputs }, names, watching);
        await watching.ended?.({ program: found.program });
        return found;
      } catch (error) {
        await watching.ended?.({ program: null, error });
        throw error;
      }
    });
  }

  /** Searches for a better program in a call that is under way. @internal */
  async compileIn<P extends AnyProgram>(
    run: Run, program: P, { trainset, valset, teacher, inputs }: Sets<P>, names: Readonly<Record<string, string>> = {}, { watch, scored }: Watching<P> = {},
  ): Promise<Optimized<P>> {
    const sets = { ...given(program, inputs), trainset, valset };
    const student = program.inner(run);
    const by = this.handle(run, names, scored);
    try {
      return result(run, program, await run.during((within) => by.compile(within, student, teacher?.inner(run), watch, write(sets, 'the options'))));
    } finally {
      by.free();
    }
  }

  /** What a search comes to at most, before it begins. */
  estimate<P extends AnyProgram, E extends R>(program: P, options: CompileOptions<E, P>): Promise<Estimate> {
    const { trainset, valset, inputs } = options;
    return Run.begin({}, async (run) => {
      const student = program.inner(run);
      const by = this.handle(run, {}, undefined);
      try {
        return JSON.parse(calling(() => by.estimate(student, write({ ...given(program, inputs), trainset, valset })))) as Estimate;
      } finally {
        by.free();
      }
    });
  }

  /** The models that it asks beside those of programs, by the names of its options, behind those of the optimizers that it puts together. @internal */
  models(): Readonly<Record<string, LanguageModel | undefined>> {
    const inside = Object.entries(this.#parts).flatMap(([key, part]) => Object.entries(part.models()).map(([name, model]) => [`${key}.${name}`, model] as const));
    return { ...this.#models, ...Object.fromEntries(inside) };
  }

  /** What the core has of it; `names` are those of its models in the run, `at` is where it stands in another one. @internal */
  handle(run: Run, names: Readonly<Record<string, string>>, scored: (() => void) | undefined, at = ''): Handle {
    const parts = Object.entries(this.#parts).map(([key, part]) => part.handle(run, names, scored, `${at}${key}.`));
    const metric = this.#metric && metricIn(run, this.#metric as OptimizerMetric<never, never>, scored);
    const models = Object.fromEntries(Object.keys(this.#models).map((name) => [name, names[at + name]]));
    const options = { ...this.#options, ...models, names: Object.keys(this.#parts) };
    return optimizing((core) => core.Optimizer.of(this.name, metric, parts, write(options, 'the options')));
  }
}

function given(program: AnyProgram, inputs: readonly string[] | undefined): { readonly inputs: readonly string[]; readonly optional?: readonly string[] } {
  const told = inputs ? { inputs } : inputsOf(program);
  if (told) return told;
  throw new LakeletError('the program does not tell which fields of an example it is given', {
    code: 'config', field: 'inputs', hint: "name them: compile(program, { inputs: ['question'], ... })",
  });
}

function result<P extends AnyProgram>({ failed, lastFailure }: Run, student: P, found: Found): Optimized<P> {
  const { scores, error, front, ...beside } = JSON.parse(calling(() => found.told())) as Told;
  const lazy = <T extends object>(told: T, place: number) => lazily(told, () => learned(student, found, place));
  const candidates = scores.map((score, i) => lazy({ score }, 1 + i));
  const stoppedBy = error ? new LakeletError(error.message, error) : null;
  const best = { program: learned(student, found, 0), score: scores[0] ?? null, candidates, stoppedBy, failed, lastFailure };
  return { ...best, ...beside, ...(front && { front: front.map((it, i) => lazy(it, 1 + scores.length + i)) }) };
}

/** What is told of what was found; see the core's `Kind`. */
interface Told {
  readonly scores: readonly number[];
  readonly error?: DescribedError;
  readonly front?: readonly object[];
}

/** What is told of a program, which is made when it is asked for: there may be hundreds. */
function lazily<T extends object, P>(told: T, make: () => P): T & { readonly program: P } {
  let made: P | undefined;
  return {
    ...told,
    get program() {
      return (made ??= make());
    },
  };
}
