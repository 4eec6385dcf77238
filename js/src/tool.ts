/** Tools: functions that a model may ask to have called. */
import { Type } from './types.js';

/** The JSON Schema of each argument. One that has a `default` may be left out. */
export type ToolArgs = Readonly<Record<string, { readonly type?: string | readonly string[]; readonly [keyword: string]: unknown }>>;

/** The arguments that a function gets. */
export type ArgsOf<A> =
  & { [K in keyof A as A[K] extends { readonly default: unknown } ? never : K]: ArgOf<A[K]> }
  & { [K in keyof A as A[K] extends { readonly default: unknown } ? K : never]?: ArgOf<A[K]> };

type ArgOf<S> = S extends { readonly enum: readonly (infer V)[] } ? V
  : S extends { readonly type: 'string' } ? string
  : S extends { readonly type: 'integer' | 'number' } ? number
  : S extends { readonly type: 'boolean' } ? boolean
  : S extends { readonly type: 'array'; readonly items: infer T } ? ArgOf<T>[]
  : S extends { readonly type: 'array' } ? unknown[]
  : S extends { readonly type: 'object' } ? Record<string, unknown>
  : unknown;

/** What a model is told of a tool. */
export interface ToolSpec<A extends ToolArgs = ToolArgs> {
  /** The function's own name unless given. */
  readonly name?: string;
  readonly desc?: string;
  readonly args?: A;
}

/** A tool. Made by {@link tool}; agents take it, and so does an input of type `dspy.Tool`. */
export class Tool<A extends object = object> extends Type {
  /** @internal */
  static override readonly kind = 'Tool';
  readonly name: string;
  declare readonly desc?: string;
  readonly args: ToolArgs;
  readonly #func: (args: A) => unknown;

  /** @internal */
  constructor(spec: ToolSpec, func: (args: A) => unknown) {
    super();
    this.name = spec.name ?? func.name;
    if (spec.desc !== undefined) this.desc = spec.desc;
    this.args = spec.args ?? {};
    this.#func = func;
  }

  /** Calls the function. */
  async call(args: A): Promise<unknown> {
    return this.#func(args);
  }
}

/**
 * A function that a model may ask to have called, as DSPy's `Tool`. What it throws is shown to the model.
 *
 * ```ts
 * const weather = tool(
 *   { name: 'weather', desc: 'The weather in a city.', args: { city: { type: 'string' } } },
 *   async ({ city }) => `It is sunny in ${city}.`,
 * );
 * ```
 */
export function tool<const A extends ToolArgs = {}>(spec: ToolSpec<A>, func: (args: ArgsOf<A>) => unknown): Tool<ArgsOf<A>> {
  return new Tool(spec, func);
}
