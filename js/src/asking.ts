/** Programs that ask a model for the outputs of a signature. */
import type { Core } from './core.js';
import { adapterOf, defaultAdapter, type Adapter } from './configure.js';
import type { TypeSpecs } from './declare.js';
import { Compiled } from './program.js';
import type { Example } from './settings.js';
import { read, type SignatureLike, type SignatureOptions } from './signature.js';
import type { Tool } from './tool.js';
import { opened } from './types.js';
import { write } from './values.js';

/** What a predictor can be told beside its signature. */
export interface PredictOptions<T extends TypeSpecs = TypeSpecs> {
  /** How the signature becomes messages; the one of `configure` unless given. */
  readonly adapter?: Adapter;
  /** The model to ask, by its name in the settings; the first one unless given. */
  readonly model?: string;
  /** Parameters of every request, by their wire names: `temperature`, `max_tokens`, `n` ... */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Solved examples that every prompt shows: inputs and outputs by name. */
  readonly demos?: readonly Example[];
  /** What the model is to do; for signatures given as a string it replaces DSPy's default sentence. */
  readonly instructions?: string;
  /** Types that a signature given as a string may name. */
  readonly types?: T;
}

/** What is made of a signature. */
export type AskingKind = 'predict' | 'chainOfThought' | 'multiChainComparison' | 'react' | 'reactV2';

/** A program that the core makes of a signature. */
export class Asking<I extends object, O extends object> extends Compiled<I, O> {
  readonly #kind: AskingKind;
  readonly #signature: SignatureLike;
  readonly #options: PredictOptions & { readonly tools?: readonly Tool[] };

  /** @internal */
  constructor(kind: AskingKind, signature: SignatureLike, options: PredictOptions & { readonly tools?: readonly Tool[] }) {
    super();
    this.#kind = kind;
    this.#signature = signature;
    this.#options = { ...options, adapter: options.adapter ?? defaultAdapter() };
  }

  /** What was made of the signature. @internal */
  get kind(): AskingKind {
    return this.#kind;
  }

  /** @internal */
  protected override again(): this {
    return new (this.constructor as typeof Asking)(this.#kind, this.#signature, this.#options) as this;
  }

  /** @internal */
  protected override compile({ Program }: Core) {
    const { instructions, types, ...options } = this.#options;
    const [adapter, extractionModel] = adapterOf(options.adapter);
    const given = this.#signature;
    const signature = typeof given === 'string' ? read(given, { instructions, types } as SignatureOptions) : given.handle;
    return Program.asking(this.#kind, signature, (options.tools ?? []).map(answering), extractionModel, write({ ...options, adapter }));
  }
}

/** What the core calls for a tool. */
function answering(tool: Tool): (text: string) => Promise<() => number> {
  return async (text) => {
    const { records: [args] } = opened<{ records: [object] }>(text);
    const value = await tool.call(args);
    return () => write({ value }, 'the result of a tool');
  };
}

interface FixedOptions {
  readonly adapter?: Adapter;
  readonly [option: string]: unknown;
}

/** A program of the core's whose signature, if it has one, is fixed. */
export class Fixed<I extends object, O extends object> extends Compiled<I, O> {
  readonly #kind: string;
  readonly #options: FixedOptions;
  readonly #functions: ((text: string) => unknown)[];

  /** @internal */
  constructor(kind: string, options: FixedOptions, functions: ((text: string) => unknown)[] = []) {
    super();
    this.#kind = kind;
    this.#options = { ...options, adapter: options.adapter ?? defaultAdapter() };
    this.#functions = functions;
  }

  /** @internal */
  protected override again(): this {
    return new Fixed(this.#kind, this.#options, this.#functions) as this;
  }

  /** @internal */
  protected override compile({ Program }: Core) {
    const [adapter, extractionModel] = adapterOf(this.#options.adapter);
    return Program.around(this.#kind, [], this.#functions, extractionModel, write({ ...this.#options, adapter }));
  }
}
