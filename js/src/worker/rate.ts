import type { RateLimiter } from '../gateway/types.js';
import type { RateLimitBinding } from './types.js';

/** The longest period that a rate limit can have; the binding does not say which one it has. */
const PERIOD_S = 60;

/** Counts calls with the platform's rate limit: for all isolates of a data centre together. */
export function fromBinding(limit: RateLimitBinding): RateLimiter {
  return {
    async take(client) {
      const { success } = await limit.limit({ key: client });
      return success ? 0 : PERIOD_S;
    },
  };
}
