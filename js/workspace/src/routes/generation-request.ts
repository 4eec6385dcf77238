import { invalid } from "../http/errors.js";
import {
  isObject,
  optionalBoolean,
  optionalInteger,
  optionalNumber,
  optionalString,
  optionalStrings,
} from "../http/fields.js";
import type { Sampling } from "../models/chat-model.js";
import type { Message } from "../models/chat-template.js";
import { jsonObjectGrammar, schemaGrammar } from "../models/json-grammar.js";

const ROLES = ["system", "user", "assistant", "tool"] as const;
const MAX_CHOICES = 5;
/** Fields whose being ignored would change the meaning of a reply. */
const UNSUPPORTED = ["tools", "tool_choice", "functions", "logprobs", "top_logprobs", "reasoning_effort", "thinking", "echo"];

/** What chat and completion requests have in common, checked. */
export interface GenerationRequest {
  sampling: Sampling;
  /** How many replies. */
  choices: number;
  stream: boolean;
}

/**
 * Reads the sampling fields of a chat or completion request.
 *
 * Without `temperature` the model takes the likeliest token always: a small model needs that more than variety.
 */
export function readGeneration(body: Record<string, unknown>): GenerationRequest {
  for (const field of UNSUPPORTED) {
    const value = body[field] ?? false;
    if (value !== false && !(Array.isArray(value) && value.length === 0) && value !== "none") {
      throw invalid(`'${field}' is not supported by the local workspace's models.`);
    }
  }
  return {
    sampling: {
      maxTokens: optionalInteger(body, "max_tokens", 1, 1e9) ?? optionalInteger(body, "max_completion_tokens", 1, 1e9),
      temperature: optionalNumber(body, "temperature", 0, 2) ?? 0,
      topP: optionalNumber(body, "top_p", 0, 1) ?? 1,
      topK: optionalInteger(body, "top_k", 0, 1e9) ?? 0,
      seed: optionalInteger(body, "seed", 0, 0xffffffff),
      stop: readStop(body),
      grammar: readGrammar(body["response_format"] ?? undefined),
    },
    choices: optionalInteger(body, "n", 1, MAX_CHOICES) ?? 1,
    stream: optionalBoolean(body, "stream") ?? false,
  };
}

function readStop(body: Record<string, unknown>): string[] {
  const stop = typeof body["stop"] === "string" ? [body["stop"]] : (optionalStrings(body, "stop") ?? []);
  return stop.filter((text) => text !== "");
}

function readGrammar(format: unknown): string | undefined {
  if (format === undefined) return undefined;
  if (!isObject(format)) throw invalid("'response_format' must be an object.");
  switch (format["type"]) {
    case "text":
      return undefined;
    case "json_object":
      return jsonObjectGrammar();
    case "json_schema": {
      const wrapped = format["json_schema"];
      if (!isObject(wrapped)) throw invalid("'response_format.json_schema' must be an object with a 'schema'.");
      return schemaGrammar(wrapped["schema"]);
    }
    default:
      throw invalid("'response_format.type' must be text, json_object or json_schema.");
  }
}

/** The messages of a chat request. Content may be text, a list of text parts, or null. */
export function readMessages(body: Record<string, unknown>): Message[] {
  const messages = body["messages"];
  if (!Array.isArray(messages) || messages.length === 0) throw invalid("'messages' must be a list of at least one message.");
  return messages.map((message, i) => {
    if (!isObject(message)) throw invalid(`'messages[${i}]' must be an object.`);
    const role = ROLES.find((known) => known === message["role"]);
    if (role === undefined) throw invalid(`'messages[${i}].role' must be one of ${ROLES.join(", ")}.`);
    if (Array.isArray(message["tool_calls"]) && message["tool_calls"].length > 0) {
      throw invalid(`'messages[${i}].tool_calls' is not supported by the local workspace's models.`);
    }
    return { role, content: readContent(message["content"] ?? "", i) };
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

/** The prompt of a completion request. */
export function readPrompt(body: Record<string, unknown>): string {
  const prompt = optionalString(body, "prompt");
  if (prompt === undefined) throw invalid("'prompt' is required.");
  return prompt;
}
