import { createHmac, timingSafeEqual } from "node:crypto";
import { ApiError } from "./http/errors.js";
import { checkDetails, readDetails, type AuthorizationDetail } from "./identity/authorization-details.js";
import type { Federation } from "./identity/federation.js";
import { invalidGrant, invalidRequest, OAuthError } from "./identity/oauth-error.js";
import { checkScopes, OFFLINE_ACCESS, readScopes } from "./identity/scopes.js";
import type { Grant, Tokens } from "./identity/tokens.js";

export interface CredentialOptions {
  token: string;
  clientId: string;
  clientSecret: string;
  /** The scopes that the service principal's secret was given; all unless told otherwise. */
  clientScopes: readonly string[] | undefined;
  tokens: Tokens;
  federation: Federation;
  /** The id of a serving endpoint by its name, which the limits of a token may name. */
  endpointId: (name: string) => string | undefined;
}

/** A request, as far as it decides who may make it. */
export interface Caller {
  authorization: string | undefined;
  path: string;
}

/** A token response (RFC 6749, section 5.1). */
export interface TokenReply {
  access_token: string;
  token_type: "Bearer";
  expires_in: number;
  scope: string;
  refresh_token?: string;
}

/** The user behind the personal access token, who is also who signs in with the browser. */
export const TOKEN_OWNER = "local-user@example.com";

/** Programs that may ask users to sign in without a secret of their own: Databricks' SDKs and CLI. */
const PUBLIC_CLIENT = "databricks-cli";

/**
 * Who may call: the user, by a personal access token or signed in with the browser; one service principal, by its secret;
 * and whom trusted issuers vouch for. Each may trade what it has for OAuth tokens that end.
 */
export class Credentials {
  readonly #options: CredentialOptions;

  /** Throws when the client was given a scope that does not exist. */
  constructor(options: CredentialOptions) {
    if (options.clientScopes) readScopes(options.clientScopes.join(" "));
    this.#options = options;
  }

  /** Whether an OAuth application may send users to the authorization endpoint. */
  isClient(id: string): boolean {
    return id === PUBLIC_CLIENT || id === this.#options.clientId;
  }

  /** Checks who asks for a token: HTTP Basic, or `client_id` and `client_secret` in the form. Throws 401. */
  client(authorization: string | undefined, form: URLSearchParams): string {
    const [scheme, encoded = ""] = (authorization ?? "").split(" ");
    const isBasic = scheme?.toLowerCase() === "basic";
    const shown = isBasic ? Buffer.from(encoded, "base64").toString("utf8") : `${form.get("client_id")}:${form.get("client_secret")}`;
    const { clientId, clientSecret } = this.#options;
    if (!same(shown, `${clientId}:${clientSecret}`)) throw new OAuthError(401, "invalid_client", "Client authentication failed");
    return clientId;
  }

  /** As {@link client}, for who need not have a secret. */
  publicClient(authorization: string | undefined, form: URLSearchParams): string {
    return form.get("client_id") === PUBLIC_CLIENT ? PUBLIC_CLIENT : this.client(authorization, form);
  }

  /** The service principal's own token. */
  forServicePrincipal(client: string, form: URLSearchParams): Promise<TokenReply> {
    const scopes = readScopes(form.get("scope"), this.#options.clientScopes);
    return this.#reply({ subject: client, scopes, details: readDetails(form.get("authorization_details")), client });
  }

  /** The token of the user who has consented, with one to refresh it when that was asked for. */
  forUser(client: string, scopes: string[]): Promise<TokenReply> {
    return this.#reply({ subject: TOKEN_OWNER, scopes, details: [], client });
  }

  /** A new access token for a refresh token. It may ask for fewer scopes than the first. */
  async forRefreshToken(client: string, form: URLSearchParams): Promise<TokenReply> {
    const grant = await this.#options.tokens.read("rt+jwt", form.get("refresh_token") ?? "");
    if (!grant || grant === "expired") throw invalidGrant(grant ? "The refresh_token has expired" : "The refresh_token is not one of this workspace");
    if (grant.client !== client) throw invalidGrant("The refresh_token belongs to another client_id");
    if (!form.has("scope")) return this.#reply(grant);
    return this.#reply({ ...grant, scopes: readScopes(form.get("scope"), grant.scopes) });
  }

  /** A token for that of a trusted issuer: the service principal's when the form names one, else the user's. */
  async forIssuerToken(form: URLSearchParams): Promise<TokenReply> {
    const client = form.get("client_id");
    const subject = await this.#options.federation.subject(required(form, "subject_token"), client);
    const scopes = readScopes(form.get("scope"));
    return this.#reply({ subject, scopes, details: readDetails(form.get("authorization_details")), client: client ?? "" });
  }

  /** A token that ends, for the personal access token that does not. */
  forPersonalToken(form: URLSearchParams): Promise<TokenReply> {
    if (!same(required(form, "subject_token"), this.#options.token)) throw invalidRequest("The subject_token is not a personal access token of this workspace");
    const scopes = readScopes(form.get("scope"));
    return this.#reply({ subject: TOKEN_OWNER, scopes, details: readDetails(form.get("authorization_details")), client: "" });
  }

  /** A token of the data plane: the holder's, but good for nothing than what its details name. */
  async forDataPlane(form: URLSearchParams): Promise<TokenReply> {
    const grant = await this.#options.tokens.read("at+jwt", required(form, "assertion"));
    if (!grant || grant === "expired") throw invalidGrant(grant ? "The assertion has expired" : "The assertion is not an access token of this workspace");
    if (grant.details.length > 0) throw invalidGrant("The assertion is limited by authorization_details itself");
    const details: AuthorizationDetail[] = readDetails(required(form, "authorization_details"));
    return this.#reply({ ...grant, details });
  }

  /** The user whom a request belongs to. Throws 401 without a usable credential, 403 for a wrong one or one that does not reach so far. */
  async authenticate({ authorization, path }: Caller): Promise<string> {
    const [scheme, token = ""] = (authorization ?? "").split(" ");
    if (scheme?.toLowerCase() !== "bearer" || token === "") {
      throw new ApiError(401, "UNAUTHENTICATED", "Credential was not sent or was of an unsupported type for this API.");
    }
    if (same(token, this.#options.token)) return TOKEN_OWNER;
    const grant = await this.#options.tokens.read("at+jwt", token);
    if (grant === undefined) throw new ApiError(403, "PERMISSION_DENIED", "Invalid access token.");
    if (grant === "expired") throw new ApiError(401, "UNAUTHENTICATED", "Access token expired.");
    checkScopes(grant.scopes, path);
    checkDetails(grant.details, path, this.#options.endpointId);
    return grant.subject;
  }

  async #reply(grant: Grant): Promise<TokenReply> {
    const { tokens } = this.#options;
    const scope = grant.scopes.join(" ");
    const reply: TokenReply = { access_token: await tokens.access(grant), token_type: "Bearer", expires_in: tokens.lifetime, scope };
    if (grant.scopes.includes(OFFLINE_ACCESS)) reply.refresh_token = await tokens.refresh(grant);
    return reply;
  }
}

function required(form: URLSearchParams, name: string): string {
  const value = form.get(name);
  if (!value) throw invalidRequest(`${name} is missing`);
  return value;
}

/** Equal, compared in a time that does not depend on where two strings differ. */
function same(a: string, b: string): boolean {
  const digest = (text: string) => createHmac("sha256", "compare").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
