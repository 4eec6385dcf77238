import { invalid } from "../http/errors.js";
import { isObject, optionalBoolean, optionalString } from "../http/fields.js";
import type { Wanted } from "../models/calling.js";
import type { Tool } from "../models/tool-calls.js";

/** Databricks' limit. */
const MAX_TOOLS = 32;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** The functions that a chat request lets the model call; undefined when it lets it call none. */
export function readTools(body: Record<string, unknown>): Wanted["calls"] {
  const given = body["tools"] ?? [];
  if (!Array.isArray(given) || given.length > MAX_TOOLS) throw invalid(`'tools' must be a list of at most ${MAX_TOOLS} tools.`);
  const tools = given.map(readTool);
  const choice = readChoice(body["tool_choice"] ?? undefined, tools);
  if (choice === "none" || tools.length === 0) {
    if (choice === "required") throw invalid("'tool_choice' requires a call, but there are no 'tools'.");
    return undefined;
  }
  const parallel = optionalBoolean(body, "parallel_tool_calls") ?? false;
  if (typeof choice === "object") return { tools: [choice], required: true, parallel };
  return { tools, required: choice === "required", parallel };
}

function readTool(tool: unknown, i: number): Tool {
  const at = `tools[${i}]`;
  if (!isObject(tool) || tool["type"] !== "function" || !isObject(tool["function"])) {
    throw invalid(`'${at}' must be {"type": "function", "function": {"name", "description", "parameters"}}.`);
  }
  const { name, parameters } = tool["function"];
  if (typeof name !== "string" || !NAME.test(name)) throw invalid(`'${at}.function.name' must have 1 to 64 letters, digits, _ and -.`);
  const description = optionalString(tool["function"], "description");
  const schema = parameters ?? { type: "object", properties: {}, additionalProperties: false };
  if (!isObject(schema)) throw invalid(`'${at}.function.parameters' must be a JSON Schema object.`);
  return { type: "function", function: { name, ...(description !== undefined && { description }), parameters: schema } };
}

function readChoice(choice: unknown, tools: Tool[]): "auto" | "none" | "required" | Tool {
  if (choice === undefined || choice === "auto" || choice === "none" || choice === "required") return choice ?? "auto";
  const wanted = isObject(choice) && isObject(choice["function"]) ? choice["function"]["name"] : undefined;
  if (wanted === undefined) throw invalid(`'tool_choice' must be auto, none, required or {"type": "function", "function": {"name"}}.`);
  const tool = tools.find((tool) => tool.function.name === wanted);
  if (!tool) throw invalid(`'tool_choice' names the function '${String(wanted)}', which is not among 'tools'.`);
  return tool;
}
