import { createLocalJWKSet, createRemoteJWKSet, decodeJwt, errors, jwtVerify, type JSONWebKeySet, type JWTPayload, type JWTVerifyGetKey } from "jose";
import { isObject } from "../http/fields.js";
import { invalidRequest } from "./oauth-error.js";

/**
 * Whose tokens are taken for Databricks' own: a federation policy in the shape of Databricks' account API.
 * With `client_id` it lets tokens speak for that service principal, without for the user whom they name.
 */
export interface FederationPolicy {
  client_id?: string;
  oidc_policy: {
    issuer: string;
    /** One of these must be in `aud`; the account id unless given. */
    audiences?: string[];
    /** What the subject must be; needed for a service principal. */
    subject?: string;
    /** The claim that holds the subject; `sub` unless given. */
    subject_claim?: string;
    /** The issuer's public keys, as JSON text (RFC 7517) ... */
    jwks_json?: string;
    /** ... or where they are. */
    jwks_uri?: string;
  };
}

/** Signatures with a public key; a shared secret is none. */
const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

/** Trades tokens of trusted issuers for the name of who they speak for. */
export class Federation {
  readonly #policies: Array<{ policy: FederationPolicy; keys: JWTVerifyGetKey }>;
  readonly #account: string;

  /** Throws at the policy and field that cannot be right. */
  constructor(policies: readonly FederationPolicy[], account: string) {
    this.#account = account;
    this.#policies = policies.map((policy, index) => ({ policy: check(policy, index), keys: keysOf(policy, index) }));
  }

  /**
   * The service principal or user that an issuer's token speaks for.
   *
   * @param client the service principal that is asked for, or nothing for account-wide federation.
   * @throws 400 `invalid_request`, as RFC 8693 has it, when no policy takes the token.
   */
  async subject(token: string, client: string | null): Promise<string> {
    const issuer = unverified(token).iss;
    const whom = client === null ? "account-wide" : `for client_id '${client}'`;
    const mine = this.#policies.filter(({ policy }) => policy.oidc_policy.issuer === issuer && (policy.client_id ?? null) === client);
    let refusal = `no federation policy ${whom} trusts the issuer '${issuer ?? ""}'`;
    for (const { policy, keys } of mine) {
      try {
        return await this.#verify(token, policy, keys);
      } catch (error) {
        refusal = (error as Error).message;
      }
    }
    throw invalidRequest(`The subject_token was refused: ${refusal}`);
  }

  async #verify(token: string, { client_id, oidc_policy }: FederationPolicy, keys: JWTVerifyGetKey): Promise<string> {
    const { issuer, audiences = [], subject, subject_claim = "sub" } = oidc_policy;
    const audience = audiences.length > 0 ? audiences : [this.#account];
    const { payload } = await jwtVerify(token, keys, { issuer, audience, algorithms: ALGORITHMS, requiredClaims: ["exp", subject_claim], clockTolerance: 30 });
    const named = payload[subject_claim];
    if (typeof named !== "string" || named === "") throw new Error(`its claim "${subject_claim}" is no text`);
    if (subject !== undefined && named !== subject) throw new Error(`its "${subject_claim}" is not the subject of the policy`);
    return client_id ?? named;
  }
}

function unverified(token: string): JWTPayload {
  try {
    return decodeJwt(token);
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) throw invalidRequest("The subject_token is not a JWT");
    throw error;
  }
}

function check(policy: FederationPolicy, index: number): FederationPolicy {
  const oidc: unknown = isObject(policy) ? policy.oidc_policy : undefined;
  if (!isObject(oidc)) throw wrong(index, "oidc_policy", "is missing");
  if (typeof oidc["issuer"] !== "string" || oidc["issuer"] === "") throw wrong(index, "oidc_policy.issuer", "is missing");
  if (policy.client_id !== undefined && oidc["subject"] === undefined) {
    throw wrong(index, "oidc_policy.subject", "is missing; it says whose tokens speak for the service principal");
  }
  return policy;
}

function keysOf({ oidc_policy: { jwks_json, jwks_uri } }: FederationPolicy, index: number): JWTVerifyGetKey {
  if ((jwks_json === undefined) === (jwks_uri === undefined)) {
    throw wrong(index, "oidc_policy.jwks_json", "or jwks_uri is needed, one of them");
  }
  try {
    if (jwks_json !== undefined) return createLocalJWKSet(JSON.parse(jwks_json) as JSONWebKeySet);
    return createRemoteJWKSet(new URL(jwks_uri as string));
  } catch (error) {
    throw wrong(index, jwks_json === undefined ? "oidc_policy.jwks_uri" : "oidc_policy.jwks_json", `cannot be read: ${(error as Error).message}`);
  }
}

const wrong = (index: number, field: string, problem: string) => new Error(`Federation policy ${index + 1}: ${field} ${problem}.`);
