import { ApiError } from "../http/errors.js";
import { isObject } from "../http/fields.js";
import { OAuthError } from "./oauth-error.js";

/** One thing that a token may do (RFC 9396). A token with a list of these may do nothing else. */
export type AuthorizationDetail =
  | { type: "unity_catalog_permission"; securable_type: "table"; securable_object_name: string; operation: "ReadVectorIndex" | "WriteVectorIndex" }
  | { type: "workspace_permission"; object_type: "serving-endpoints"; object_path: string; actions: string[] };

/** The calls of the data plane that the details of a token can allow. */
const INDEX_CALL = /^\/api\/2\.0\/(?:vector-search|ai-search)\/indexes\/([^/]+)\/(query|query-next-page|scan|upsert-data|delete-data)$/;
const INFERENCE_CALL = /^\/serving-endpoints\/([^/]+)\/invocations$/;
const WRITES = ["upsert-data", "delete-data"];

/** Reads the form field `authorization_details`; an empty list means no limits, as none at all does. */
export function readDetails(text: string | null): AuthorizationDetail[] {
  if (text === null || text === "") return [];
  let details: unknown;
  try {
    details = JSON.parse(text);
  } catch {
    throw refuse("is not JSON");
  }
  if (!Array.isArray(details)) throw refuse("is not a list");
  return details.map((detail) => {
    if (!isDetail(detail)) throw refuse(`holds an entry that no part of the local workspace knows: ${JSON.stringify(detail)}`);
    return detail;
  });
}

const refuse = (problem: string) => new OAuthError(400, "invalid_authorization_details", `authorization_details ${problem}`);

function isDetail(value: unknown): value is AuthorizationDetail {
  if (!isObject(value)) return false;
  switch (value["type"]) {
    case "unity_catalog_permission":
      return (
        value["securable_type"] === "table" &&
        typeof value["securable_object_name"] === "string" &&
        ["ReadVectorIndex", "WriteVectorIndex"].includes(String(value["operation"]))
      );
    case "workspace_permission": {
      const { object_type, object_path, actions } = value;
      return object_type === "serving-endpoints" && typeof object_path === "string" && Array.isArray(actions);
    }
    default:
      return false;
  }
}

/**
 * Throws 403 when a token is limited and none of its details allows the call.
 *
 * @param endpointId the id of a serving endpoint by its name.
 */
export function checkDetails(details: readonly AuthorizationDetail[], path: string, endpointId: (name: string) => string | undefined): void {
  if (details.length === 0 || details.some((detail) => allows(detail, path, endpointId))) return;
  throw new ApiError(403, "PERMISSION_DENIED", "The authorization_details of the token do not allow this call.");
}

function allows(detail: AuthorizationDetail, path: string, endpointId: (name: string) => string | undefined): boolean {
  if (detail.type === "unity_catalog_permission") {
    const [, index, action] = INDEX_CALL.exec(path) ?? [];
    if (index === undefined || action === undefined) return false;
    const operation = WRITES.includes(action) ? "WriteVectorIndex" : "ReadVectorIndex";
    return decodeURIComponent(index) === detail.securable_object_name && operation === detail.operation;
  }
  const endpoint = INFERENCE_CALL.exec(path)?.[1];
  if (endpoint === undefined || !detail.actions.includes("query_inference_endpoint")) return false;
  return detail.object_path === `/serving-endpoints/${endpointId(decodeURIComponent(endpoint))}`;
}
