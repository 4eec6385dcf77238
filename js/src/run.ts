/** One call of a program, and everything that is called on its behalf. */
import type { Inner, Program as Handle, Run as RunHandle, Store } from '../wasm/lakelet.js';
import { store, type CacheStore } from './cache.js';
import { calling, core, init, waiting } from './core.js';
import { services, single, tracer, type Settings } from './configure.js';
import { LakeletError, readError } from './errors.js';
import type { DescribedError, EndedCall, ProgramEvent, Span, Usage } from './events.js';
import type { ReportedUsage } from './language-model.js';
import type { Signature } from './signature.js';
import { opened } from './types.js';
import { write } from './values.js';

/** What one call may use, and how long it may take. */
export interface CallOptions extends Settings {
  /** Abandons the call, with everything that it has under way. */
  readonly signal?: AbortSignal;
  /** Milliseconds that the whole call may take. */
  readonly timeout?: number;
  /** What its calls of models may come to together. When that is spent, further calls fail with the code `budget`. */
  readonly budget?: Budget;
  /** Where the answers of models are written down, and taken from when the same work is begun anew. */
  readonly checkpoint?: Checkpoint;
}

/**
 * What calls of models may come to together. What is spent is known when an answer is there: tokens and dollars may go over their limit by the
 * calls that are under way at once.
 *
 * ```ts
 * await evaluate(qa, { devset, metric, budget: { calls: 500, seconds: 600 } });
 * ```
 */
export interface Budget {
  /** Calls of models. One that a cache or a checkpoint answers counts, so that the same work ends at the same place when it is done again. */
  readonly calls?: number;
  /** Tokens, of prompts and of answers. What a cache answers uses none. */
  readonly tokens?: number;
  /** US dollars, by the prices. */
  readonly dollars?: number;
  readonly seconds?: number;
  /** What a million tokens cost in US dollars, by the names of models. */
  readonly prices?: Readonly<Record<string, { readonly input: number; readonly output: number }>>;
  /** Ends it as a limit does, for a Stop button: what is under way is finished, and what there is so far is given. */
  readonly until?: AbortSignal;
}

/** What was spent of a {@link Budget}. */
export interface Spent {
  readonly calls: number;
  readonly tokens: number;
  readonly dollars: number;
}

/**
 * A store for the answers of models. Work that follows from its inputs and from the answers goes on where it was broken off, when it is begun
 * anew with the same store and job: what was answered is not asked again. A crash or a closed tab loses the calls that were under way.
 */
export interface Checkpoint {
  readonly store: CacheStore;
  /** Tells the work apart from other work in the store. */
  readonly job?: string;
}

/** What one call of a predictor may bring with it: settings in the place of the predictor's own. */
export interface PredictCall {
  /** Parameters of the request, over those of the predictor. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly demos?: readonly Readonly<Record<string, unknown>>[];
  readonly signature?: Signature<object, object>;
  readonly lm?: Settings['lm'];
}

/** What was used. */
interface Used {
  /** The tokens of all model calls. */
  readonly usage: Usage;
  /** What the services told of it by model, added up: DSPy's `get_lm_usage()`. Answers from a cache cost nothing. */
  readonly lmUsage: Readonly<Record<string, ReportedUsage>>;
}

/** What came of a call beside its outputs. */
export interface Inspection extends Used {
  /** What was spent of the budget; `null` when there was none. */
  readonly spent: Spent | null;
  /** What each step was given, did and gave back; contents that a check has not approved are left out. */
  readonly trace: readonly Span[];
  /** The guard that decided the result, when one did. */
  readonly stoppedBy: string | null;
  /** The outputs of the other completions, when `n` asked for more than one. */
  readonly others: readonly Readonly<Record<string, unknown>>[];
}

interface Outcome {
  /** The outputs of each completion. */
  readonly records: [Record<string, unknown>, ...Record<string, unknown>[]];
  readonly stoppedBy?: string;
}

const records = new WeakMap<object, { run: Run; outcome: Partial<Outcome> }>();

/**
 * What the core tells of a run. The core keeps the sink as long as the run, so that after the end nothing may hang on it: the listener's stream
 * leads to the outputs, these to the run, and the run would keep itself alive.
 */
function telling(listener: (event: ProgramEvent) => void): { sink: (text: string) => void; end: () => void } {
  let told: typeof listener | undefined = listener;
  return { sink: (text) => told?.(JSON.parse(text) as ProgramEvent), end: () => (told = undefined) };
}

/** What the core has of a call. */
function begun(options: CallOptions, sink: ((text: string) => void) | undefined): RunHandle {
  const { timeout, budget, checkpoint } = options;
  const run = calling((it) => new it.Run(services(options), timeout, sink));
  if (budget) {
    const { until: _, ...limits } = budget;
    calling(() => run.limit(write(limits, 'the budget')));
  }
  if (checkpoint) calling(() => run.record(store(checkpoint.store), checkpoint.job ?? ''));
  return run;
}

/** A call that is under way. @internal */
export class Run {
  /** None any more when it has ended. */
  #handle: RunHandle | undefined;
  readonly #options: CallOptions;

