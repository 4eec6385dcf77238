/** Models that are functions. */
import { calling } from './core.js';
import type { Message } from './events.js';
import { write } from './values.js';
import { Model, type ModelOptions } from './workspace.js';

/** What is read of a request. */
interface Asked {
  readonly messages: readonly Message[];
  readonly responseFormat?: unknown;
  readonly options: ModelOptions;
}

/** What a model of one's own is asked. It is read from its JSON text when it is looked at. */
export class ModelRequest {
  /** `{messages, responseFormat?, options}` as JSON text. */
  readonly json: string;
  #read: Asked | undefined;
  #controller: AbortController | undefined;

  /** @internal */
  constructor(json: string) {
    this.json = json;
  }

  get messages(): readonly Message[] {
    return this.#members.messages;
  }

  /** The `response_format` that an endpoint would be sent. */
  get responseFormat(): unknown {
    return this.#members.responseFormat;
  }

  /** Sampling parameters, tools and the like by their wire names. */
  get options(): ModelOptions {
    return this.#members.options;
  }

  /** Aborted when nobody waits for the answer any longer. */
  get signal(): AbortSignal {
    return (this.#controller ??= new AbortController()).signal;
  }

  /** @internal */
  stop(): void {
    this.#controller?.abort();
  }

  get #members(): Asked {
    return (this.#read ??= JSON.parse(this.json) as Asked);
  }
}

/** What was used, as the chat-completions API tells it. */
export interface ReportedUsage {
  readonly prompt_tokens?: number;
  readonly completion_tokens?: number;
  readonly total_tokens?: number;
  readonly [detail: string]: unknown;
}

/** An answer of the chat-completions API, with one or several completions. */
export interface ChatCompletion {
  readonly choices: readonly {
    readonly message: {
      readonly content?: string | readonly unknown[] | null;
      readonly reasoning_content?: string | null;
      readonly tool_calls?: readonly unknown[] | null;
    };
    readonly logprobs?: unknown;
    readonly finish_reason?: string | null;
  }[];
  readonly model?: string;
  readonly usage?: ReportedUsage | null;
}

/** A piece of a streamed answer of the chat-completions API. */
export interface ChatCompletionChunk {
  readonly choices: readonly {
    readonly index?: number;
    readonly delta: { readonly content?: string | null; readonly reasoning_content?: string | null; readonly tool_calls?: readonly unknown[] | null };
    readonly finish_reason?: string | null;
  }[];
  readonly model?: string;
  readonly usage?: ReportedUsage | null;
}

/**
 * What a model of one's own answers: the text, the texts of several completions, the text and what it cost, what the
 * chat-completions API answers, or pieces as they come to be.
 */
export type ModelReply =
  | string
  | readonly string[]
  | { readonly text: string; readonly model?: string; readonly usage?: ReportedUsage }
  | ChatCompletion
  | AsyncIterable<string | ChatCompletionChunk>;

/** A model of one's own: a model in the page, another provider, a test. */
export type ModelFunction = (request: ModelRequest) => ModelReply | Promise<ModelReply>;

/** What a model of one's own can do, and is asked with. */
export interface LanguageModelOptions {
  /** What it understands beyond text. */
  readonly capabilities?: {
    /** `response_format` of type `json_object`. */
    readonly jsonObject?: boolean;
    /** `response_format` of type `json_schema` too. */
    readonly jsonSchema?: boolean;
    /** `tools`, answered by tool calls. */
    readonly functionCalling?: boolean;
    /** `reasoning_effort`, answered by `reasoning_content`. */
    readonly reasoning?: boolean;
  };
  /** Parameters of every request that does not bring its own, by their wire names. */
  readonly defaults?: ModelOptions;
}

/**
 * A model that is a function.
 *
 * ```ts
 * configure({ lm: languageModel('echo', ({ messages }) => `[[ ## answer ## ]]\n${messages.length} messages`) });
 * configure({
 *   lm: languageModel('gpt', ({ messages, options }) => openai.chat.completions.create({ model: 'gpt-5', messages, ...options, stream: true })),
 * });
 * ```
 */
export function languageModel(name: string, answer: ModelFunction, options: LanguageModelOptions = {}): Model {
  const call = (json: string) => {
    const request = new ModelRequest(json);
    return { reply: sent(answer, request), stop: () => request.stop() };
  };
  return new Model(name, answer, () => calling((core) => core.Model.of_function(name, call, write({ ...options }))));
}

/** A text as it is, and JSON text of the API's form in a list: what the core reads. */
type Sent = string | [json: string];

async function sent(answer: ModelFunction, request: ModelRequest): Promise<Sent | { next(): Promise<Sent | undefined> }> {
  const reply = await answer(request);
  if (typeof reply === 'string') return reply;
  if (Symbol.asyncIterator in reply) return pieces(reply[Symbol.asyncIterator](), request.signal);
  if (Array.isArray(reply)) return [JSON.stringify({ choices: (reply as string[]).map(choice) })];
  if ('text' in reply) return [JSON.stringify({ ...reply, choices: [choice(reply.text)] })];
  return [JSON.stringify(reply)];
}

function choice(content: string): object {
  return { message: { content } };
}

function pieces(iterator: AsyncIterator<string | ChatCompletionChunk>, signal: AbortSignal) {
  signal.addEventListener('abort', () => void iterator.return?.().catch(() => {}), { once: true });
  return {
    async next(): Promise<Sent | undefined> {
      const { done, value } = await iterator.next();
      if (done) return undefined;
      return typeof value === 'string' ? value : [JSON.stringify(value)];
    },
  };
}
