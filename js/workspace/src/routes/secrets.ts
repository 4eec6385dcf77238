import { invalid } from "../http/errors.js";
import { optionalString, requiredString } from "../http/fields.js";
import type { Call, Reply, Route } from "../http/router.js";
import type { SecretStore } from "../secrets/store.js";

const BASE = "/api/2.0/secrets";

/** Secrets and their scopes. Everybody with a token may read them: there are no access lists. */
export function secretsRoutes(store: SecretStore): Route[] {
  const post = (path: string, act: (body: Call["body"]) => void): Route =>
    ({ method: "POST", path: BASE + path, handler: ({ body }): Reply => (act(body), { json: {} }) });
  const get = (path: string, answer: (query: Call["body"]) => unknown): Route =>
    ({ method: "GET", path: BASE + path, handler: ({ query }): Reply => ({ json: answer(Object.fromEntries(query)) }) });
  const scope = (fields: Call["body"]) => requiredString(fields, "scope");
  const key = (fields: Call["body"]) => requiredString(fields, "key");
  return [
    post("/scopes/create", (body) => store.createScope(scope(body))),
    post("/scopes/delete", (body) => store.deleteScope(scope(body))),
    get("/scopes/list", () => ({ scopes: store.scopes().map((name) => ({ name, backend_type: "DATABRICKS" })) })),
    post("/put", (body) => store.put(scope(body), key(body), readValue(body))),
    post("/delete", (body) => store.delete(scope(body), key(body))),
    get("/get", (query) => ({ key: key(query), value: store.get(scope(query), key(query)) })),
    get("/list", (query) => ({ secrets: store.list(scope(query)) })),
  ];
}

/** A secret is given as text or, in base64, as bytes. */
function readValue(body: Call["body"]): Buffer {
  const text = optionalString(body, "string_value");
  const bytes = optionalString(body, "bytes_value");
  if ((text === undefined) === (bytes === undefined)) throw invalid("Give one of 'string_value' and 'bytes_value'.");
  return text !== undefined ? Buffer.from(text) : Buffer.from(bytes ?? "", "base64");
}
