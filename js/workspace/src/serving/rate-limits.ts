import { ApiError, invalid } from "../http/errors.js";
import { isObject, optionalInteger, optionalString, requiredString } from "../http/fields.js";

const MINUTE = 60_000;
const KEYS = ["endpoint", "user", "user_group", "service_principal"] as const;
/** The group that everybody is in. */
const EVERYBODY = "users";

/** How many calls or tokens a minute an endpoint takes: of all together, of each user, of one user or of a group. */
export interface RateLimit {
  key: (typeof KEYS)[number];
  /** The user, group or service principal that it is for; every user has a limit of their own where it is not there. */
  principal?: string;
  calls?: number;
  tokens?: number;
  renewal_period: "minute";
}

/** Reads `rate_limits`, those of the AI Gateway and those that were there before it. */
export function readRateLimits(body: Record<string, unknown>): RateLimit[] {
  const given = body["rate_limits"] ?? [];
  if (!Array.isArray(given)) throw invalid("'rate_limits' must be a list.");
  return given.map((limit: unknown, i) => {
    const at = `rate_limits[${i}]`;
    if (!isObject(limit)) throw invalid(`'${at}' must be an object.`);
    if (requiredString(limit, "renewal_period") !== "minute") throw invalid(`'${at}.renewal_period' must be minute.`);
    const key = KEYS.find((known) => known === (limit["key"] ?? "endpoint"));
    if (key === undefined) throw invalid(`'${at}.key' must be one of ${KEYS.join(", ")}.`);
    const [calls, tokens] = [optionalInteger(limit, "calls", 0, 1e9), optionalInteger(limit, "tokens", 0, 1e12)];
    if (calls === undefined && tokens === undefined) throw invalid(`'${at}' needs 'calls' or 'tokens'.`);
    const principal = optionalString(limit, "principal");
    if (principal === undefined && (key === "user_group" || key === "service_principal")) throw invalid(`'${at}.principal' is required with the key ${key}.`);
    return {
      ...(calls !== undefined && { calls }),
      ...(tokens !== undefined && { tokens }),
      key,
      ...(principal !== undefined && { principal }),
      renewal_period: "minute",
    };
  });
}

interface Window {
  /** Milliseconds since 1970 at which it begins anew. */
  end: number;
  calls: number;
  tokens: number;
}

/** What was used of the limits of one endpoint in the minute that is under way. A restart begins new minutes. */
export class RateLimiter {
  readonly #windows = new Map<string, Window>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /**
   * Counts a call of a user. Returns what to tell the tokens to that it used.
   *
   * @throws 429 with the seconds until the minute is over, and the call does not count.
   */
  admit(endpoint: string, limits: RateLimit[], user: string): (tokens: number) => void {
    const windows = applying(limits, user).map((limit) => ({ limit, window: this.#window(limit, user) }));
    for (const { limit, window } of windows) {
      const what = limit.calls !== undefined && window.calls >= limit.calls ? "calls" : limit.tokens !== undefined && window.tokens >= limit.tokens ? "tokens" : undefined;
      if (what === undefined) continue;
      const message = `REQUEST_LIMIT_EXCEEDED: Exceeded the ${limit.key} rate limit of ${limit[what]} ${what} per minute for ${endpoint}.`;
      throw new ApiError(429, "REQUEST_LIMIT_EXCEEDED", message, { retryAfter: Math.max(1, Math.ceil((window.end - this.#now()) / 1000)) });
    }
    for (const { window } of windows) window.calls++;
    return (tokens) => windows.forEach(({ window }) => (window.tokens += tokens));
  }

  #window(limit: RateLimit, user: string): Window {
    const key = JSON.stringify([limit.key, limit.key === "endpoint" ? "" : (limit.principal ?? user)]);
    const known = this.#windows.get(key);
    if (known && known.end > this.#now()) return known;
    const fresh = { end: this.#now() + MINUTE, calls: 0, tokens: 0 };
    this.#windows.set(key, fresh);
    return fresh;
  }
}

/** The limits of all, and of the others the most special: for the user itself, else for its group, else for every user. */
function applying(limits: RateLimit[], user: string): RateLimit[] {
  const own = limits.filter(({ key, principal }) => (key === "user" || key === "service_principal") && principal === user);
  const group = limits.filter(({ key, principal }) => key === "user_group" && principal === EVERYBODY);
  const every = limits.filter(({ key, principal }) => key === "user" && principal === undefined);
  const special = [own, group, every].find((some) => some.length > 0) ?? [];
  return [...limits.filter(({ key }) => key === "endpoint"), ...special];
}
