/** Predictors: one signature, one model call. */
import { calling, type Core } from './core.js';
import { defaultAdapter } from './configure.js';
import type { Message } from './events.js';
import { Compiled } from './program.js';
import type { InputsOf, OutputsOf, SignatureLike } from './signature.js';
import { write } from './values.js';

/** What a predictor can be told beside its signature. */
export interface PredictOptions {
  /** How the signature becomes messages; the one of `configure` unless given. */
  readonly adapter?: 'chat' | 'json';
  /** The model to ask, by its name in the settings; the first one unless given. */
  readonly model?: string;
  /** Parameters of every request, by their wire names: `temperature`, `max_tokens`, `n` ... */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Solved examples that every prompt shows: inputs and outputs by name. */
  readonly demos?: readonly Readonly<Record<string, unknown>>[];
  /** What the model is to do; for signatures given as a string it replaces DSPy's default sentence. */
  readonly instructions?: string;
}

/** A signature that can be asked. Made by {@link predict} and {@link chainOfThought}. */
export class Predictor<I extends object = Record<string, unknown>, O extends object = Record<string, unknown>> extends Compiled<I, O> {
  readonly #kind: 'predict' | 'chain_of_thought';
  readonly #signature: SignatureLike;
  readonly #options: PredictOptions;
  /** What the messages of every call begin with. */
  #prefix: readonly Message[] | undefined;

  /** @internal */
  constructor(kind: 'predict' | 'chain_of_thought', signature: SignatureLike, options: PredictOptions) {
    super();
    this.#kind = kind;
    this.#signature = signature;
    this.#options = { adapter: defaultAdapter(), ...options };
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
  protected override compile({ Program }: Core) {
    const { instructions, ...options } = this.#options;
    const given = this.#signature;
    const [text, areFields, own] = typeof given === 'string' ? [given, false, instructions] as const : given.source;
    return Program[this.#kind](text, areFields, own, JSON.stringify(options));
  }

  /** @internal */
  override restore(path: string, state: string): void {
    this.#prefix = undefined;
    super.restore(path, state);
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
export function predict<const S extends SignatureLike>(signature: S, options: PredictOptions = {}): Predictor<InputsOf<S>, OutputsOf<S>> {
  return new Predictor('predict', signature, options);
}

/**
 * The same, but the model reasons first: the prediction has `reasoning` too, as DSPy's `ChainOfThought` gives it.
 *
 * ```ts
 * const { reasoning, answer } = await chainOfThought('question -> answer: int').run({ question: '2 + 2?' });
 * ```
 */
export function chainOfThought<const S extends SignatureLike>(
  signature: S,
  options: PredictOptions = {},
): Predictor<InputsOf<S>, { reasoning: string } & OutputsOf<S>> {
  return new Predictor('chain_of_thought', signature, options);
}
