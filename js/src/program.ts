/** Programs: what can be run, streamed and put together. */
import type { Inner, Program as Handle, Run as RunHandle } from '../wasm/lakelet.js';
import { calling, inCore, type Core } from './core.js';
import { Run, stoppedBy, type CallOptions } from './run.js';
import { PredictorSettings } from './settings.js';
import { ProgramStream } from './stream.js';
import { opened } from './types.js';
import { write } from './values.js';
import { madeBefore } from './wasm-module.js';

/** Where a program stands inside a call. @internal */
export interface Place {
  readonly run: Run;
  /** The name of the step, as DSPy's `named_predictors()` would begin it; empty for the outermost program. */
  readonly path: string;
}

/** Something that turns inputs into outputs by asking models. */
export abstract class Program<I extends object = Record<string, unknown>, O extends object = Record<string, unknown>> {
  /**
   * Runs the program.
   *
   * ```ts
   * const { answer } = await qa.run({ question: 'How many days?' }, { timeout: 20_000 });
   * ```
   *
   * @throws {@link LakeletError}
   */
  run(inputs: I, options: CallOptions = {}): Promise<O> {
    return Run.begin(options, (run) => this.runIn({ run, path: '' }, inputs, options), undefined, { name: this.traceName, inputs });
  }

  /** The name of its traces: DSPy's word for a class that is called. @internal */
  get traceName(): string {
    return `${this.constructor.name}.forward`;
  }

  /**
   * Runs the program and tells what happens on the way.
   *
   * ```ts
   * const stream = qa.stream({ question });
   * for await (const event of stream) if (event.type === 'text') process.stdout.write(event.text);
   * const { answer } = await stream.result;
   * ```
   */
  stream(inputs: I, options: CallOptions = {}): ProgramStream<O> {
    return new ProgramStream<O>(options, (own, tell) => {
      const work = async (run: Run) => {
        const fields = await this.runIn({ run, path: '' }, inputs, options);
        tell({ type: 'result', fields, stoppedBy: stoppedBy(fields) });
        return fields;
      };
      return Run.begin(own, work, (event) => {
        if (event.type !== 'result') tell(event);
      }, { name: this.traceName, inputs });
    });
  }

  /** The predictors inside, under the names that DSPy's `named_predictors()` gives them. */
  namedPredictors(): Map<string, PredictorSettings> {
    const named = this.distinctParts().flatMap(([path, part]) =>
      part.predictors().map((name) => [name === 'self' ? path || name : path ? `${path}.${name}` : name, new PredictorSettings(part, name)] as const));
    return new Map(named);
  }

  /** The programs inside, from the outermost on, under the names that DSPy's `named_sub_modules()` gives them: `self`, `self.hops[0]` ... */
  namedSubModules(): Map<string, Program<never, object>> {
    const found = new Map<Program<never, object>, string>();
    const queue: [name: string, item: unknown][] = [['self', this]];
    for (const [name, item] of queue) {
      if (item instanceof Program) {
        if (found.has(item)) continue;
        found.set(item, name);
        for (const [field, part] of Object.entries(item)) queue.push([`${name}.${field}`, part]);
      } else if (isPlain(item)) {
        for (const [key, part] of Object.entries(item)) queue.push([`${name}[${key}]`, part]);
      }
    }
    return new Map([...found].map(([program, name]) => [name, program]));
  }

  /**
   * A program like this one, with predictors of its own: to change it leaves this one as it is. Programs, lists and plain objects among the
   * fields of a {@link Module} are copied, all else is shared; fields named with `#` are not there.
   */
  deepcopy(): this {
    return copying(new Map())(this) as this;
  }

  /** A copy whose predictors have no demos, and ask no model of their own. */
  resetCopy(): this {
    const copy = this.deepcopy();
    for (const [, part] of copy.distinctParts()) part.change((handle) => handle.reset());
    return copy;
  }

  /** The state, demos and instructions, as DSPy's `program.save("x.json")` writes it; DSPy loads it for the same program in Python. */
  save(): string {
    const parts = this.distinctParts().map(([path, part]) => calling(() => part.handle.dump(path)));
    return calling((core) => core.join_states(parts));
  }

  /**
   * Loads a state that DSPy's `program.save("x.json")` or {@link save} wrote: all of it, or, when anything does not fit, nothing.
   * The core must be loaded, and no call may be under way.
   *
   * @param options `allowUnsafeLmState`: the state may say where its models are.
   * @throws {@link LakeletError} `state`, with the path of the predictor as the step.
   */
  load(state: string, options: { readonly allowUnsafeLmState?: boolean } = {}): void {
    const parts = this.distinctParts();
    const before = parts.map(([path, part]) => calling(() => part.handle.dump(path)));
    try {
      for (const [path, part] of parts) part.change((handle) => handle.load(path, state, options.allowUnsafeLmState ?? false));
    } catch (error) {
      for (const [i, [path, part]] of parts.entries()) part.change((handle) => handle.load(path, before[i] ?? '', true));
      throw error;
    }
  }

