import { randomUUID } from "node:crypto";
import type { TokenLogprob } from "../models/logprobs.js";
import type { ToolCall } from "../models/tool-calls.js";

/** How chat and completions differ in what they answer. */
export interface Format {
  object: string;
  chunk: string;
  whole: (text: string, calls: ToolCall[]) => object;
  part: (text: string, calls: ToolCall[], isFirst: boolean) => object;
  logprobs: (tokens: TokenLogprob[]) => object;
}

export const chatFormat: Format = {
  object: "chat.completion",
  chunk: "chat.completion.chunk",
  whole: (text, calls) => {
    const content = calls.length > 0 && text === "" ? null : text;
    return { message: { role: "assistant", content, ...(calls.length > 0 && { tool_calls: calls.map(wireCall) }) } };
  },
  part: (text, calls, isFirst) => ({
    delta: {
      ...(isFirst && { role: "assistant" }),
      ...(calls.length === 0 ? { content: text } : { tool_calls: calls.map((call, index) => ({ index, ...wireCall(call) })) }),
    },
  }),
  logprobs: (content) => ({ content }),
};

export const completionFormat: Format = {
  object: "text_completion",
  chunk: "text_completion",
  whole: (text) => ({ text }),
  part: (text) => ({ text }),
  logprobs: (tokens) => ({
    tokens: tokens.map(({ token }) => token),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map(({ top_logprobs }) => Object.fromEntries(top_logprobs.map(({ token, logprob }) => [token, logprob]))),
  }),
};

const wireCall = (call: ToolCall) => ({ id: `call_${randomUUID().replaceAll("-", "")}`, type: "function", function: call });
