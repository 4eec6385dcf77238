import type { CacheStore } from '../cache.js';
import type { AnswerStore, WorkerContext } from './types.js';

const DAY_S = 86_400;

/**
 * Keeps answers of models for a day. What is to be kept is written after the answer has gone out, so nobody waits for it; what fails
 * there is asked for again.
 */
export function answers(store: AnswerStore, context: WorkerContext): CacheStore {
  const { get, put } = 'match' in store ? inCache(store) : inNamespace(store);
  return { get, put: (key: string, text: string) => context.waitUntil(put(key, text).catch(() => {})) };
}

interface Kept {
  get(key: string): Promise<string | null | undefined>;
  put(key: string, text: string): Promise<void>;
}

function inNamespace(namespace: Exclude<AnswerStore, Cache>): Kept {
  return {
    get: (key) => namespace.get(`answer/${key}`),
    put: (key, text) => namespace.put(`answer/${key}`, text, { expirationTtl: DAY_S }),
  };
}

function inCache(cache: Cache): Kept {
  // A cache keeps answers to addresses, as long as they say.
  const address = (key: string) => `https://cache.lakelet/${key}`;
  return {
    get: async (key) => (await cache.match(address(key)))?.text(),
    put: (key, text) => cache.put(address(key), new Response(text, { headers: { 'cache-control': `max-age=${DAY_S}` } })),
  };
}