  private constructor(run: RunHandle, options: CallOptions) {
    this.#handle = run;
    this.#options = options;
  }

  /** Begins a call, does its work, and ends it. Tracers are told of a call of a program that is named. */
  static async begin<T extends object>(
    options: CallOptions, work: (run: Run) => Promise<T>, listener?: (event: ProgramEvent) => void, called?: Pick<EndedCall, 'name' | 'inputs'>,
  ): Promise<T> {
    await init();
    const beganMs = Date.now();
    const trace = called && tracer(options);
    const tell = (run: Run, outcome: Pick<EndedCall, 'outputs' | 'error'>) => {
      if (!trace) return;
      try {
        trace({ ...called, beganMs, durationMs: Date.now() - beganMs, ...outcome, spans: run.trace(true) });
      } catch {
        // The call is over: nothing that a tracer does can change what came of it.
      }
    };
    const news = listener && telling(listener);
    const run = new Run(begun(options, news?.sink), options);
    const { signal, budget } = options, until = budget?.until;
    const cancel = () => run.cancel(), stop = () => run.stop();
    signal?.addEventListener('abort', cancel, { once: true });
    until?.addEventListener('abort', stop, { once: true });
    try {
      run.check();
      if (until?.aborted) stop();
      const outputs = await work(run);
      if (!records.has(outputs)) records.set(outputs, { run, outcome: {} });
      tell(run, { outputs });
      return outputs;
    } catch (error) {
      tell(run, { outputs: null, error: described(error) });
      if (typeof error === 'object' && error !== null) records.set(error, { run, outcome: {} });
      throw error;
    } finally {
      news?.end();
      signal?.removeEventListener('abort', cancel);
      until?.removeEventListener('abort', stop);
    }
  }

  get #run(): RunHandle {
    if (this.#handle) return this.#handle;
    throw new LakeletError('this call has ended', { code: 'input', hint: 'call and inspect what is inside of a class before its forward() returns' });
  }

