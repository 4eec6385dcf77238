import type { RateLimiter } from './types.js';

/** How many clients are remembered; the one that called longest ago is forgotten first. */
const REMEMBERED = 10_000;

/**
 * A token bucket for every client, in memory: `burst` calls at once, refilled by `perMinute`.
 *
 * A gateway that runs in several processes or isolates counts in each; give it a limiter with a shared store if that
 * matters.
 */
export function tokenBucket({ perMinute = 60, burst = 20 } = {}): RateLimiter {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return {
    take(client) {
      const now = Date.now();
      const bucket = buckets.get(client) ?? { tokens: burst, at: now };
      bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 60_000) * perMinute);
      bucket.at = now;
      buckets.delete(client);
      buckets.set(client, bucket);
      if (buckets.size > REMEMBERED) buckets.delete(buckets.keys().next().value as string);
      if (bucket.tokens >= 1) {
        bucket.tokens -= 1;
        return 0;
      }
      return Math.ceil(((1 - bucket.tokens) * 60) / perMinute);
    },
  };
}

/** The part of an address that its client cannot choose: of IPv6 the first half, behind which one client has all addresses. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !address.includes(':')) return mapped ?? address;
  const [before = [], after = []] = address.split('::').map((part) => part.split(':').filter(Boolean));
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  return [...before, ...zeros, ...after].slice(0, 4).join(':');
}
