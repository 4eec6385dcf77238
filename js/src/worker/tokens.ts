import type { CacheStore } from '../cache.js';
import { sealed } from './sealed.js';
import type { KeyValueBinding, WorkerContext } from './types.js';

/** How long a sign-in may take before others do not rely on it any more, and how often they look. */
const PATIENCE_MS = 2000;
const LOOK_MS = 25;

/** What an isolate knows of tokens, by the name that they are kept under. */
export type KnownTokens = Map<string, { text: string } | { signingInSince: number }>;

/**
 * Keeps tokens in the isolate, and for other isolates in a namespace, encrypted: who reads it there, in a dashboard or a copy, can do nothing
 * with it without the client's secret.
 *
 * One request signs in for all that come meanwhile. They look whether it has, and do not wait for its connection, which ends when it does.
 *
 * @param known the isolate's memory, where the secret is as well
 */
export function tokens(secret: string, known: KnownTokens, namespace: KeyValueBinding | undefined, context: WorkerContext): CacheStore {
  const shared = namespace && sealed(namespace, secret);
  return {
    async get(key) {
      const held = await hold(key, known);
      if (held !== undefined) return held;
      const kept = await shared?.get(key);
      if (kept === undefined || !isFresh(kept)) return undefined; // and the core signs in
      known.set(key, { text: kept });
      return kept;
    },
    put(key: string, text: string) {
      known.set(key, { text });
      if (shared) context.waitUntil(shared.put(key, text).catch(() => {}));
    },
  };
}

/** The token that the isolate has, or will have in a moment. Who gets none is the one that signs in. */
async function hold(key: string, known: KnownTokens): Promise<string | undefined> {
  for (;;) {
    const found = known.get(key);
    if (found && 'text' in found && isFresh(found.text)) return found.text;
    if (!found || 'text' in found || Date.now() >= found.signingInSince + PATIENCE_MS) break;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  known.set(key, { signingInSince: Date.now() });
  return undefined;
}

/** Whether the token need not be renewed yet, as the core has written down. */
function isFresh(text: string): boolean {
  const { renew_at_ms: renewAt } = JSON.parse(text) as { renew_at_ms?: number };
  return Date.now() < Number(renewAt);
}
