import type { KeyValueBinding } from './types.js';

/** Databricks' tokens live an hour; what is older is of no use. */
const HOUR_S = 3600;
const IV_BYTES = 12;

/** A namespace whose texts nobody can read without the secret. */
export interface Sealed {
  /** What was put; undefined for what is not there or cannot be decrypted, because it was damaged, moved, or of another secret. */
  get(key: string): Promise<string | undefined>;
  put(key: string, text: string): Promise<void>;
}

/** Encrypts with AES-GCM and a key of the secret's. */
export function sealed(namespace: KeyValueBinding, secret: string): Sealed {
  const name = (key: string) => `token/${key}`;
  return {
    async get(key) {
      const kept = await namespace.get(name(key));
      if (!kept) return undefined;
      try {
        const bytes = Uint8Array.from(atob(kept), (letter) => letter.charCodeAt(0));
        const opened = await crypto.subtle.decrypt(cipher(bytes.subarray(0, IV_BYTES), key), await keyOf(secret), bytes.subarray(IV_BYTES));
        return new TextDecoder().decode(opened);
      } catch {
        return undefined;
      }
    },
    async put(key, text) {
      const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
      const closed = new Uint8Array(await crypto.subtle.encrypt(cipher(iv, key), await keyOf(secret), new TextEncoder().encode(text)));
      await namespace.put(name(key), btoa(String.fromCharCode(...iv, ...closed)), { expirationTtl: HOUR_S });
    },
  };
}

/** The name that a text is kept under belongs to it: under another one it cannot be opened. */
const cipher = (iv: Uint8Array<ArrayBuffer>, key: string) => ({ name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(key) });

async function keyOf(secret: string): Promise<CryptoKey> {
  const from = await crypto.subtle.importKey('raw', new TextEncoder().encode(secret), 'HKDF', false, ['deriveKey']);
  const how = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: new TextEncoder().encode('lakelet tokens') };
  return crypto.subtle.deriveKey(how, from, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}
