import { randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { errors, jwtVerify, SignJWT } from "jose";
import type { AuthorizationDetail } from "./authorization-details.js";

/** What a token says. */
export interface Grant {
  /** The user or service principal that it speaks for. */
  subject: string;
  scopes: string[];
  /** What alone it may do; empty for no such limit. */
  details: AuthorizationDetail[];
  /** The client that it was given to. */
  client: string;
}

/** `at+jwt` is an access token (RFC 9068); `rt+jwt`, a refresh token, is good for nothing but new access tokens. */
type Kind = "at+jwt" | "rt+jwt";

/** Days that a refresh token is good for, from its last use on. */
const REFRESH_LIFETIME = 30 * 86_400;

/** Tokens as signed JSON: they hold all there is to know, so that no restart loses them. */
export class Tokens {
  readonly #key: Uint8Array;
  /** Seconds that an access token is good for. */
  readonly lifetime: number;

  constructor(key: Uint8Array, lifetime: number) {
    this.#key = key;
    this.lifetime = lifetime;
  }

  access(grant: Grant): Promise<string> {
    return this.#sign("at+jwt", grant, this.lifetime);
  }

  refresh(grant: Grant): Promise<string> {
    return this.#sign("rt+jwt", grant, REFRESH_LIFETIME);
  }

  /** What a token of ours says; `"expired"`, or nothing when it is none of ours. */
  async read(kind: Kind, token: string): Promise<Grant | "expired" | undefined> {
    try {
      const { payload } = await jwtVerify<Claims>(token, this.#key, { typ: kind, algorithms: ["HS256"] });
      const { sub = "", scope, authorization_details, client_id } = payload;
      return { subject: sub, scopes: scope.split(" "), details: authorization_details ?? [], client: client_id };
    } catch (error) {
      if (error instanceof errors.JWTExpired) return "expired";
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  #sign(kind: Kind, { subject, scopes, details, client }: Grant, lifetime: number): Promise<string> {
    const claims: Claims = { scope: scopes.join(" "), client_id: client, ...(details.length > 0 && { authorization_details: details }) };
    return new SignJWT({ ...claims })
      .setProtectedHeader({ alg: "HS256", typ: kind })
      .setSubject(subject)
      .setJti(randomBytes(8).toString("hex"))
      .setIssuedAt()
      .setExpirationTime(Math.ceil(Date.now() / 1000) + lifetime)
      .sign(this.#key);
  }
}

interface Claims {
  scope: string;
  client_id: string;
  authorization_details?: AuthorizationDetail[];
}

/** The key that signs the tokens of a workspace: kept in its folder, so that who signed in once stays signed in. */
export function signingKey(folder: string): Uint8Array {
  const path = join(folder, "signing-key");
  if (!existsSync(path)) createKey(folder, path);
  return readFileSync(path);
}

/** Written aside and linked into place, so that there is a whole key or none, and the same one for all who start at once. */
function createKey(folder: string, path: string): void {
  mkdirSync(folder, { recursive: true });
  const aside = `${path}.${randomBytes(8).toString("hex")}`;
  const file = openSync(aside, "wx", 0o600);
  writeSync(file, randomBytes(32));
  fsyncSync(file);
  closeSync(file);
  try {
    linkSync(aside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    unlinkSync(aside);
  }
}
