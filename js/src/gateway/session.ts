/** Who is signed in, in a cookie that only the gateway can have written. */
import { LakeletError } from '../errors.js';
import { decode, encode, readJson } from './base64url.js';
import type { GatewayUser } from './types.js';

/** How sessions are kept. */
export interface SessionOptions {
  /**
   * Keys that sign, each at least 32 random characters. The first signs and all verify: put a new one in front, and take the old one away
   * when its sessions are over.
   */
  readonly secrets: readonly string[];
  /** Milliseconds that a session lasts without being renewed. Default 30 minutes. */
  readonly idleMs?: number;
  /** Milliseconds that a session lasts at most. Default 8 hours. */
  readonly lifetimeMs?: number;
  /** Where closed sessions are remembered. Default the memory of this process: give a shared store where there are several. */
  readonly closed?: ClosedSessions;
  /** The cookie's name behind its prefix `__Host-`. Default `lakelet`. */
  readonly name?: string;
}

/** Remembers sessions that were closed before their time. What it throws refuses the call. */
export interface ClosedSessions {
  /** Remembers a session until it would have ended anyway, in milliseconds since 1970. */
  add(id: string, until: number): void | Promise<void>;
  has(id: string): boolean | Promise<boolean>;
}

/** Opens, recognises, renews and closes sessions. Methods that give a string give the value of a `set-cookie` header. */
export interface Sessions {
  /** Begins a session for a user who has just proved who they are. Members of the user can be read by who holds the cookie. */
  open(user: GatewayUser): Promise<string>;
  /** Who calls: the `user` hook of the gateway. Undefined for a session that is missing, changed, over or closed. */
  user(request: Request): Promise<GatewayUser | undefined>;
  /** Puts the end of a session off, once half of its idle time is over; undefined when there is nothing to do. */
  renew(request: Request): Promise<string | undefined>;
  /** Signs out: the session is refused from now on, also to who kept a copy of its cookie. */
  close(request: Request): Promise<string>;
}

interface Session {
  readonly id: string;
  readonly user: GatewayUser;
  readonly opened: number;
  readonly renewed: number;
}

/** What browsers keep of one cookie, its name and attributes not counted. */
const LONGEST = 3800;
const SHORTEST_SECRET = 32;

/**
 * Sessions in signed cookies (HMAC-SHA-256): `__Host-`, `HttpOnly`, `Secure`, `SameSite=Strict`.
 *
 * ```ts
 * const kept = sessions({ secrets: [env.SESSION_SECRET] });
 * const gateway = createGateway({ programs, user: kept.user });
 * // After the sign-in: new Response(null, { status: 204, headers: { 'set-cookie': await kept.open({ id: 'ada', role: 'hr' }) } })
 * ```
 *
 * @throws {@link LakeletError} `config` when there is no secret, or one that could be guessed
 */
export function sessions(options: SessionOptions): Sessions {
  const { secrets, idleMs = 30 * 60_000, lifetimeMs = 8 * 3_600_000, closed = inMemory(), name = 'lakelet' } = options;
  if (secrets.length === 0 || secrets.some((secret) => secret.length < SHORTEST_SECRET)) {
    throw mistake(`a session secret has fewer than ${SHORTEST_SECRET} characters, or there is none`, 'Make one: openssl rand -base64 32');
  }
  const cookie = `__Host-${name}`;
  let imported: CryptoKey[] | undefined;
  const keys = async () => (imported ??= await Promise.all(secrets.map(importKey)));
  const signed = (payload: string) => new TextEncoder().encode(`${cookie}=${payload}`);

  async function write(session: Session): Promise<string> {
    const payload = encode(new TextEncoder().encode(JSON.stringify(session)));
    const [key] = await keys();
    const signature = encode(new Uint8Array(await crypto.subtle.sign('HMAC', key as CryptoKey, signed(payload))));
    const value = `${payload}.${signature}`;
    if (value.length > LONGEST) throw mistake('the user is too large for a cookie', 'Keep the id in the session, and look the rest up.');
    return setCookie(value, Math.min(idleMs, session.opened + lifetimeMs - session.renewed));
  }

  async function read(request: Request): Promise<Session | undefined> {
    const [value, ...others] = cookies(request, cookie);
    // Of two cookies of one name, nobody can say which the browser's user was given.
    if (value === undefined || others.length > 0 || value.length > LONGEST) return undefined;
    const [payload = '', signature = '', ...rest] = value.split('.');
    const given = decode(signature);
    if (!given || rest.length > 0 || !(await isSigned(payload, given))) return undefined;
    const session = readJson(payload) as Session | undefined;
    if (!session) return undefined;
    const now = Date.now();
    if (now >= session.renewed + idleMs || now >= session.opened + lifetimeMs) return undefined;
    return (await closed.has(session.id)) ? undefined : session;
  }

  async function isSigned(payload: string, signature: Uint8Array<ArrayBuffer>): Promise<boolean> {
    for (const key of await keys()) {
      // Takes the same time wherever the signatures differ.
      if (await crypto.subtle.verify('HMAC', key, signature, signed(payload))) return true;
    }
    return false;
  }

  function setCookie(value: string, ms: number): string {
    return `${cookie}=${value}; Path=/; Max-Age=${Math.floor(ms / 1000)}; Secure; HttpOnly; SameSite=Strict`;
  }

  return {
    open(user) {
      const now = Date.now();
      return write({ id: crypto.randomUUID(), user, opened: now, renewed: now });
    },
    async user(request) {
      return (await read(request))?.user;
    },
    async renew(request) {
      const session = await read(request);
      return session && Date.now() >= session.renewed + idleMs / 2 ? write({ ...session, renewed: Date.now() }) : undefined;
    },
    async close(request) {
      const session = await read(request);
      if (session) await closed.add(session.id, session.opened + lifetimeMs);
      return setCookie('', 0);
    },
  };
}

const mistake = (message: string, hint: string) => new LakeletError(message, { code: 'config', hint });

function importKey(secret: string): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', new TextEncoder().encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
}

function cookies(request: Request, name: string): string[] {
  const pairs = (request.headers.get('cookie') ?? '').split(';').map((pair) => pair.trim());
  return pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1));
}

function inMemory(): ClosedSessions {
  const ends = new Map<string, number>();
  return {
    add(id, until) {
      for (const [other, end] of ends) if (end <= Date.now()) ends.delete(other);
      ends.set(id, until);
    },
    has: (id) => ends.has(id),
  };
}
