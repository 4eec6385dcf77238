import { randomUUID } from "node:crypto";
import type { Token } from "node-llama-cpp";
import { invalid } from "../http/errors.js";
import type { Reply } from "../http/router.js";
import { answer } from "../models/calling.js";
import type { ChatModel, FinishReason, Usage } from "../models/chat-model.js";
import type { TokenLogprob } from "../models/logprobs.js";
import { tellTools, type ToolCall } from "../models/tool-calls.js";
import { chatFormat, completionFormat, type Format } from "./completion-format.js";
import { readGeneration, readPrompt, type GenerationRequest } from "./generation-request.js";
import { readMessages } from "./messages.js";
import type { Question, ServedModel } from "./served-model.js";

/** The workspace's own language model. */
export class LocalChat implements ServedModel {
  readonly task = "llm/v1/chat";
  readonly #model: ChatModel;

  constructor(model: ChatModel) {
    this.#model = model;
  }

  async ask({ kind, body, signal }: Question): Promise<Reply> {
    if (kind !== "chat" && kind !== "completions") throw invalid("This model chats and completes: send 'messages' or 'prompt'.");
    const request = readGeneration(body);
    const prompt = kind === "chat" ? this.#chatPrompt(body, request) : this.#model.textPrompt(readPrompt(body));
    const format = kind === "chat" ? chatFormat : completionFormat;
    const headers = { "served-model-name": this.#model.name };
    if (request.stream) return { headers, events: this.#stream(prompt, request, signal, format) };
    return { headers, json: await this.#whole(prompt, request, signal, format) };
  }

  #chatPrompt(body: Record<string, unknown>, { wanted }: GenerationRequest): Token[] {
    const messages = readMessages(body);
    return this.#model.chatPrompt(wanted.calls ? tellTools(messages, wanted.calls.tools) : messages);
  }

  async #whole(prompt: Token[], request: GenerationRequest, signal: AbortSignal, format: Format): Promise<object> {
    const choices: object[] = [];
    const total = new TotalUsage();
    for (let index = 0; index < request.choices; index++) {
      let text = "";
      let finish: FinishReason = "stop";
      let calls: ToolCall[] = [];
      const logprobs: TokenLogprob[] = [];
      for await (const event of answer(this.#model, prompt, nth(request, index), request.wanted, signal)) {
        if ("calls" in event) calls = event.calls;
        else if ("finish" in event) finish = total.add(event);
        else {
          text += event.text;
          logprobs.push(...(event.logprobs ?? []));
        }
      }
      const finish_reason = calls.length > 0 ? "tool_calls" : finish;
      const told = request.sampling.topLogprobs === undefined ? null : format.logprobs(logprobs);
      choices.push({ index, ...format.whole(text, calls), finish_reason, logprobs: told });
    }
    return { ...this.#head(format.object), choices, usage: total.toJson() };
  }

  /** One choice after the other. The usage stands on the chunk with the last `finish_reason`: some clients read no further. */
  async *#stream(prompt: Token[], request: GenerationRequest, signal: AbortSignal, format: Format): AsyncGenerator<object> {
    const head = this.#head(format.chunk);
    const total = new TotalUsage();
    for (let index = 0; index < request.choices; index++) {
      let isFirst = true;
      let called = false;
      for await (const event of answer(this.#model, prompt, nth(request, index), request.wanted, signal)) {
        const finish = "finish" in event ? total.add(event) : null;
        const calls = "calls" in event ? event.calls : [];
        called ||= calls.length > 0;
        const told = "logprobs" in event && event.logprobs ? { logprobs: format.logprobs(event.logprobs) } : {};
        const choice = {
          index,
          ...format.part("text" in event ? event.text : "", calls, isFirst),
          ...told,
          finish_reason: finish && called ? "tool_calls" : finish,
        };
        const isLast = finish !== null && index === request.choices - 1;
        yield { ...head, choices: [choice], ...(isLast && { usage: total.toJson() }) };
        isFirst = false;
      }
    }
  }

  #head(object: string): object {
    return { id: `cmpl-${randomUUID()}`, object, created: Math.floor(Date.now() / 1000), model: this.#model.name };
  }
}

/** Token counts over all choices of a request. */
class TotalUsage {
  #prompt = 0;
  #cached = 0;
  #completion = 0;

  /** The prompt counts once, however many choices are made of it. */
  add({ finish, usage }: { finish: FinishReason; usage: Usage }): FinishReason {
    if (this.#prompt === 0) this.#cached = usage.cachedTokens;
    this.#prompt = usage.promptTokens;
    this.#completion += usage.completionTokens;
    return finish;
  }

  toJson(): object {
    return {
      prompt_tokens: this.#prompt,
      completion_tokens: this.#completion,
      total_tokens: this.#prompt + this.#completion,
      prompt_tokens_details: { cached_tokens: this.#cached },
    };
  }
}

/** The sampling of the n-th choice: with a seed of its own, or all choices would be the same. */
function nth({ sampling }: GenerationRequest, index: number): GenerationRequest["sampling"] {
  return sampling.seed === undefined ? sampling : { ...sampling, seed: sampling.seed + index };
}
