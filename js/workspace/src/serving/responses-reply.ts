import { randomUUID } from "node:crypto";
import { ApiError } from "../http/errors.js";

type Fields = Record<string, unknown>;

/** What is read of a chat's reply, and of a piece of a streamed one. */
interface Called {
  index?: number;
  id?: string;
  function?: { name?: string; arguments?: string };
}
interface Said {
  content?: string | null;
  tool_calls?: Called[];
}
interface ChatReply {
  model: string;
  created: number;
  choices: Array<{ message?: Said; delta?: Said; finish_reason?: string | null }>;
  usage?: { prompt_tokens: number; completion_tokens: number; total_tokens: number; prompt_tokens_details?: { cached_tokens?: number } };
}

/** The response that says the same as the reply of a chat. */
export function fromChat(reply: unknown, asked: Fields): object {
  const response = new ResponseWriter(asked);
  const { choices: [choice], ...head } = reply as ChatReply;
  response.begin(head.model, head.created);
  response.add(choice?.message ?? {});
  return response.end(choice?.finish_reason, head.usage);
}

/** The events of a streamed response that says the same as the chunks of a streamed chat. */
export async function* eventsFromChat(chunks: AsyncIterable<unknown>, asked: Fields): AsyncGenerator<object, void> {
  const response = new ResponseWriter(asked);
  let sequence_number = 0;
  const numbered = (events: Fields[]) => events.map((event) => ({ ...event, sequence_number: sequence_number++ }));
  let begun = false;
  let finish: string | null | undefined;
  let usage: ChatReply["usage"];
  try {
    for await (const chunk of chunks as AsyncIterable<ChatReply>) {
      if (!begun) yield* numbered(response.begin(chunk.model, chunk.created));
      begun = true;
      const [choice] = chunk.choices;
      yield* numbered(response.add(choice?.delta ?? {}));
      finish = choice?.finish_reason ?? finish;
      usage = chunk.usage ?? usage;
    }
  } catch (error) {
    if (!begun || !(error instanceof ApiError)) throw error;
    yield* numbered([{ type: "error", code: error.code, message: error.message, param: null }]);
    return;
  }
  yield* numbered(response.finishItems());
  const whole = response.end(finish, usage);
  yield* numbered([{ type: whole.status === "incomplete" ? "response.incomplete" : "response.completed", response: whole }]);
}

interface Item extends Fields {
  id: string;
  type: "message" | "function_call";
}

/** Builds a response piece by piece, and tells the events that are told of each. */
class ResponseWriter {
  readonly #asked: Fields;
  readonly #output: Item[] = [];
  #head: Fields = {};
  /** The text of the message that is being written. */
  #text = "";
  /** The place in `output` of each call, by its index in the chat. */
  readonly #calls = new Map<number, number>();
  #open: number | undefined;

  constructor(asked: Fields) {
    this.#asked = asked;
  }

  begin(model: string, created_at: number): Fields[] {
    this.#head = { id: `resp_${id()}`, object: "response", created_at, model };
    return [{ type: "response.created", response: this.#response("in_progress") }];
  }

  add({ content, tool_calls: calls }: Said): Fields[] {
    const events: Fields[] = [];
    if (content) events.push(...this.#addText(content));
    for (const call of calls ?? []) events.push(...this.#addCall(call));
    return events;
  }

  #addText(delta: string): Fields[] {
    const events: Fields[] = [];
    if (this.#open === undefined || this.#output[this.#open]?.type !== "message") {
      events.push(...this.finishItems());
      this.#text = "";
      events.push(...this.#start({ type: "message", id: `msg_${id()}`, role: "assistant", status: "in_progress", content: [] }));
      events.push({ type: "response.content_part.added", ...this.#place(), content_index: 0, part: part("") });
    }
    this.#text += delta;
    events.push({ type: "response.output_text.delta", ...this.#place(), content_index: 0, delta, logprobs: [] });
    return events;
  }

  #addCall({ index = this.#calls.size, id: callId, function: { name, arguments: delta = "" } = {} }: Called): Fields[] {
    const events: Fields[] = [];
    if (!this.#calls.has(index)) {
      events.push(...this.finishItems());
      this.#calls.set(index, this.#output.length);
      events.push(...this.#start({ type: "function_call", id: `fc_${id()}`, call_id: callId, name, arguments: "", status: "in_progress" }));
    }
    const item = this.#output[this.#calls.get(index) ?? 0];
    if (item) item["arguments"] = `${String(item["arguments"])}${delta}`;
    if (delta !== "") events.push({ type: "response.function_call_arguments.delta", ...this.#place(), delta });
    return events;
  }

  #start(item: Item): Fields[] {
    this.#open = this.#output.push(item) - 1;
    return [{ type: "response.output_item.added", output_index: this.#open, item: { ...item } }];
  }

  /** Ends the item that is being written. */
  finishItems(): Fields[] {
    const item = this.#output[this.#open ?? -1];
    if (!item) return [];
    const place = this.#place();
    this.#open = undefined;
    item["status"] = "completed";
    const done = { type: "response.output_item.done", output_index: place.output_index, item };
    if (item.type === "function_call") return [{ type: "response.function_call_arguments.done", ...place, arguments: item["arguments"] }, done];
    item["content"] = [part(this.#text)];
    return [
      { type: "response.output_text.done", ...place, content_index: 0, text: this.#text, logprobs: [] },
      { type: "response.content_part.done", ...place, content_index: 0, part: part(this.#text) },
      done,
    ];
  }

  end(finish: string | null | undefined, usage: ChatReply["usage"]): Fields & { status: string } {
    this.finishItems();
    const response = this.#response(finish === "length" ? "incomplete" : "completed");
    return {
      ...response,
      incomplete_details: finish === "length" ? { reason: "max_output_tokens" } : null,
      usage: usage && {
        input_tokens: usage.prompt_tokens,
        output_tokens: usage.completion_tokens,
        total_tokens: usage.total_tokens,
        input_tokens_details: { cached_tokens: usage.prompt_tokens_details?.cached_tokens ?? 0 },
        output_tokens_details: { reasoning_tokens: 0 },
      },
    };
  }

  #place(): { item_id: string; output_index: number } {
    const output_index = this.#open ?? 0;
    return { item_id: this.#output[output_index]?.id ?? "", output_index };
  }

  #response(status: string): Fields & { status: string } {
    const given = (name: string, otherwise: unknown) => this.#asked[name] ?? otherwise;
    return {
      ...this.#head,
      status,
      output: [...this.#output],
      parallel_tool_calls: given("parallel_tool_calls", false),
      tool_choice: given("tool_choice", "auto"),
      tools: given("tools", []),
      error: null,
      incomplete_details: null,
      instructions: given("instructions", null),
      metadata: given("metadata", {}),
      temperature: given("temperature", null),
      top_p: given("top_p", null),
      max_output_tokens: given("max_output_tokens", null),
      text: given("text", { format: { type: "text" } }),
      store: false,
      usage: null,
    };
  }
}

const part = (text: string) => ({ type: "output_text", text, annotations: [] });
const id = () => randomUUID().replaceAll("-", "");
