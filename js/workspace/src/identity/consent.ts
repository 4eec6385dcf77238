import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { invalidGrant, invalidRequest, OAuthError } from "./oauth-error.js";
import { readScopes } from "./scopes.js";

/** A client's wish to act for the user, as it came to the authorization endpoint (RFC 6749, section 4.1; RFC 7636). */
export interface Wish {
  client: string;
  redirect: URL;
  scopes: string[];
  state: string;
  /** The SHA-256 of the verifier that the client keeps to itself, in base64url. */
  challenge: string;
}

/** Milliseconds that the page waits for a click, and a code for its client. */
const TICKET_LIFETIME = 10 * 60_000;
const CODE_LIFETIME = 60_000;
/** Older wishes and codes give way. */
const MOST_KEPT = 100;
const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;

/** Wishes that wait for the user, and codes that wait for their client. A restart forgets both: who signs in starts again. */
export class Consent {
  readonly #tickets = new Kept<Wish>(TICKET_LIFETIME);
  readonly #codes = new Kept<Wish>(CODE_LIFETIME);

  /** A ticket for the page that asks the user; only who sees the page can answer it. */
  ask(wish: Wish): string {
    return this.#tickets.keep(wish);
  }

  /** The address to send the browser to, once the user has clicked. */
  answer(ticket: string, approved: boolean): URL {
    const wish = this.#tickets.take(ticket);
    if (!wish) throw invalidRequest("This page has been answered before or is too old. Start again from the program that opened it.");
    if (!approved) return refused(wish, new OAuthError(403, "access_denied", "The user did not consent"));
    return redirect(wish, { code: this.#codes.keep(wish) });
  }

  /** The wish behind a code, which is good once and for the client that holds the verifier. */
  redeem(form: URLSearchParams): Wish {
    const wish = this.#codes.take(form.get("code") ?? "");
    if (!wish) throw invalidGrant("The code is unknown, has been used, or is too old");
    if (wish.client !== form.get("client_id")) throw invalidGrant("The code belongs to another client_id");
    if (wish.redirect.href !== tryUrl(form.get("redirect_uri"))?.href) throw invalidGrant("redirect_uri is not the one of the authorization request");
    if (!verifies(form.get("code_verifier") ?? "", wish.challenge)) throw invalidGrant("code_verifier does not match code_challenge");
    return wish;
  }
}

/**
 * Reads the query of the authorization endpoint.
 *
 * @throws what the user must see, because there is no address of a known client to send the browser to; and the address,
 * with the error for the client in it, as {@link Redirect}.
 */
export function readWish(query: URLSearchParams, isClient: (id: string) => boolean): Wish {
  const client = query.get("client_id") ?? "";
  if (!isClient(client)) throw new OAuthError(400, "invalid_client", `No OAuth application has the client_id '${client}'`);
  const back = tryUrl(query.get("redirect_uri"));
  if (!back || back.protocol !== "http:" || !isLoopback(back.hostname) || back.hash !== "") {
    throw invalidRequest("redirect_uri must be an http address on this machine, http://localhost:8020 for instance");
  }
  const wish: Wish = { client, redirect: back, scopes: [], state: query.get("state") ?? "", challenge: query.get("code_challenge") ?? "" };
  try {
    if (query.get("response_type") !== "code") throw new OAuthError(400, "unsupported_response_type", "response_type must be code");
    if (query.get("code_challenge_method") !== "S256" || !CHALLENGE.test(wish.challenge)) {
      throw invalidRequest("code_challenge with code_challenge_method S256 is needed (PKCE)");
    }
    wish.scopes = readScopes(query.get("scope"));
  } catch (error) {
    throw error instanceof OAuthError ? new Redirect(refused(wish, error)) : error;
  }
  return wish;
}

/** Where the browser has to go instead of the page. */
export class Redirect {
  readonly to: URL;
  constructor(to: URL) {
    this.to = to;
  }
}

export const isLoopback = (hostname: string) => /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);

const refused = (wish: Wish, { code, message }: OAuthError) => redirect(wish, { error: code, error_description: message });

function redirect({ redirect, state }: Wish, answer: Record<string, string>): URL {
  const to = new URL(redirect);
  for (const [name, value] of Object.entries({ ...answer, ...(state !== "" && { state }) })) to.searchParams.set(name, value);
  return to;
}

function tryUrl(text: string | null): URL | undefined {
  return text !== null && URL.canParse(text) ? new URL(text) : undefined;
}

function verifies(verifier: string, challenge: string): boolean {
  return timingSafeEqual(createHash("sha256").update(verifier).digest(), Buffer.from(challenge, "base64url"));
}

/** Values under random names, each to be taken once and for a time. */
class Kept<T> {
  readonly #lifetime: number;
  readonly #values = new Map<string, { value: T; until: number }>();

  constructor(lifetime: number) {
    this.#lifetime = lifetime;
  }

  keep(value: T): string {
    const name = randomBytes(32).toString("base64url");
    this.#values.set(name, { value, until: Date.now() + this.#lifetime });
    for (const oldest of this.#values.keys()) {
      if (this.#values.size <= MOST_KEPT) break;
      this.#values.delete(oldest);
    }
    return name;
  }

  take(name: string): T | undefined {
    const kept = this.#values.get(name);
    this.#values.delete(name);
    return kept && Date.now() < kept.until ? kept.value : undefined;
  }
}
