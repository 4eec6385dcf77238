/** Programs as classes. */
import { Predictor } from './predict.js';
import { isCompiled, isPlain, Program, type Compiled, type Copying, type Place } from './program.js';
import type { CallOptions } from './run.js';

/**
 * A program as a class: its fields that are programs are its parts, `forward` is plain code.
 *
 * ```ts
 * class RAG extends Module<{ question: string }, { answer: string }> {
 *   query = chainOfThought('question -> search_query');
 *   answer = predict('context: list[str], question -> answer: str');
 *
 *   async forward({ question }: { question: string }) {
 *     const { search_query } = await this.query.run({ question });
 *     return this.answer.run({ context: await search(search_query), question });
 *   }
 * }
 * const { answer } = await new RAG().run({ question: 'How many days?' });
 * ```
 *
 * Each call has its own view of the module: `forward` runs on it, so that calls that run at the same time never mix their
 * traces, and what `forward` sets on `this` is gone when the call has ended. Fields named with `#` are not on the view.
 */
export abstract class Module<I extends object = Record<string, unknown>, O extends object = Record<string, unknown>> extends Program<I, O> {
  /** What the module does with its inputs. Call {@link run} to run it. */
  abstract forward(inputs: I): O | Promise<O>;

  /** @internal */
  override async runIn(at: Place, inputs: I): Promise<O> {
    const view = Object.create(this) as this;
    for (const [field, part] of Object.entries(this)) {
      const seen = within(part, at, at.path ? `${at.path}.${field}` : field);
      if (seen !== part) Object.defineProperty(view, field, { value: seen, enumerable: true, writable: true });
    }
    return view.forward(inputs);
  }

  /** @internal */
  override copyWith(copied: Copying): this {
    const copy = Object.create(Object.getPrototypeOf(this) as object) as this;
    return Object.assign(copy, Object.fromEntries(Object.entries(this).map(([field, part]) => [field, copied(part)])));
  }

  /** @internal */
  override *parts(path: string): Iterable<[path: string, part: Compiled<object, object>]> {
    for (const [field, part] of Object.entries(this)) yield* partsOf(part, path ? `${path}.${field}` : field);
  }
}

/** The part as a call sees it: running it is a step of that call. Lists and records of programs are seen through. */
function within(part: unknown, at: Place, path: string): unknown {
  if (part instanceof Program) {
    const run = (inputs: object, options: CallOptions = {}) => part.runIn({ run: at.run, path }, inputs as Record<string, unknown>, options);
    return new Proxy(part, {
      get(of, name) {
        if (name === 'run') return run;
        const member: unknown = Reflect.get(of, name);
        return typeof member === 'function' ? member.bind(of) : member;
      },
      set: (of, name, value) => Reflect.set(of, name, value),
    });
  }
  if (!holdsPrograms(part)) return part;
  const seen = Object.entries(part).map(([key, of]) => [key, within(of, at, inside(part, path, key))] as const);
  return Array.isArray(part) ? seen.map(([, of]) => of) : Object.fromEntries(seen);
}

function* partsOf(part: unknown, path: string): Iterable<[path: string, part: Compiled<object, object>]> {
  // What an optimizer made stays as it is, as in DSPy; but a bare predictor is a parameter of the program that it stands in.
  if (part instanceof Program) yield* isCompiled(part) && !(part instanceof Predictor && part.kind === 'predict') ? [] : part.parts(path);
  else if (holdsPrograms(part)) for (const [key, of] of Object.entries(part)) yield* partsOf(of, inside(part, path, key));
}

function holdsPrograms(part: unknown): part is Record<string, unknown> | unknown[] {
  return isPlain(part) && Object.values(part).some((of) => of instanceof Program);
}

/** As Python writes it: `steps[0]`, `tools['search']`. */
function inside(part: object, path: string, key: string): string {
  return Array.isArray(part) ? `${path}[${key}]` : `${path}['${key}']`;
}
