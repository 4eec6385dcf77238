import type { Token } from "node-llama-cpp";
import type { ChatModel, Generated, Sampling, Usage } from "./chat-model.js";
import { CALL_OPEN, callGrammar, jsonGrammar, type JsonReply } from "./json-grammar.js";
import { readCalls, type Tool, type ToolCall } from "./tool-calls.js";

/** What a reply is to be, beyond text. */
export interface Wanted {
  /** JSON, if it is to be that. */
  json: JsonReply | undefined;
  /** The functions that may be called, or of which one must be `required`. Several calls at once only when `parallel`. */
  calls: { tools: Tool[]; required: boolean; parallel: boolean } | undefined;
}

/** What {@link ChatModel.generate} yields, and calls of functions, all at once. */
export type Answered = Generated | { calls: ToolCall[] };

/**
 * Generates a reply that may call functions.
 *
 * A call is shaped by a grammar, so its arguments always fit their schema. Whether to call is up to the model, unless it is
 * required: what it writes is free text until it begins a call, and from there on a call.
 */
export async function* answer(model: ChatModel, prompt: Token[], sampling: Sampling, { json, calls }: Wanted, signal: AbortSignal): AsyncGenerator<Answered, void> {
  if (!calls) {
    yield* model.generate(prompt, { ...sampling, grammar: json && jsonGrammar(json) }, signal);
    return;
  }
  const functions = calls.tools.map((tool) => tool.function);
  if (calls.required || json) {
    const grammar = callGrammar(functions, calls.parallel, calls.required ? undefined : json);
    yield* withCalls(model.generate(prompt, { ...sampling, grammar }, signal));
    return;
  }
  let said = "";
  for await (const event of model.generate(prompt, { ...sampling, stop: [...sampling.stop, CALL_OPEN] }, signal)) {
    if ("text" in event) said += event.text;
    if ("text" in event || event.stop !== CALL_OPEN) {
      yield event;
      continue;
    }
    const { usage } = event;
    const maxTokens = sampling.maxTokens === undefined ? undefined : sampling.maxTokens - usage.completionTokens;
    if (maxTokens !== undefined && maxTokens < 1) {
      yield { ...event, finish: "length" };
      return;
    }
    const constrained = { ...sampling, maxTokens, stop: [], grammar: callGrammar(functions, calls.parallel) };
    yield* withCalls(model.generate([...prompt, ...model.tokens(said)], constrained, signal), usage);
  }
}

/** Holds a text that begins with a call together until it has ended, and reads its calls. Other text goes through. */
async function* withCalls(generated: AsyncIterable<Generated>, before?: Usage): AsyncGenerator<Answered, void> {
  let held = "";
  let isCall: boolean | undefined;
  for await (const event of generated) {
    if ("text" in event) {
      isCall ??= event.text === "" ? undefined : event.text.startsWith("<"); // as no JSON does
      if (isCall) held += event.text;
      else yield event;
      continue;
    }
    const calls = readCalls(held);
    if (calls.length > 0) yield { calls };
    yield { ...event, usage: before ? added(before, event.usage) : event.usage };
  }
}

/** The prompt counts once, however often it is gone on from. */
function added(first: Usage, second: Usage): Usage {
  return { ...first, completionTokens: first.completionTokens + second.completionTokens };
}
