import { createHash, randomUUID } from "node:crypto";
import type { Token } from "node-llama-cpp";
import { TOKEN_OWNER } from "../credentials.js";
import { invalid, missing, notImplemented } from "../http/errors.js";
import { requiredString } from "../http/fields.js";
import type { Call, Handler, Reply, Route } from "../http/router.js";
import type { ChatModel, FinishReason, Usage } from "../models/chat-model.js";
import type { Embedder } from "../models/embedder.js";
import { readGeneration, readMessages, readPrompt, type GenerationRequest } from "./generation-request.js";

export const CHAT_ENDPOINT = "local-chat";
export const EMBEDDING_ENDPOINT = "local-embedding";

/** Databricks' limits: bytes of a request to a foundation model, texts of an embedding request. */
const INFERENCE_LIMIT = 4 << 20;
const MAX_INPUTS = 150;

/** The id of an endpoint by its name. */
export const endpointId = (name: string) => createHash("md5").update(name).digest("hex");

/** Serving endpoints, and chat, completions and embeddings on them. */
export class ServingRoutes {
  readonly #chat: ChatModel;
  readonly #embedder: Embedder;
  readonly #started = Date.now();

  constructor(chat: ChatModel, embedder: Embedder) {
    this.#chat = chat;
    this.#embedder = embedder;
  }

