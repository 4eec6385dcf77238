/** Demos that are like the question. */
import { init } from '../core.js';
import { inputsOf } from '../evaluate.js';
import { Program, type Compiled, type Copying, type Place } from '../program.js';
import { knn, type Vectorizer } from '../retrieve.js';
import type { CallOptions } from '../run.js';
import { BootstrapFewShot, type BootstrapFewShotOptions } from './few-shot.js';
import type { Optimized } from './optimizer.js';

/** What {@link KNNFewShot} is told: where it looks for demos, and how they are bootstrapped. */
export interface KNNFewShotOptions<R extends object, O extends object> extends Omit<BootstrapFewShotOptions<R, O>, 'teacherSettings'> {
  /** How many examples are looked for. */
  readonly k: number;
  readonly trainset: readonly R[];
  /** {@link Workspace.embedder}, or a function of one's own. */
  readonly vectorizer: Vectorizer;
}

/**
 * Makes programs that look for demos anew at every call, among the examples that are most like the inputs: DSPy's `KNNFewShot`. The examples are
 * embedded with the first call.
 *
 * ```ts
 * const optimizer = new KNNFewShot({ k: 3, trainset, vectorizer: workspace.embedder('databricks-gte-large-en') });
 * const { program } = await optimizer.compile(qa);
 * ```
 */
export class KNNFewShot<R extends object = any, O extends object = any> {
  readonly #options: KNNFewShotOptions<R, O>;

  constructor(options: KNNFewShotOptions<R, O>) {
    this.#options = options;
  }

  /** Makes the program; no model is asked before it is called. */
  async compile<I extends object, Q extends O>(
    program: Program<I, Q>, { teacher, inputs }: { readonly teacher?: Program<I, Q>; readonly inputs?: readonly (keyof R & string)[] } = {},
  ): Promise<Optimized<NearestDemos<I, Q>>> {
    await init();
    const options = this.#options as unknown as KNNFewShotOptions<object, Q>;
    return { program: new NearestDemos(program.deepcopy(), program.resetCopy(), teacher, inputs ?? inputsOf(program)?.inputs, options), score: null, candidates: [], stoppedBy: null, failed: 0, lastFailure: null };
  }
}

/** A program that finds its own demos. Made by {@link KNNFewShot}; its predictors are those of the student, and saved without demos, as in DSPy. */
export class NearestDemos<I extends object, O extends object> extends Program<I, O> {
  readonly #student: Program<I, O>;
  readonly #shown: Program<I, O>;
  readonly #teacher: Program<I, O> | undefined;
  readonly #inputs: readonly string[] | undefined;
  readonly #options: KNNFewShotOptions<object, O>;
  readonly #nearest: ReturnType<typeof knn>;
  readonly #bootstrap: BootstrapFewShot<object, O>;

  /** @internal */
  constructor(
    student: Program<I, O>, shown: Program<I, O>, teacher: Program<I, O> | undefined, inputs: readonly string[] | undefined, options: KNNFewShotOptions<object, O>,
  ) {
    super();
    const { k, trainset, vectorizer, ...bootstrap } = options;
    this.#student = student;
    this.#shown = shown;
    this.#teacher = teacher;
    this.#inputs = inputs;
    this.#options = options;
    this.#nearest = knn({ k, trainset: trainset as readonly Record<string, unknown>[], inputs: [...(inputs ?? [])], vectorizer });
    this.#bootstrap = new BootstrapFewShot(bootstrap);
  }

  /** @internal */
  override async runIn(at: Place, inputs: I, options: CallOptions): Promise<O> {
    const { run, path } = at;
    const { examples } = await this.#nearest.runIn({ run, path: path ? `${path}.knn` : 'knn' }, inputs as Record<string, unknown>, options);
    const { program } = await this.#bootstrap.compileIn(run, this.#student, { trainset: examples, teacher: this.#teacher, inputs: this.#inputs });
    return program.runIn(at, inputs, options);
  }

  /** @internal */
  override parts(path: string): Iterable<[path: string, part: Compiled<object, object>]> {
    return this.#shown.parts(path);
  }

  /** @internal */
  override copyWith(copied: Copying): this {
    return new NearestDemos(copied(this.#student) as Program<I, O>, copied(this.#shown) as Program<I, O>, this.#teacher, this.#inputs, this.#options) as this;
  }
}
