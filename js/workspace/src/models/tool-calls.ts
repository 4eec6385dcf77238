import type { Message } from "./chat-template.js";
import { CALL_CLOSE, CALL_OPEN, type CallableFunction } from "./json-grammar.js";

/** A function that the model may call, as the chat-completions API tells it. */
export interface Tool {
  type: "function";
  function: CallableFunction & { description?: string };
}

/** A call that the model made. */
export interface ToolCall {
  name: string;
  /** JSON text. */
  arguments: string;
}

/**
 * Tells the model which functions there are, in the words that Qwen's models were trained on. It is text of the system
 * message, so that a description cannot become a mark of the chat template, and works with templates that know no tools.
 */
export function tellTools(messages: Message[], tools: Tool[]): Message[] {
  const [first, ...others] = messages;
  const system = first?.role === "system" ? first.content : "You are a helpful assistant.";
  const content = `${system}

# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>
${tools.map((tool) => JSON.stringify(tool)).join("\n")}
</tools>

For each function call, return a json object with function name and arguments within ${CALL_OPEN}${CALL_CLOSE} XML tags:
${CALL_OPEN}
{"name": <function-name>, "arguments": <args-json-object>}
${CALL_CLOSE}`;
  return [{ role: "system", content }, ...(first?.role === "system" ? others : messages)];
}

/** Calls as the model writes them, for the messages of a conversation. */
export function writeCalls(calls: ToolCall[]): string {
  return calls.map((call) => `${CALL_OPEN}\n{"name": ${JSON.stringify(call.name)}, "arguments": ${call.arguments}}\n${CALL_CLOSE}`).join("\n");
}

/** Reads the calls of a text that a grammar of calls has shaped. One that was cut off is left out. */
export function readCalls(text: string): ToolCall[] {
  return text.split(CALL_OPEN).flatMap((piece) => {
    const end = piece.lastIndexOf(CALL_CLOSE);
    if (end < 0) return [];
    const call = JSON.parse(piece.slice(0, end)) as { name: string; arguments: unknown };
    return [{ name: call.name, arguments: JSON.stringify(call.arguments) }];
  });
}
