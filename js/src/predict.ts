/** Predictors: one signature, one model call. */
import type { Program as Handle } from '../wasm/lakelet.js';
import { Asking, type PredictOptions } from './asking.js';
import { calling, init } from './core.js';
import type { TypeSpecs } from './declare.js';
import type { Message } from './events.js';
import type { Compiled, Place } from './program.js';
import type { CallOptions, PredictCall } from './run.js';
import { PredictorSettings, type Example } from './settings.js';
import type { InputsOf, OutputsOf, Signature, SignatureLike } from './signature.js';
import type { ProgramStream } from './stream.js';
import { write } from './values.js';

/** A signature that can be asked. Made by {@link predict} and {@link chainOfThought}. */
export class Predictor<I extends object = Record<string, unknown>, O extends object = Record<string, unknown>> extends Asking<I, O> {
  /** What the messages of every call begin with. */
  #prefix: readonly Message[] | undefined;

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

  /** The messages of every call with places for the inputs, and what else is sent, for `aiQuery` of `lakelet/databricks`. @internal */
  async template(): Promise<Readonly<Record<string, unknown>>> {
    await init();
    return JSON.parse(calling(() => this.handle.template())) as Record<string, unknown>;
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
