import { ApiError } from "../http/errors.js";
import { OAuthError } from "./oauth-error.js";

/** Everything that the user or service principal may do. */
export const ALL_APIS = "all-apis";
/** Asks for a refresh token beside the access token. */
export const OFFLINE_ACCESS = "offline_access";

/** Databricks' API scopes for the services that a local workspace may have, and the calls that each allows. */
const API_SCOPES: ReadonlyArray<readonly [scope: string, paths: RegExp]> = [
  ["ai-gateway", /^\/ai-gateway\//],
  ["files", /^\/api\/2\.0\/fs\//],
  ["jobs", /^\/api\/2\.\d\/jobs\//],
  ["mlflow", /^\/(api|ajax-api)\/[23]\.0\/mlflow(-artifacts)?\/|^\/v1\/traces$/],
  ["model-serving", /^(\/api\/2\.0)?\/serving-endpoints(\/|$)/],
  ["pipelines", /^\/api\/2\.0\/pipelines(\/|$)/],
  ["sql", /^\/api\/2\.0\/sql\//],
  ["unity-catalog", /^\/api\/2\.1\/unity-catalog\//],
  ["vector-search", /^\/api\/2\.0\/(vector-search|ai-search)\//],
  ["workspace", /^\/api\/2\.0\/workspace\//],
];
const OTHER_SCOPES = [ALL_APIS, OFFLINE_ACCESS, "email", "openid", "profile"];
/** Every scope may ask who it belongs to. */
const ALWAYS_ALLOWED = /^\/api\/2\.0\/preview\/scim\/v2\/Me$/;

export const SCOPES: readonly string[] = [...OTHER_SCOPES, ...API_SCOPES.map(([scope]) => scope)].sort();

/**
 * The scopes of a request, each once, sorted.
 *
 * @param requested scopes with spaces between them; nothing asks for all APIs.
 * @param assigned what the client may ask for; nothing lets it ask for everything.
 * @throws 400 `invalid_scope` for one that does not exist, 403 `access_denied` for those that the client was not given.
 */
export function readScopes(requested: string | null, assigned?: readonly string[]): string[] {
  const scopes = [...new Set((requested ?? "").split(" ").filter((scope) => scope !== ""))].sort();
  if (scopes.length === 0) scopes.push(ALL_APIS);
  for (const scope of scopes) {
    if (!SCOPES.includes(scope)) throw new OAuthError(400, "invalid_scope", `Invalid scope: ${scope}`);
  }
  const refused = scopes.filter((scope) => assigned && !assigned.includes(scope) && !assigned.includes(ALL_APIS));
  if (refused.length > 0) {
    throw new OAuthError(403, "access_denied", `Scopes '${refused.join(" ")}' are not assigned to the client`);
  }
  return scopes;
}

/** Throws 403 when none of a token's scopes allows a call. */
export function checkScopes(scopes: readonly string[], path: string): void {
  if (scopes.includes(ALL_APIS) || ALWAYS_ALLOWED.test(path)) return;
  const needed = API_SCOPES.find(([, paths]) => paths.test(path))?.[0] ?? ALL_APIS;
  if (!scopes.includes(needed)) {
    throw new ApiError(403, "PERMISSION_DENIED", `Provided OAuth token does not have required scopes: ${needed}`);
  }
}
