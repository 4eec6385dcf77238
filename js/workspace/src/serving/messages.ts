import { invalid } from "../http/errors.js";
import { isObject } from "../http/fields.js";
import type { Message } from "../models/chat-template.js";
import { writeCalls, type ToolCall } from "../models/tool-calls.js";

const ROLES = ["system", "user", "assistant", "tool"] as const;

/**
 * The messages of a chat request. Content may be text, a list of text parts, or null. Calls of functions and what they gave
 * become text, in the form that the model writes calls in.
 */
export function readMessages(body: Record<string, unknown>): Message[] {
  const messages = body["messages"];
  if (!Array.isArray(messages) || messages.length === 0) throw invalid("'messages' must be a list of at least one message.");
  const read: Message[] = [];
  let afterResult = false;
  for (const [i, message] of messages.entries()) {
    if (!isObject(message)) throw invalid(`'messages[${i}]' must be an object.`);
    const role = ROLES.find((known) => known === (message["role"] === "developer" ? "system" : message["role"]));
    if (role === undefined) throw invalid(`'messages[${i}].role' must be one of ${ROLES.join(", ")}.`);
    const content = readContent(message["content"] ?? "", i);
    const last = read.at(-1);
    if (role !== "tool") read.push({ role, content: [content, writeCalls(readCalls(message, i))].filter(Boolean).join("\n") });
    else if (afterResult && last) last.content += `\n${result(content)}`;
    else read.push({ role: "user", content: result(content) });
    afterResult = role === "tool";
  }
  return read;
}

const result = (content: string) => `<tool_response>\n${content}\n</tool_response>`;

function readCalls(message: Record<string, unknown>, i: number): ToolCall[] {
  const calls = message["tool_calls"] ?? [];
  const wrong = () => invalid(`'messages[${i}].tool_calls' must be a list of {"id", "type": "function", "function": {"name", "arguments"}}.`);
  if (!Array.isArray(calls)) throw wrong();
  return calls.map((call: unknown) => {
    const called = isObject(call) && isObject(call["function"]) ? call["function"] : {};
    const { name, arguments: given } = called;
    if (typeof name !== "string" || typeof given !== "string") throw wrong();
    return { name, arguments: given };
  });
}

function readContent(content: unknown, i: number): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) throw invalid(`'messages[${i}].content' must be a string or a list of parts.`);
  return content
    .map((part: unknown) => {
      if (isObject(part) && part["type"] === "text" && typeof part["text"] === "string") return part["text"];
      throw invalid(`'messages[${i}].content' may hold parts of the type text only.`);
    })
    .join("");
}
