import { createHash } from "node:crypto";
import { TOKEN_OWNER, type Credentials, type TokenReply } from "../credentials.js";
import { notImplemented } from "../http/errors.js";
import type { Call, Handler, Reply, Route } from "../http/router.js";
import { consentPage } from "../identity/consent-page.js";
import { Consent, isLoopback, readWish, Redirect } from "../identity/consent.js";
import { invalidRequest, OAuthError } from "../identity/oauth-error.js";
import { SCOPES } from "../identity/scopes.js";

/** Workspace id of every local workspace, and id of its account. */
const WORKSPACE_ID = "1000000000000001";
export const ACCOUNT_ID = "00000000-0000-0000-0000-000000000001";

const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const JWT = "urn:ietf:params:oauth:token-type:jwt";
const PERSONAL_ACCESS_TOKEN = "urn:databricks:params:oauth:token-type:personal-access-token";

/** Host discovery, OAuth in all its grants, the page that asks the user for consent, and the current user. */
export class IdentityRoutes {
  readonly #credentials: Credentials;
  readonly #consent = new Consent();
  /** What to do for each `grant_type`. */
  readonly #grants: Record<string, (call: Call) => Promise<TokenReply>>;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
    this.#grants = {
      client_credentials: async ({ headers, form }) => credentials.forServicePrincipal(credentials.client(headers.authorization, form), form),
      authorization_code: ({ headers, form }) => this.#redeem(headers.authorization, form),
      refresh_token: async ({ headers, form }) => credentials.forRefreshToken(credentials.publicClient(headers.authorization, form), form),
      [TOKEN_EXCHANGE]: ({ form }) => this.#exchange(form),
      [JWT_BEARER]: ({ form }) => credentials.forDataPlane(form),
    };
  }

  routes(): Route[] {
    const open = (method: string, path: string, handler: Handler): Route => ({ method, path, handler, public: true });
    return [
      open("GET", "/.well-known/databricks-config", discovery),
      open("GET", "/oidc/.well-known/oauth-authorization-server", (call) => this.#authorizationServer(call)),
      open("GET", "/oidc/v1/authorize", (call) => this.#ask(call)),
      open("POST", "/oidc/v1/authorize", (call) => this.#answer(call)),
      open("POST", "/oidc/v1/token", (call) => this.#token(call)),
      { method: "GET", path: "/api/2.0/preview/scim/v2/Me", handler: currentUser },
    ];
  }

  #authorizationServer({ origin }: Call): Reply {
    return {
      json: {
        issuer: `${origin}/oidc`,
        authorization_endpoint: `${origin}/oidc/v1/authorize`,
        token_endpoint: `${origin}/oidc/v1/token`,
        grant_types_supported: Object.keys(this.#grants),
        response_types_supported: ["code"],
        scopes_supported: SCOPES,
        code_challenge_methods_supported: ["S256"],
        token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "none"],
      },
    };
  }

  async #token(call: Call): Promise<Reply> {
    const grant = call.form.get("grant_type") ?? "";
    const answer = Object.hasOwn(this.#grants, grant) ? this.#grants[grant] : undefined;
    if (!answer) throw new OAuthError(400, "unsupported_grant_type", `The local workspace does not know the grant_type '${grant}'`);
    if (call.form.has("assume_group")) throw notImplemented("Tokens for a group (assume_group) are not part of the local workspace.");
    return { headers: { "cache-control": "no-store" }, json: await answer(call) };
  }

  async #redeem(authorization: string | undefined, form: URLSearchParams): Promise<TokenReply> {
    const client = this.#credentials.publicClient(authorization, form);
    return this.#credentials.forUser(client, this.#consent.redeem(form).scopes);
  }

  async #exchange(form: URLSearchParams): Promise<TokenReply> {
    const type = form.get("subject_token_type");
    if (type === JWT) return this.#credentials.forIssuerToken(form);
    if (type === PERSONAL_ACCESS_TOKEN) return this.#credentials.forPersonalToken(form);
    throw invalidRequest(`subject_token_type must be ${JWT} or ${PERSONAL_ACCESS_TOKEN}, not '${type ?? ""}'`);
  }

  /** Shows the page that asks, unless the wish is one that no user need see. */
  #ask({ origin, query }: Call): Reply {
    // A page of another name that resolves to this machine could read the ticket.
    if (!isLoopback(new URL(origin).hostname)) throw invalidRequest("Open this page as http://localhost or http://127.0.0.1");
    try {
      const wish = readWish(query, (id) => this.#credentials.isClient(id));
      const headers = {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      };
      return { headers, bytes: Buffer.from(consentPage(TOKEN_OWNER, wish, this.#consent.ask(wish))) };
    } catch (error) {
      if (error instanceof Redirect) return seeOther(error.to);
      throw error;
    }
  }

  #answer({ form }: Call): Reply {
    return seeOther(this.#consent.answer(form.get("ticket") ?? "", form.get("decision") === "approve"));
  }
}

const seeOther = (to: URL): Reply => ({ status: 303, headers: { location: to.href, "cache-control": "no-store" }, bytes: undefined });

function discovery({ origin }: Call): Reply {
  return {
    json: {
      oidc_endpoint: `${origin}/oidc`,
      account_id: ACCOUNT_ID,
      workspace_id: WORKSPACE_ID,
      cloud: "AWS",
      token_federation_default_oidc_audiences: [ACCOUNT_ID],
    },
  };
}

/** Users have e-mail addresses as their names, service principals their client id. */
function currentUser({ user }: Call): Reply {
  return {
    headers: { "x-databricks-org-id": WORKSPACE_ID },
    json: {
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
      id: createHash("sha256").update(user).digest().readUIntBE(0, 6).toString(),
      userName: user,
      displayName: user,
      active: true,
      ...(user.includes("@") && { emails: [{ value: user, type: "work", primary: true }] }),
      groups: [{ display: "users", value: "1" }],
    },
  };
}