  routes(): Route[] {
    const base = "/api/2.0/serving-endpoints";
    const infer = (path: string, handler: Handler): Route => ({ method: "POST", path, handler, limit: INFERENCE_LIMIT });
    return [
      { method: "GET", path: base, handler: () => ({ json: { endpoints: [this.#info(CHAT_ENDPOINT), this.#info(EMBEDDING_ENDPOINT)] } }) },
      { method: "GET", path: `${base}/:name`, handler: ({ params }) => ({ json: this.#info(params["name"] ?? "") }) },
      { method: "POST", path: base, handler: refuseChange },
      { method: "DELETE", path: `${base}/:name`, handler: refuseChange },
      { method: "PUT", path: `${base}/:name/config`, handler: refuseChange },
      infer("/serving-endpoints/chat/completions", (call) => this.#chatCompletion(call, requiredString(call.body, "model"))),
      infer("/serving-endpoints/completions", (call) => this.#textOrChat(call, requiredString(call.body, "model"))),
      infer("/serving-endpoints/embeddings", (call) => this.#embeddings(call, requiredString(call.body, "model"))),
      infer("/serving-endpoints/:name/invocations", (call) => this.#invocations(call, call.params["name"] ?? "")),
    ];
  }

  #info(name: string): object {
    const model = { [CHAT_ENDPOINT]: this.#chat.name, [EMBEDDING_ENDPOINT]: this.#embedder.id }[name];
    if (model === undefined) throw missing(`Endpoint with name '${name}' does not exist.`);
    const entity = `system.ai.${model.replaceAll(".", "_")}`;
    return {
      name,
      id: endpointId(name),
      creator: TOKEN_OWNER,
      creation_timestamp: this.#started,
      last_updated_timestamp: this.#started,
      state: { ready: "READY", config_update: "NOT_UPDATING" },
      task: name === CHAT_ENDPOINT ? "llm/v1/chat" : "llm/v1/embeddings",
      endpoint_type: "FOUNDATION_MODEL_API",
      permission_level: "CAN_QUERY",
      config: {
        served_entities: [
          {
            name: model,
            entity_name: entity,
            foundation_model: { name: entity, display_name: model, description: "Runs on this machine", docs: "" },
          },
        ],
      },
    };
  }

  /** The task of the endpoint decides what its invocations are. */
  #invocations(call: Call, endpoint: string): Reply | Promise<Reply> {
    if (endpoint === EMBEDDING_ENDPOINT) return this.#embeddings(call, endpoint);
    return this.#textOrChat(call, endpoint);
  }

  #textOrChat(call: Call, endpoint: string): Reply | Promise<Reply> {
    if ("messages" in call.body) return this.#chatCompletion(call, endpoint);
    return this.#completion(call, endpoint);
  }

  #requireChat(endpoint: string): void {
    if (endpoint === EMBEDDING_ENDPOINT) throw invalid(`Endpoint '${endpoint}' makes embeddings; chat with '${CHAT_ENDPOINT}'.`);
    if (endpoint !== CHAT_ENDPOINT) throw missing(`Endpoint with name '${endpoint}' does not exist.`);
  }

  #chatCompletion({ body, signal }: Call, endpoint: string): Reply | Promise<Reply> {
    this.#requireChat(endpoint);
    const request = readGeneration(body);
    const prompt = this.#chat.chatPrompt(readMessages(body));
    return this.#reply(prompt, request, signal, {
      object: "chat.completion",
      whole: (content) => ({ message: { role: "assistant", content } }),
      part: (content, isFirst) => ({ delta: isFirst ? { role: "assistant", content } : { content } }),
    });
  }

  #completion({ body, signal }: Call, endpoint: string): Reply | Promise<Reply> {
    this.#requireChat(endpoint);
    const request = readGeneration(body);
    const prompt = this.#chat.textPrompt(readPrompt(body));
    const text = (text: string) => ({ text });
    return this.#reply(prompt, request, signal, { object: "text_completion", whole: text, part: text });
  }

  #reply(prompt: Token[], request: GenerationRequest, signal: AbortSignal, format: Format): Reply | Promise<Reply> {
    const headers = { "served-model-name": this.#chat.name };
    if (request.stream) return { headers, events: this.#stream(prompt, request, signal, format) };
    return this.#whole(prompt, request, signal, format).then((json) => ({ headers, json }));
  }

  async #whole(prompt: Token[], request: GenerationRequest, signal: AbortSignal, format: Format): Promise<object> {
    const choices: object[] = [];
    const total = new TotalUsage();
    for (let index = 0; index < request.choices; index++) {
      let text = "";
      let finish_reason: FinishReason = "stop";
      for await (const event of this.#chat.generate(prompt, nth(request, index), signal)) {
        if ("text" in event) text += event.text;
        else finish_reason = total.add(event);
      }
      choices.push({ index, ...format.whole(text), finish_reason, logprobs: null });
    }
    return { ...this.#head(format.object), choices, usage: total.toJson() };
  }

  /** One choice after the other. The usage stands on the chunk with the last `finish_reason`: some clients read no further. */
  async *#stream(prompt: Token[], request: GenerationRequest, signal: AbortSignal, format: Format): AsyncGenerator<object> {
    const head = this.#head(format.object === "chat.completion" ? "chat.completion.chunk" : format.object);
    const total = new TotalUsage();
    for (let index = 0; index < request.choices; index++) {
      let isFirst = true;
      for await (const event of this.#chat.generate(prompt, nth(request, index), signal)) {
        const text = "text" in event ? event.text : "";
        const finish_reason = "text" in event ? null : total.add(event);
        const isLast = finish_reason !== null && index === request.choices - 1;
        const choice = { index, ...format.part(text, isFirst), finish_reason };
        yield { ...head, choices: [choice], ...(isLast && { usage: total.toJson() }) };
        isFirst = false;
      }
    }
  }

  #head(object: string): object {
    return { id: `cmpl-${randomUUID()}`, object, created: Math.floor(Date.now() / 1000), model: this.#chat.name };
  }

  async #embeddings({ body }: Call, endpoint: string): Promise<Reply> {
    if (endpoint !== EMBEDDING_ENDPOINT) {
      if (endpoint === CHAT_ENDPOINT) throw invalid(`Endpoint '${endpoint}' makes no embeddings; use '${EMBEDDING_ENDPOINT}'.`);
      throw missing(`Endpoint with name '${endpoint}' does not exist.`);
    }
    const input = typeof body["input"] === "string" ? [body["input"]] : body["input"];
    if (!Array.isArray(input) || !input.every((text) => typeof text === "string")) {
      throw invalid("'input' must be a string or a list of strings.");
    }
    if (input.length === 0 || input.length > MAX_INPUTS) throw invalid(`'input' takes 1 to ${MAX_INPUTS} texts, not ${input.length}.`);
    const { vectors, tokens } = await this.#embedder.embed(input);
    const encode = body["encoding_format"] === "base64" ? toBase64 : (vector: number[]) => vector;
    return {
      headers: { "served-model-name": this.#embedder.id },
      json: {
        object: "list",
        model: this.#embedder.id,
        data: vectors.map((vector, index) => ({ object: "embedding", index, embedding: encode(vector) })),
        usage: { prompt_tokens: tokens, total_tokens: tokens },
      },
    };
  }
}

/** How chat and completions differ in what they answer. */
interface Format {
  object: "chat.completion" | "text_completion";
  whole: (text: string) => object;
  part: (text: string, isFirst: boolean) => object;
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

const toBase64 = (vector: number[]) => Buffer.from(Float32Array.from(vector).buffer).toString("base64");

function refuseChange(): never {
  throw notImplemented(`The local workspace serves '${CHAT_ENDPOINT}' and '${EMBEDDING_ENDPOINT}'; endpoints cannot be created or changed.`);
}
