import type { Credentials } from "../credentials.js";
import { ApiError } from "../http/errors.js";
import type { Call, Reply, Route } from "../http/router.js";

/** Workspace id of every local workspace. */
const WORKSPACE_ID = "1000000000000001";

/** Host discovery, OAuth machine-to-machine tokens, and the current user. */
export function identityRoutes(credentials: Credentials): Route[] {
  return [
    { method: "GET", path: "/.well-known/databricks-config", public: true, handler: discovery },
    { method: "GET", path: "/oidc/.well-known/oauth-authorization-server", public: true, handler: authorizationServer },
    { method: "POST", path: "/oidc/v1/token", public: true, handler: (call) => issueToken(call, credentials) },
    { method: "GET", path: "/api/2.0/preview/scim/v2/Me", handler: currentUser },
  ];
}

function discovery({ origin }: Call): Reply {
  return {
    json: { oidc_endpoint: `${origin}/oidc`, account_id: "local", workspace_id: WORKSPACE_ID, cloud: "AWS" },
  };
}

function authorizationServer({ origin }: Call): Reply {
  return {
    json: {
      issuer: `${origin}/oidc`,
      authorization_endpoint: `${origin}/oidc/v1/authorize`,
      token_endpoint: `${origin}/oidc/v1/token`,
      grant_types_supported: ["client_credentials"],
      token_endpoint_auth_methods_supported: ["client_secret_basic"],
    },
  };
}

function issueToken({ headers, form }: Call, credentials: Credentials): Reply {
  const grant = form.get("grant_type");
  if (grant !== "client_credentials") {
    throw new OAuthError(400, "unsupported_grant_type", `The local workspace knows client_credentials only, not '${grant ?? ""}'`);
  }
  if (!credentials.isClient(headers.authorization)) {
    throw new OAuthError(401, "invalid_client", "Client authentication failed");
  }
  return { headers: { "cache-control": "no-store" }, json: credentials.issue(form.get("scope") ?? "all-apis") };
}

function currentUser({ user }: Call): Reply {
  return {
    headers: { "x-databricks-org-id": WORKSPACE_ID },
    json: {
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
      id: "1",
      userName: user,
      displayName: user,
      active: true,
      emails: [{ value: user, type: "work", primary: true }],
      groups: [{ display: "users", value: "1" }],
    },
  };
}

/** The token endpoint answers errors in OAuth's shape (RFC 6749, section 5.2), not in Databricks'. */
class OAuthError extends ApiError {
  override body(): object {
    return { error: this.code, error_description: this.message };
  }
}