  /** The program as a part of one that the core runs, in the call `run`. @internal */
  inner(run: Run): Inner {
    const inner = calling((core) => core.Inner.calling(async (part: RunHandle, text: string) => {
      const { records: [inputs] } = opened<{ records: [I] }>(text);
      const fields = await run.inside(part, (run) => this.runIn({ run, path: '' }, inputs, {}));
      return () => write(fields as Record<string, unknown>, 'outputs');
    }));
    for (const [path, part] of this.distinctParts()) inner.add(path, part.handle);
    if (isCompiled(this)) inner.compiled();
    return inner;
  }

  /** Its {@link parts}, each under its first path. @internal */
  distinctParts(): [path: string, part: Compiled<object, object>][] {
    const paths = new Map<Compiled<object, object>, string>();
    for (const [path, part] of this.parts('')) if (!paths.has(part)) paths.set(part, path);
    return [...paths].map(([part, path]) => [path, part]);
  }

  /** The same program made anew, of copies of what is inside. @internal */
  abstract copyWith(copied: Copying): this;

  /** What the core runs of it, each under its path. @internal */
  abstract parts(path: string): Iterable<[path: string, part: Compiled<object, object>]>;

  /** @internal */
  abstract runIn(at: Place, inputs: I, options: CallOptions): Promise<O>;
}

/** A program that the core runs as a whole. */
export abstract class Compiled<I extends object, O extends object> extends Program<I, O> {
  /** Whether it is more than what it was compiled from. */
  #changed = false;
  readonly #handle = inCore(() => {
    if (this.#changed) throw madeBefore();
    return calling((core) => this.compile(core));
  });

  /** @internal */
  protected abstract compile(core: Core): Handle;

  /** What the core made of it; made on first use, when the core is there. @internal */
  get handle(): Handle {
    return this.#handle();
  }

  /** @internal */
  override runIn({ run, path }: Place, inputs: I, _options: CallOptions): Promise<O> {
    return run.call(this.handle, path || undefined, inputs) as Promise<O>;
  }

  /** @internal */
  override inner(): Inner {
    const inner = calling((core) => core.Inner.of(this.handle));
    if (isCompiled(this)) inner.compiled();
    return inner;
  }

  /** The program as it was made. @internal */
  protected abstract again(): this;

  /** @internal */
  override copyWith(): this {
    const copy = this.again();
    if (this.#changed) copy.change((handle) => handle.be_like(this.handle));
    return copy;
  }

  /** The paths of the predictors inside. @internal */
  predictors(): string[] {
    return JSON.parse(this.handle.predictors()) as string[];
  }

  /** Changes what the core holds of it. @internal */
  change(by: (handle: Handle) => void): void {
    calling(() => by(this.handle));
    this.#changed = true;
  }

  /** @internal */
  override *parts(path: string): Iterable<[path: string, part: Compiled<object, object>]> {
    yield [path, this as unknown as Compiled<object, object>];
  }
}

const compiled = new WeakSet<object>();

/** Whether an optimizer made it: DSPy's `_compiled`. As a part of another program it is not optimized again. @internal */
export function isCompiled(program: Program<never, object>): boolean {
  return compiled.has(program);
}

/** Notes that an optimizer made it. @internal */
export function setCompiled(program: Program<never, object>): void {
  compiled.add(program);
}

/** Copies programs, lists and records; all else is shared. What stands in two places is one thing in the copy too. @internal */
export type Copying = (part: unknown) => unknown;

function copying(copies: Map<object, unknown>): Copying {
  const copied: Copying = (part) => {
    if (!(part instanceof Program || isPlain(part))) return part;
    if (copies.has(part)) return copies.get(part);
    if (part instanceof Program) {
      const copy = part.copyWith(copied);
      if (isCompiled(part)) setCompiled(copy);
      copies.set(part, copy);
      return copy;
    }
    const copy: Record<string, unknown> | unknown[] = Array.isArray(part) ? [] : {};
    copies.set(part, copy);
    return Object.assign(copy, ...Object.entries(part).map(([key, of]) => ({ [key]: copied(of) })));
  };
  return copied;
}

/** Whether it is a list or a record, where programs are looked for. @internal */
export function isPlain(part: unknown): part is Record<string, unknown> | unknown[] {
  if (typeof part !== 'object' || part === null) return false;
  return Array.isArray(part) || Object.getPrototypeOf(part) === Object.prototype;
}
