import type { CacheStore } from '../cache.js';
import type { KeyValueBinding, WorkerContext } from './types.js';

/** Databricks' tokens live an hour; what is older is of no use. */
const HOUR_S = 3600;

/**
 * Keeps tokens in the isolate, and for other isolates in a namespace, encrypted: who reads it there, in a dashboard or a copy, can do nothing
 * with it without the client's secret. `known` is the isolate's memory, where the secret is as well. What cannot be decrypted, because it was damaged, moved, or of another secret, is not there.
 */
export function tokens(secret: string, known: Map<string, string>, namespace: KeyValueBinding | undefined, context: WorkerContext): CacheStore {
  return {
    async get(key) {
      const text = known.get(key) ?? (await read(secret, key, namespace));
      if (text !== undefined) known.set(key, text);
      return text;
    },
    put(key: string, text: string) {
      known.set(key, text);
      if (namespace) context.waitUntil(write(secret, key, text, namespace).catch(() => {}));
    },
  };
}

async function read(secret: string, key: string, namespace: KeyValueBinding | undefined): Promise<string | undefined> {
  const kept = await namespace?.get(`token/${key}`);
  if (!kept) return undefined;
  try {
    const bytes = Uint8Array.from(atob(kept), (letter) => letter.charCodeAt(0));
    const opened = await crypto.subtle.decrypt(cipher(bytes.subarray(0, IV_BYTES), key), await keyOf(secret), bytes.subarray(IV_BYTES));
    return new TextDecoder().decode(opened);
  } catch {
    return undefined;
  }
}

async function write(secret: string, key: string, text: string, namespace: KeyValueBinding): Promise<void> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const sealed = new Uint8Array(await crypto.subtle.encrypt(cipher(iv, key), await keyOf(secret), new TextEncoder().encode(text)));
  await namespace.put(`token/${key}`, btoa(String.fromCharCode(...iv, ...sealed)), { expirationTtl: HOUR_S });
}

const IV_BYTES = 12;

/** The name that a text is kept under belongs to it: under another one it cannot be opened. */
const cipher = (iv: Uint8Array<ArrayBuffer>, key: string) => ({ name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(key) });

async function keyOf(secret: string): Promise<CryptoKey> {
  const from = await crypto.subtle.importKey('raw', new TextEncoder().encode(secret), 'HKDF', false, ['deriveKey']);
  const how = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: new TextEncoder().encode('lakelet tokens') };
  return crypto.subtle.deriveKey(how, from, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}
