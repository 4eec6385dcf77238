import { invalid } from "../http/errors.js";
import {
  isObject,
  optionalBoolean,
  optionalInteger,
  optionalNumber,
  optionalString,
  optionalStrings,
} from "../http/fields.js";
import type { Wanted } from "../models/calling.js";
import type { Sampling } from "../models/chat-model.js";
import type { JsonReply } from "../models/json-grammar.js";
import { readTools } from "./tools.js";

const MAX_CHOICES = 5;
const MAX_TOP_LOGPROBS = 20;
/** Fields whose being ignored would change the meaning of a reply. */
const UNSUPPORTED = ["functions", "function_call", "reasoning_effort", "thinking", "echo"];

/** What chat and completion requests have in common, checked. */
export interface GenerationRequest {
  sampling: Sampling;
  wanted: Wanted;
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
    if (body[field] ?? false) {
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
      grammar: undefined,
      topLogprobs: readLogprobs(body),
    },
    wanted: { json: readFormat(body["response_format"] ?? undefined), calls: readTools(body) },
    choices: optionalInteger(body, "n", 1, MAX_CHOICES) ?? 1,
    stream: optionalBoolean(body, "stream") ?? false,
  };
}

function readStop(body: Record<string, unknown>): string[] {
  const stop = typeof body["stop"] === "string" ? [body["stop"]] : (optionalStrings(body, "stop") ?? []);
  return stop.filter((text) => text !== "");
}

/** `logprobs` is a flag beside `top_logprobs` in a chat, and in a completion the number itself. */
function readLogprobs(body: Record<string, unknown>): number | undefined {
  if (typeof body["logprobs"] === "number") return optionalInteger(body, "logprobs", 0, MAX_TOP_LOGPROBS);
  const top = optionalInteger(body, "top_logprobs", 0, MAX_TOP_LOGPROBS);
  if (optionalBoolean(body, "logprobs")) return top ?? 0;
  if (top) throw invalid("'top_logprobs' needs 'logprobs' to be true.");
  return undefined;
}

function readFormat(format: unknown): JsonReply | undefined {
  if (format === undefined) return undefined;
  if (!isObject(format)) throw invalid("'response_format' must be an object.");
  switch (format["type"]) {
    case "text":
      return undefined;
    case "json_object":
      return "object";
    case "json_schema": {
      const wrapped = format["json_schema"];
      if (!isObject(wrapped)) throw invalid("'response_format.json_schema' must be an object with a 'schema'.");
      return { schema: wrapped["schema"] };
    }
    default:
      throw invalid("'response_format.type' must be text, json_object or json_schema.");
  }
}

/** The prompt of a completion request. */
export function readPrompt(body: Record<string, unknown>): string {
  const prompt = optionalString(body, "prompt");
  if (prompt === undefined) throw invalid("'prompt' is required.");
  return prompt;
}
