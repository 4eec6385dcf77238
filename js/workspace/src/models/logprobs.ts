import type { LlamaModel, Token } from "node-llama-cpp";

/** How likely a token was, in the form of the chat-completions API. */
export interface TokenLogprob {
  token: string;
  /** The natural logarithm of the probability. */
  logprob: number;
  /** UTF-8; null for a token that is but a part of a character. */
  bytes: number[] | null;
  top_logprobs: Array<Omit<TokenLogprob, "top_logprobs">>;
}

/** OpenAI's value for what is not likely at all, since JSON has no infinity. */
const NEVER = -9999;

/**
 * How likely a token was, and the `top` likeliest ones in its place. `probabilities` stand in falling order: those that the
 * token was drawn from, which at the temperatures 0 and 1 are the model's own.
 */
export function logprob(model: LlamaModel, token: Token, probabilities: Map<Token, number>, top: number): TokenLogprob {
  const describe = (token: Token, probability: number) => {
    const text = model.detokenize([token]);
    const bytes = text.includes("\uFFFD") ? null : [...Buffer.from(text)];
    return { token: text, logprob: probability > 0 ? Math.log(probability) : NEVER, bytes };
  };
  const top_logprobs = [...probabilities].slice(0, top).map(([token, probability]) => describe(token, probability));
  return { ...describe(token, probabilities.get(token) ?? 0), top_logprobs };
}
