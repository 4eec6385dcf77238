/** Who is signed in, by the token of a sign-in in front of the gateway or of an OpenID provider. */
import { LakeletError } from '../errors.js';
import { decode, readJson } from './base64url.js';
import type { GatewayUser } from './types.js';

/** What a token says about its user, and what it must say to be believed. */
export interface TokenOptions {
  /** Who made the token (`iss`), exactly. */
  readonly issuer: string;
  /** For whom it was made (`aud`): the id of this application at its issuer. */
  readonly audience: string;
  /** Address where the issuer publishes its keys, a JSON Web Key Set. */
  readonly keys: string;
  /** The header that holds it. Default `authorization`, as `Bearer`; Cloudflare Access sends `cf-access-jwt-assertion`. */
  readonly header?: string;
  /** The user of these claims, or undefined to refuse them. Default `{ id: sub }`. */
  readonly user?: (claims: Readonly<Record<string, unknown>>) => GatewayUser | undefined;
  /** What to call instead of the global `fetch`. */
  readonly fetch?: typeof fetch;
}

type Key = Readonly<Record<'kty' | 'kid' | 'use' | 'crv' | 'n' | 'e' | 'x' | 'y', unknown>>;

interface Algorithm {
  readonly fits: (key: Key) => boolean;
  /** What WebCrypto needs of the key. */
  readonly members: readonly (keyof Key)[];
  readonly algorithm: { readonly name: string; readonly hash: string; readonly namedCurve?: string };
}

/** The algorithms that are believed, each with the kind of key that it belongs to: a token cannot choose another one for a key. */
const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  RS256: {
    // 2048 bits at least.
    fits: ({ kty, n }) => kty === 'RSA' && (decode(String(n))?.length ?? 0) >= 256,
    members: ['kty', 'n', 'e'],
    algorithm: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  },
  ES256: {
    fits: ({ kty, crv }) => kty === 'EC' && crv === 'P-256',
    members: ['kty', 'crv', 'x', 'y'],
    algorithm: { name: 'ECDSA', hash: 'SHA-256', namedCurve: 'P-256' },
  },
};

/** Clocks differ by this much. */
const LEEWAY_S = 60;
const LONGEST = 16_384;
const KEYS_LIVE_MS = 3_600_000;
/** A key that is not known may be new; strangers must not make the gateway ask more often than this. */
const ASK_AGAIN_MS = 60_000;

/**
 * A `user` hook that believes JSON Web Tokens signed with RS256 or ES256.
 *
 * ```ts
 * const user = tokenUser({
 *   issuer: 'https://team.cloudflareaccess.com', audience: env.ACCESS_AUD, header: 'cf-access-jwt-assertion',
 *   keys: 'https://team.cloudflareaccess.com/cdn-cgi/access/certs',
 *   user: ({ email }) => ({ id: String(email), role: 'employee' }),
 * });
 * ```
 *
 * The hook gives undefined for a token that is missing or not to be believed, and throws when the keys cannot be had.
 */
export function tokenUser(options: TokenOptions): (request: Request) => Promise<GatewayUser | undefined> {
  const { issuer, audience, keys, header = 'authorization', user = bySubject, fetch: get = fetch } = options;
  const published = publishedKeys(keys, get);

  return async (request) => {
    const value = request.headers.get(header) ?? '';
    const token = header === 'authorization' ? /^Bearer ([\w.-]+)$/i.exec(value)?.[1] : value;
    if (!token || token.length > LONGEST) return undefined;
    const [head = '', body = '', signature = '', ...rest] = token.split('.');
    const [about, claims, given] = [readJson(head), readJson(body), decode(signature)];
    if (!about || !claims || !given || rest.length > 0 || about['crit'] !== undefined) return undefined;
    const known = typeof about['alg'] === 'string' && Object.hasOwn(ALGORITHMS, about['alg']) ? ALGORITHMS[about['alg']] : undefined;
    if (!known || !isMeant(claims, issuer, audience)) return undefined;
    const signed = new TextEncoder().encode(`${head}.${body}`);
    for (const key of await published(about['kid'])) {
      if (!known.fits(key)) continue;
      const jwk = Object.fromEntries(known.members.map((name) => [name, key[name]])) as JsonWebKey;
      const imported = await crypto.subtle.importKey('jwk', jwk, known.algorithm, false, ['verify']);
      if (await crypto.subtle.verify(known.algorithm, imported, given, signed)) return user(claims);
    }
    return undefined;
  };
}

function bySubject({ sub }: Readonly<Record<string, unknown>>): GatewayUser | undefined {
  return typeof sub === 'string' && sub !== '' ? { id: sub } : undefined;
}

/** Whether a token was made by this issuer for this audience, and holds now. */
function isMeant({ iss, aud, exp, nbf = 0 }: Readonly<Record<string, unknown>>, issuer: string, audience: string): boolean {
  const now = Date.now() / 1000;
  return iss === issuer && [aud].flat().includes(audience)
    && typeof exp === 'number' && now < exp + LEEWAY_S
    && typeof nbf === 'number' && now >= nbf - LEEWAY_S;
}

/** The issuer's keys of an id. They are asked for once an hour, or when one is not known. */
function publishedKeys(address: string, get: typeof fetch): (id: unknown) => Promise<readonly Key[]> {
  // What is kept are keys and not the promise of them: some hosts end the work of a request with it.
  let kept: readonly Key[] = [];
  let asked = 0;
  return async (id) => {
    const of = (keys: readonly Key[]) => keys.filter((key) => key.kid === id && (key.use === undefined || key.use === 'sig'));
    const age = Date.now() - asked;
    const found = of(kept);
    if (age < (found.length > 0 ? KEYS_LIVE_MS : ASK_AGAIN_MS)) return found;
    kept = await fetchKeys(address, get);
    asked = Date.now();
    return of(kept);
  };
}

async function fetchKeys(address: string, get: typeof fetch): Promise<readonly Key[]> {
  const failed = (why: string, cause?: unknown) => {
    const details = { code: 'network', hint: `Check the address ${address}.`, retryable: true } as const;
    return new LakeletError(`the keys of the sign-in cannot be read: ${why}`, details, { cause });
  };
  let keys: unknown;
  try {
    const answer = await get(address, { redirect: 'manual', signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) throw failed(`status ${answer.status}`);
    ({ keys } = (await answer.json()) as { keys?: unknown });
  } catch (error) {
    throw error instanceof LakeletError ? error : failed('no answer, or no JSON', error);
  }
  if (!Array.isArray(keys)) throw failed('there is no list of keys');
  return keys.filter((key): key is Key => typeof key === 'object' && key !== null);
}
