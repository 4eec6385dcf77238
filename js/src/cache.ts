/** Stores that keep the answers of models. */
import type { Store } from '../wasm/lakelet.js';
import { calling, inCore } from './core.js';

/**
 * Where answers are kept: a `Map` and what is used like one, a key-value namespace of an edge runtime, or a `Cache` of the Cache API. What
 * fails there is passed over.
 */
export type CacheStore =
  | { get(key: string): Found; set(key: string, text: string): unknown }
  | { get(key: string): Found; put(key: string, text: string): unknown }
  | Cache;

type Found = string | null | undefined | Promise<string | null | undefined>;

const memories = inCore(() => new WeakMap<object, Store>());
const stores = inCore(() => new WeakMap<object, Store>());

/** The memory of what answers: two workspaces may have models of one name. @internal */
export function memory(owner: object): Store {
  return kept(memories(), owner, () => calling((core) => core.Store.memory()));
}

/** What the core makes of a store. @internal */
export function store(of: CacheStore): Store {
  return kept(stores(), of, () => {
    const { get, put } = access(of);
    return calling((core) => core.Store.of(async (key: string) => (await get(key)) ?? undefined, async (key: string, text: string) => void (await put(key, text))));
  });
}

function kept(among: WeakMap<object, Store>, key: object, make: () => Store): Store {
  let found = among.get(key);
  if (!found) among.set(key, (found = make()));
  return found;
}

/** How a store is read and written. @internal */
export function access(of: CacheStore): { get: (key: string) => Found; put: (key: string, text: string) => unknown } {
  if ('match' in of) {
    // A cache keeps answers to addresses.
    const address = (key: string) => `https://cache.lakelet/${key}`;
    return {
      get: async (key) => (await of.match(address(key)))?.text(),
      put: (key, text) => of.put(address(key), new Response(text)),
    };
  }
  const get = (key: string) => of.get(key);
  return { get, put: (key, text) => ('set' in of ? of.set(key, text) : of.put(key, text)) };
}
