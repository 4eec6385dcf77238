import { invalid, notImplemented } from "../http/errors.js";
import { isObject, optionalString } from "../http/fields.js";

type Fields = Record<string, unknown>;

/** Databricks refuses longer ids. */
const LONGEST_ID = 64;
/** Fields of a response that a chat has too, by their names in a chat. */
const SAME: ReadonlyArray<readonly [response: string, chat: string]> = [
  ["model", "model"], ["stream", "stream"], ["temperature", "temperature"], ["top_p", "top_p"],
  ["max_output_tokens", "max_tokens"], ["parallel_tool_calls", "parallel_tool_calls"],
];
/** Fields that need responses to be kept, which they are not. */
const KEPT = ["previous_response_id", "conversation", "background"];

/** The chat request that asks the same as a request to the Responses API. */
export function toChat(body: Fields): Fields {
  for (const field of KEPT) {
    if (body[field]) throw notImplemented(`'${field}': the local workspace keeps no responses; send the whole conversation as 'input'.`);
  }
  const chat: Fields = {};
  for (const [from, to] of SAME) if (body[from] !== undefined && body[from] !== null) chat[to] = body[from];
  const instructions = optionalString(body, "instructions");
  chat["messages"] = [...(instructions === undefined ? [] : [{ role: "system", content: instructions }]), ...readInput(body["input"])];
  if (Array.isArray(body["tools"]) && body["tools"].length > 0) chat["tools"] = body["tools"].map(readTool);
  const choice = body["tool_choice"] ?? undefined;
  if (choice !== undefined) chat["tool_choice"] = isObject(choice) ? { type: "function", function: { name: choice["name"] } } : choice;
  const format = isObject(body["text"]) ? (body["text"]["format"] ?? undefined) : undefined;
  if (format !== undefined) chat["response_format"] = readFormat(format);
  if (isObject(body["reasoning"]) && body["reasoning"]["effort"]) chat["reasoning_effort"] = body["reasoning"]["effort"];
  return chat;
}

/** OpenAI puts name and schema into the format, the provider of the AI SDK into a `json_schema` inside of it. */
function readFormat(format: unknown): object {
  if (!isObject(format)) throw invalid("'text.format' must be an object.");
  if (format["type"] !== "json_schema" || isObject(format["json_schema"])) return format;
  const { type, ...schema } = format;
  return { type, json_schema: schema };
}

function readTool(tool: unknown, i: number): object {
  if (!isObject(tool)) throw invalid(`'tools[${i}]' must be an object.`);
  if (tool["type"] !== "function") throw notImplemented(`'tools[${i}].type' is ${JSON.stringify(tool["type"])}: the local workspace's models call functions only.`);
  const { name, description, parameters } = tool;
  return { type: "function", function: { name, ...(description ? { description } : {}), ...(parameters ? { parameters } : {}) } };
}

function readInput(input: unknown): Fields[] {
  if (typeof input === "string") return [{ role: "user", content: input }];
  if (!Array.isArray(input) || input.length === 0) throw invalid("'input' must be a string or a list of at least one item.");
  const messages: Fields[] = [];
  for (const [i, item] of input.entries()) {
    if (!isObject(item)) throw invalid(`'input[${i}]' must be an object.`);
    if (typeof item["id"] === "string" && item["id"].length > LONGEST_ID) throw invalid(`'input[${i}].id' must have at most ${LONGEST_ID} characters.`);
    readItem(item, i, messages);
  }
  return messages;
}

/** Adds the message that an item is. Calls that follow each other are one message of the assistant. */
function readItem(item: Fields, i: number, messages: Fields[]): void {
  const type = item["type"] ?? "message";
  if (type === "message") {
    messages.push({ role: item["role"], content: readContent(item["content"], i) });
  } else if (type === "function_call") {
    const call = { id: item["call_id"], type: "function", function: { name: item["name"], arguments: item["arguments"] } };
    const last = messages.at(-1);
    if (last && Array.isArray(last["tool_calls"])) last["tool_calls"].push(call);
    else messages.push({ role: "assistant", content: null, tool_calls: [call] });
  } else if (type === "function_call_output") {
    const output = item["output"];
    messages.push({ role: "tool", tool_call_id: item["call_id"], content: typeof output === "string" ? output : readContent(output, i) });
  } else if (type !== "reasoning") {
    throw invalid(`'input[${i}].type' must be message, function_call, function_call_output or reasoning, not ${JSON.stringify(type)}.`);
  }
}

function readContent(content: unknown, i: number): unknown {
  if (!Array.isArray(content)) return content;
  return content.map((part: unknown) => {
    if (isObject(part) && typeof part["text"] === "string") return { type: "text", text: part["text"] };
    throw invalid(`'input[${i}].content' may hold parts of text only.`);
  });
}
