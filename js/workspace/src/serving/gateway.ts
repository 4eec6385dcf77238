import { invalid, notImplemented } from "../http/errors.js";
import { isObject, optionalBoolean } from "../http/fields.js";
import { readRateLimits, type RateLimit } from "./rate-limits.js";

/** What of the AI Gateway an endpoint has. */
export interface GatewayConfig {
  rate_limits?: RateLimit[];
  fallback_config?: { enabled: boolean };
  usage_tracking_config?: { enabled: boolean };
  guardrails?: Record<string, unknown>;
  inference_table_config?: Record<string, unknown>;
}

/**
 * Reads the AI Gateway's settings: rate limits and fallbacks work, and usage is counted in the metrics. Guardrails and inference
 * tables are refused unless they are off, since a guardrail that does not guard is worse than none.
 */
export function readGateway(given: unknown): GatewayConfig {
  if (!isObject(given)) throw invalid("'ai_gateway' must be an object.");
  const config: GatewayConfig = {};
  if (given["rate_limits"]) config.rate_limits = readRateLimits(given);
  for (const name of ["fallback_config", "usage_tracking_config"] as const) {
    const part = given[name] ?? undefined;
    if (part === undefined) continue;
    if (!isObject(part)) throw invalid(`'${name}' must be an object.`);
    config[name] = { enabled: optionalBoolean(part, "enabled") ?? false };
  }
  const guardrails = given["guardrails"] ?? undefined;
  if (guardrails !== undefined) {
    if (!isObject(guardrails)) throw invalid("'guardrails' must be an object.");
    if (Object.values(guardrails).some(guards)) throw notImplemented("Guardrails of the AI Gateway are not part of the local workspace.");
    config.guardrails = guardrails;
  }
  const table = given["inference_table_config"] ?? undefined;
  if (table !== undefined) {
    if (!isObject(table)) throw invalid("'inference_table_config' must be an object.");
    if (table["enabled"] === true) throw notImplemented("Inference tables are not part of the local workspace.");
    config.inference_table_config = table;
  }
  return config;
}

/** Whether the guardrails of one side would do anything. */
function guards(side: unknown): boolean {
  if (!isObject(side)) return false;
  const { pii, safety, ...lists } = side;
  const masks = isObject(pii) && (pii["behavior"] ?? "NONE") !== "NONE";
  return masks || safety === true || Object.values(lists).some((list) => Array.isArray(list) && list.length > 0);
}
