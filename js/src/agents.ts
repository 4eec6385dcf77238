/** Programs of several calls around one signature: agents, and the comparison of answers. */
import { Asking, type PredictOptions } from './asking.js';
import type { TypeSpecs } from './declare.js';
import type { Program } from './program.js';
import type { InputsOf, OutputsOf, SignatureLike } from './signature.js';
import type { Tool } from './tool.js';
import type { History } from './types.js';

/** What an agent can be told beside its signature. */
export interface AgentOptions<T extends TypeSpecs = TypeSpecs> extends PredictOptions<T> {
  readonly tools: readonly Tool<never>[];
  /** The number of turns at most; 20 unless given. An input `max_iters` sets it for one call. */
  readonly maxIters?: number;
}

/** The number of turns for one call. */
interface Turns {
  readonly max_iters?: number;
}

/**
 * An agent: in each turn the model writes a thought, chooses a tool and is shown the result; then the outputs are extracted from the
 * trajectory, as DSPy's `ReAct` does.
 *
 * ```ts
 * const agent = react('question -> answer', { tools: [weather], maxIters: 5 });
 * const { answer, trajectory } = await agent.run({ question: 'Will it rain in Delft?' });
 * ```
 */
export function react<const S extends SignatureLike, const T extends TypeSpecs = {}>(
  signature: S,
  options: AgentOptions<T>,
): Program<InputsOf<S, T> & Turns, OutputsOf<S, T> & { trajectory: Record<string, unknown> }> {
  return new Asking('react', signature, options as PredictOptions);
}

/**
 * An agent whose model calls tools until it submits the outputs, as DSPy's experimental `ReActV2` does. Its `history` goes in again to
 * go on with the conversation.
 */
export function reactV2<const S extends SignatureLike, const T extends TypeSpecs = {}>(
  signature: S,
  options: AgentOptions<T>,
): Program<Partial<InputsOf<S, T>> & Turns & { readonly history?: History }, OutputsOf<S, T> & { history: History; termination_reason: string }> {
  return new Asking('reactV2', signature, options as PredictOptions);
}

/** What a comparison can be told beside its signature. */
export interface ComparisonOptions<T extends TypeSpecs = TypeSpecs> extends PredictOptions<T> {
  /** How many answers are compared; 3 unless given. */
  readonly m?: number;
  /** 0.7 unless given. */
  readonly temperature?: number;
}

/**
 * Shows a model several answers with their reasoning, and asks for the one that follows from all of them, as DSPy's
 * `MultiChainComparison` does.
 *
 * ```ts
 * const first = await chainOfThought('question -> answer', { config: { n: 3 } }).run({ question });
 * const compare = multiChainComparison('question -> answer');
 * const { rationale, answer } = await compare.run({ question, completions: [first, ...inspect(first).others] });
 * ```
 */
export function multiChainComparison<const S extends SignatureLike, const T extends TypeSpecs = {}>(
  signature: S,
  { temperature = 0.7, ...options }: ComparisonOptions<T> = {},
): Program<InputsOf<S, T> & { readonly completions: readonly object[] }, { rationale: string } & OutputsOf<S, T>> {
  return new Asking('multiChainComparison', signature, { ...options, config: { temperature, ...options.config } });
}