  /** Does work in a part of this call, which the core began: its record goes with its end, and does not wait for the garbage collector. */
  async inside<T>(part: RunHandle, work: (run: Run) => Promise<T>): Promise<T> {
    const run = new Run(part, this.#options);
    try {
      return await work(run);
    } finally {
      run.#handle = undefined;
      part.free();
    }
  }

  /** Calls a compiled program; the core takes the inputs before this returns. */
  call(handle: Handle, step: string | undefined, inputs: object): Promise<Record<string, unknown>> {
    return this.#outcome((run) => handle.call(run, step, write(inputs as Record<string, unknown>)));
  }

  /** Calls a predictor with settings for this call alone. */
  ask(handle: Handle, step: string | undefined, inputs: object, { config, demos, signature, lm }: PredictCall): Promise<Record<string, unknown>> {
    const model = lm === undefined ? lm : single(lm, this.#options);
    return this.#outcome((run) => handle.ask(run, step, write({ inputs, config, demos }), signature?.handle.copy(), model));
  }

  async #outcome(start: (run: RunHandle) => Promise<string>): Promise<Record<string, unknown>> {
    this.check();
    const outcome = opened<Outcome>(await waiting(calling(() => start(this.#run))));
    const [fields] = outcome.records;
    records.set(fields, { run: this, outcome });
    return fields;
  }

  cancel(): void {
    core();
    this.#run.cancel();
  }

  stop(): void {
    core();
    this.#run.stop();
  }

  check(): void {
    const { signal } = this.#options;
    if (signal?.aborted) throw new LakeletError('the call was cancelled', { code: 'cancelled' }, { cause: signal.reason });
  }

  /** Calls programs, a few at a time; `null` stands for what failed. */
  async parallel(step: string | undefined, parts: Inner[], options: Readonly<Record<string, unknown>>): Promise<(object | null)[]> {
    this.check();
    const text = await waiting<string>(calling(() => this.#run.parallel(step, parts, write(options))));
    return opened<{ records: (object | null)[] }>(text).records;
  }

  /** Evaluates a program by a function or a judge, on examples one by one; gives what the core tells of it. */
  evaluate(program: Inner, metric: ((text: string) => unknown) | undefined, judge: Inner | undefined, example: (place: number) => unknown,
    ended: (text: string) => void, options: Readonly<Record<string, unknown>>): Promise<string> {
    this.check();
    return waiting(calling(() => this.#run.evaluate(program, metric, judge, example, ended, write(options, 'the options'))));
  }

  /** Runs a program on many examples; gives what the core tells of it. */
  batches(program: Inner, store: Store | undefined, watch: ((text: string) => void) | undefined, options: Readonly<Record<string, unknown>>): Promise<string> {
    this.check();
    return waiting(calling(() => this.#run.batches(program, store?.copy(), watch, write(options, 'the options'))));
  }

  /** Starts other work of the core's in this call. */
  during<T>(work: (run: RunHandle) => Promise<T>): Promise<T> {
    this.check();
    return waiting(calling(() => work(this.#run)));
  }

  get spent(): Spent | null {
    const spent = calling(() => this.#run.spent());
    return spent === undefined ? null : (JSON.parse(spent) as Spent);
  }

  /** How many failures the work went on after. */
  get failed(): number {
    return calling(() => this.#run.failed());
  }

  /** The last one of them. */
  get lastFailure(): LakeletError | null {
    const thrown: unknown = calling(() => this.#run.last_failure());
    return thrown === undefined ? null : (readError(thrown) as LakeletError);
  }

  get usage(): Used {
    return JSON.parse(calling(() => this.#run.usage())) as Used;
  }

  /** `everything`: with the contents that a check has not approved, for logs on a server. */
  trace(everything = false): Span[] {
    return JSON.parse(calling(() => (everything ? this.#run.all_spans() : this.#run.spans()))) as Span[];
  }
}

function described(thrown: unknown): DescribedError {
  if (thrown instanceof LakeletError) return { ...thrown, message: thrown.message };
  return { message: thrown instanceof Error ? thrown.message : String(thrown), code: 'code' };
}

/**
 * What came of a call beside its outputs: tokens, the trace of its steps, the guard that stopped it. It also takes the
 * error of a call that failed.
 *
 * ```ts
 * const prediction = await qa.run({ question });
 * console.log(inspect(prediction).usage.totalTokens);
 * ```
 *
 * @param prediction the very object that `run` or `stream` gave.
 */
export function inspect(prediction: object): Inspection {
  const record = records.get(prediction);
  if (!record) {
    throw new LakeletError('there is no record of this object', {
      code: 'input',
      hint: 'give inspect() the very object that run() resolved to, not a copy',
    });
  }
  const { run, outcome } = record;
  return { ...run.usage, spent: run.spent, trace: run.trace(), stoppedBy: outcome.stoppedBy ?? null, others: outcome.records?.slice(1) ?? [] };
}

/** The guard that stopped the program, if one did. @internal */
export function stoppedBy(prediction: object): string | null {
  return records.get(prediction)?.outcome.stoppedBy ?? null;
}
