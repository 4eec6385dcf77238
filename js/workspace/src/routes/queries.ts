import { invalid } from "../http/errors.js";
import { isObject, optionalString, optionalStrings, requiredString } from "../http/fields.js";
import type { Call, Reply, Route } from "../http/router.js";
import type { QueryText, SavedQueries } from "../jobs/queries.js";

const BASE = "/api/2.0/sql/queries";
const TEXTS = ["display_name", "query_text", "warehouse_id", "catalog", "schema", "description", "parent_path"] as const;

/** Saved queries: https://docs.databricks.com/api/workspace/queries */
export function queriesRoutes(queries: SavedQueries): Route[] {
  const id = ({ params }: Call) => params["id"] ?? "";
  return [
    { method: "POST", path: BASE, handler: ({ body, user }): Reply => {
      const text = readText(body);
      requiredString({ ...text }, "query_text");
      return { json: queries.create({ ...text, display_name: text.display_name ?? "Untitled", query_text: text.query_text ?? "" }, user) };
    } },
    { method: "GET", path: BASE, handler: ({ query }): Reply => {
      const offset = Number(query.get("page_token") || 0);
      const size = Number(query.get("page_size") || 20);
      if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(size) || offset < 0 || size < 1) throw invalid("'page_size' and 'page_token' must be whole numbers.");
      const found = queries.list(offset, size + 1);
      return { json: { results: found.slice(0, size), ...(found.length > size && { next_page_token: String(offset + size) }) } };
    } },
    { method: "GET", path: `${BASE}/:id`, handler: (call): Reply => ({ json: queries.get(id(call)) }) },
    { method: "PATCH", path: `${BASE}/:id`, handler: (call): Reply => ({ json: queries.update(id(call), readText(call.body), call.user) }) },
    { method: "DELETE", path: `${BASE}/:id`, handler: (call): Reply => (queries.delete(id(call)), { json: {} }) },
  ];
}

function readText(body: Call["body"]): Partial<QueryText> {
  const query = body["query"];
  if (!isObject(query)) throw invalid("'query' must be an object with 'query_text'.");
  if (Array.isArray(query["parameters"]) && query["parameters"].length > 0) throw invalid("'parameters' of saved queries are not known to the local workspace: write :name, and give values in the task.");
  const texts = TEXTS.map((name) => [name, optionalString(query, name)]).filter(([, value]) => value !== undefined);
  const tags = optionalStrings(query, "tags");
  return { ...(Object.fromEntries(texts) as Partial<QueryText>), ...(tags && { tags }) };
}
