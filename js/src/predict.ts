/** Predictors: one signature, one model call. */
import type { Program as Handle } from '../wasm/lakelet.js';
import { calling, type Core } from './core.js';
import { defaultAdapter, type Adapter } from './configure.js';
import type { TypeSpecs } from './declare.js';
import type { Message } from './events.js';
import { Compiled, type Place } from './program.js';
import type { CallOptions, PredictCall } from './run.js';
import { PredictorSettings, type Example } from './settings.js';
import { read, type InputsOf, type OutputsOf, type Signature, type SignatureLike, type SignatureOptions } from './signature.js';
import type { ProgramStream } from './stream.js';
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

/** A signature that can be asked. Made by {@link predict} and {@link chainOfThought}. */
export class Predictor<I extends object = Record<string, unknown>, O extends object = Record<string, unknown>> extends Compiled<I, O> {
  readonly #kind: 'predict' | 'chainOfThought';
  readonly #signature: SignatureLike;
  readonly #options: PredictOptions;
  /** What the messages of every call begin with. */
  #prefix: readonly Message[] | undefined;

  /** @internal */
  constructor(kind: 'predict' | 'chainOfThought', signature: SignatureLike, options: PredictOptions) {
    super();
    this.#kind = kind;
    this.#signature = signature;
    this.#options = { adapter: defaultAdapter(), ...options };
  }

  /**
   * Asks the model. The options may hold settings in the place of the predictor's own, for this call alone.
   *
   * ```ts
   * await qa.run({ question }, { config: { temperature: 1 }, demos: [] });
   * ```
   *
   * @throws {@link LakeletError}
   */
  override run(inputs: I, options: CallOptions & PredictCall = {}): Promise<O> {
    return super.run(inputs, options);
  }

  /** The same, telling what happens on the way. */
  override stream(inputs: I, options: CallOptions & PredictCall = {}): ProgramStream<O> {
    return super.stream(inputs, options);
  }

  /** Solved examples that every prompt shows. */
  get demos(): readonly Example[] {
    return this.#own.demos;
  }

  set demos(demos: readonly Example[]) {
    this.#own.demos = demos;
  }

  /** Parameters of every request, by their wire names. */
  get config(): Readonly<Record<string, unknown>> {
    return this.#own.config;
  }

  set config(config: Readonly<Record<string, unknown>>) {
    this.#own.config = config;
  }

  /** What is given and what is asked for; that of a {@link chainOfThought} has `reasoning`. */
  get signature(): Signature<I, O> {
    return this.#own.signature as Signature<I, O>;
  }

  set signature(signature: Signature<I, O>) {
    this.#own.signature = signature;
  }

  /** What the model is to do. */
  get instructions(): string {
    return this.#own.instructions;
  }

  set instructions(instructions: string) {
    this.#own.instructions = instructions;
  }

  /** The messages that a call with these inputs would send. */
  messages(inputs: I): Message[] {
    const { handle } = this;
    this.#prefix ??= messages(calling(() => handle.prefix()), (_, part: unknown) => Object.freeze(part));
    const length = write(inputs as Record<string, unknown>);
    return [...this.#prefix, ...messages(calling(() => handle.turns(length)))];
  }

  /** The outputs that a model's reply holds. */
  readReply(reply: string): O {
    return JSON.parse(calling(() => this.handle.read_reply(reply))) as O;
  }

  /** @internal */
  override runIn(at: Place, inputs: I, options: CallOptions & PredictCall): Promise<O> {
    const { config, demos, signature, lm } = options;
    if (!config && !demos && !signature && !lm) return super.runIn(at, inputs, options);
    return at.run.ask(this.handle, at.path || undefined, inputs, options) as Promise<O>;
  }

  /** @internal */
  protected override compile({ Program }: Core) {
    const { instructions, types, ...options } = this.#options;
    const given = this.#signature;
    const signature = typeof given === 'string' ? read(given, { instructions, types } as SignatureOptions) : given.handle;
    return Program.of(this.#kind, signature, write(options));
  }

  /** @internal */
  override change(by: (handle: Handle) => void): void {
    this.#prefix = undefined;
    super.change(by);
  }

  get #own(): PredictorSettings {
    const [name = ''] = this.predictors();
    return new PredictorSettings(this as unknown as Compiled<object, object>, name);
  }
}

/** Messages of their JSON text, joined by commas. */
function messages(text: string, reviver?: (key: string, part: unknown) => unknown): Message[] {
  return JSON.parse(`[${text}]`, reviver) as Message[];
}

/**
 * Asks a model for the outputs of a signature, as DSPy's `Predict` does. The types come from the signature.
 *
 * ```ts
 * const qa = predict('context: list[str], question -> answer: str, score: float');
 * const { answer, score } = await qa.run({ context: ['Lakelet is small.'], question: 'Is it?' });
 * ```
 */
export function predict<const S extends SignatureLike, const T extends TypeSpecs = {}>(
  signature: S,
  options: PredictOptions<T> = {},
): Predictor<InputsOf<S, T>, OutputsOf<S, T>> {
  return new Predictor('predict', signature, options);
}

/**
 * The same, but the model reasons first: the prediction has `reasoning` too, as DSPy's `ChainOfThought` gives it.
 *
 * ```ts
 * const { reasoning, answer } = await chainOfThought('question -> answer: int').run({ question: '2 + 2?' });
 * ```
 */
export function chainOfThought<const S extends SignatureLike, const T extends TypeSpecs = {}>(
  signature: S,
  options: PredictOptions<T> = {},
): Predictor<InputsOf<S, T>, { reasoning: string } & OutputsOf<S, T>> {
  return new Predictor('chainOfThought', signature, options);
}
