import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { ApiError } from "./http/errors.js";

export interface CredentialOptions {
  token: string;
  clientId: string;
  clientSecret: string;
  /** How long an OAuth token is good for, in seconds. */
  tokenLifetime: number;
}

interface Claims {
  sub: string;
  scope: string;
  exp: number;
  jti: string;
}

/** The user behind the personal access token. */
export const TOKEN_OWNER = "local-user@example.com";

/**
 * Who may call: one personal access token, and one service principal that trades its id and secret for
 * tokens that end. OAuth tokens are signed with the client secret, so they outlive a restart but not a new secret.
 */
export class Credentials {
  readonly #options: CredentialOptions;

  constructor(options: CredentialOptions) {
    this.#options = options;
  }

  /** Checks HTTP Basic `client_id:client_secret`. */
  isClient(authorization: string | undefined): boolean {
    const [scheme, encoded = ""] = (authorization ?? "").split(" ");
    if (scheme?.toLowerCase() !== "basic") return false;
    const { clientId, clientSecret } = this.#options;
    return same(Buffer.from(encoded, "base64").toString("utf8"), `${clientId}:${clientSecret}`);
  }

  /** A new token, in the shape of an OAuth 2.0 token response. */
  issue(scope: string): { access_token: string; token_type: "Bearer"; expires_in: number; scope: string } {
    const { clientId, tokenLifetime } = this.#options;
    const claims: Claims = {
      sub: clientId,
      scope,
      exp: Date.now() / 1000 + tokenLifetime,
      jti: randomBytes(8).toString("hex"),
    };
    const payload = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
    return {
      access_token: `${payload}.${this.#sign(payload)}`,
      token_type: "Bearer",
      expires_in: tokenLifetime,
      scope,
    };
  }

  /** The user whom an `Authorization` header belongs to. Throws 401 without a usable credential, 403 on a wrong one. */
  authenticate(authorization: string | undefined): string {
    const [scheme, token = ""] = (authorization ?? "").split(" ");
    if (scheme?.toLowerCase() !== "bearer" || token === "") {
      throw new ApiError(401, "UNAUTHENTICATED", "Credential was not sent or was of an unsupported type for this API.");
    }
    if (same(token, this.#options.token)) return TOKEN_OWNER;
    const dot = token.lastIndexOf(".");
    if (dot < 0 || !same(token.slice(dot + 1), this.#sign(token.slice(0, dot)))) {
      throw new ApiError(403, "PERMISSION_DENIED", "Invalid access token.");
    }
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8")) as Claims;
    if (claims.exp * 1000 <= Date.now()) throw new ApiError(401, "UNAUTHENTICATED", "Access token expired.");
    return claims.sub;
  }

  #sign(payload: string): string {
    return createHmac("sha256", this.#options.clientSecret).update(payload).digest("base64url");
  }
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Equal, compared in a time that does not depend on where two strings differ. */
function same(a: string, b: string): boolean {
  const digest = (text: string) => createHmac("sha256", "compare").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
