import type { Catalog } from "../catalog/catalog.js";
import { METASTORE_ID, type Kind, type Securable } from "../catalog/store.js";
import { describeType, fieldJson } from "../catalog/types.js";
import { invalid, notImplemented } from "../http/errors.js";
import { isObject, optionalString, requiredString } from "../http/fields.js";
import { page } from "../http/pages.js";
import type { Call, Reply, Route } from "../http/router.js";
import { asApiError } from "../sql/engine-process.js";
import type { Tables } from "../sql/tables.js";

const BASE = "/api/2.1/unity-catalog";

/** Catalogs, schemas, tables, volumes and functions: https://docs.databricks.com/api/workspace/catalogs */
export class UnityCatalogRoutes {
  readonly #catalog: Catalog;
  readonly #tables: Tables;

  constructor(catalog: Catalog, tables: Tables) {
    this.#catalog = catalog;
    this.#tables = tables;
  }

  routes(): Route[] {
    const route = (method: string, path: string, answer: (call: Call) => unknown): Route => ({
      method,
      path: `${BASE}/${path}`,
      handler: async (call): Promise<Reply> => {
        try {
          return { json: (await answer(call)) ?? {} };
        } catch (error) {
          throw asApiError(error);
        }
      },
    });
    const { store } = this.#catalog;
    const catalog = this.#catalog;
    const name = ({ params }: Call) => params["name"] ?? "";
    const force = ({ query }: Call) => query.get("force") === "true";
    const listIn = (kind: Kind, key: string) => (call: Call) => ({ ...page(store.list(kind, parentOf(call, store)), key, call.query) });
    return [
      route("GET", "current-metastore-assignment", () => ({ metastore_id: METASTORE_ID, workspace_id: 1000000000000001, default_catalog_name: "main" })),
      route("GET", "metastore_summary", () => ({ metastore_id: METASTORE_ID, name: "local", cloud: "local", region: "local" })),

      route("GET", "catalogs", ({ query }) => page(store.list("catalog", ""), "catalogs", query)),
      route("POST", "catalogs", (call) => catalog.createCatalog(requiredString(call.body, "name"), this.#catalogFields(call), call.user)),
      route("GET", "catalogs/:name", (call) => store.get("catalog", name(call))),
      route("PATCH", "catalogs/:name", (call) => this.#update("catalog", call)),
      route("DELETE", "catalogs/:name", (call) => catalog.dropCatalog(name(call), force(call))),

      route("GET", "schemas", ({ query }) => {
        const parent = required(query, "catalog_name");
        store.get("catalog", parent);
        return page(store.list("schema", parent), "schemas", query);
      }),
      route("POST", "schemas", ({ body, user }) =>
        catalog.createSchema(requiredString(body, "catalog_name"), requiredString(body, "name"), noted(body), user),
      ),
      route("GET", "schemas/:name", (call) => store.get("schema", name(call))),
      route("PATCH", "schemas/:name", (call) => this.#update("schema", call)),
      route("DELETE", "schemas/:name", (call) => catalog.dropSchema(name(call), force(call))),

      route("GET", "volumes", listIn("volume", "volumes")),
      route("POST", "volumes", (call) => this.#createVolume(call)),
      route("GET", "volumes/:name", (call) => store.get("volume", name(call))),
      route("PATCH", "volumes/:name", (call) => this.#update("volume", call)),
      route("DELETE", "volumes/:name", (call) => catalog.dropVolume(name(call))),

      route("GET", "functions", listIn("function", "functions")),
      route("POST", "functions", (call) => this.#createFunction(call)),
      route("GET", "functions/:name", (call) => store.get("function", name(call))),
      route("PATCH", "functions/:name", (call) => this.#update("function", call)),
      route("DELETE", "functions/:name", (call) => catalog.dropFunction(name(call))),

      route("GET", "tables", async ({ query }) => {
        const tables = await catalog.tables(required(query, "catalog_name"), required(query, "schema_name"));
        const shown = query.get("omit_columns") === "true" ? tables.map(({ columns: _, ...table }) => table) : tables;
        return page(shown, "tables", query);
      }),
      route("POST", "tables", () => {
        throw notImplemented("Create managed tables by SQL (CREATE TABLE). External tables have no storage in the local workspace.");
      }),
      route("GET", "tables/:name", (call) => catalog.table(name(call))),
      route("GET", "tables/:name/exists", async (call) => ({ table_exists: (await catalog.findTable(name(call))) !== undefined })),
      route("DELETE", "tables/:name", (call) => this.#tables.drop(name(call), call.user)),
    ];
  }

  #catalogFields({ body }: Call): Record<string, unknown> {
    for (const field of ["connection_name", "provider_name", "share_name", "storage_root"]) {
      if (optionalString(body, field)) throw invalid(`'${field}' is for catalogs of other systems; the local workspace has managed catalogs only.`);
    }
    return noted(body);
  }

  #createVolume({ body, user }: Call): Securable {
    const type = requiredString(body, "volume_type");
    if (type !== "MANAGED") throw invalid("'volume_type' must be MANAGED: the local workspace has no external storage.");
    const [catalog, schema, name] = [requiredString(body, "catalog_name"), requiredString(body, "schema_name"), requiredString(body, "name")];
    return this.#catalog.createVolume(catalog, schema, name, noted(body), user);
  }

  #createFunction({ body, user }: Call): Promise<Securable> {
    const info = body["function_info"];
    if (!isObject(info)) throw invalid("'function_info' is required: an object that describes the function.");
    const [catalog, schema, name] = [requiredString(info, "catalog_name"), requiredString(info, "schema_name"), requiredString(info, "name")];
    const language = optionalString(info, "external_language");
    if (optionalString(info, "routine_body") === "EXTERNAL" && (language ?? "").toUpperCase() !== "PYTHON") {
      throw invalid("'external_language' must be PYTHON for a function whose 'routine_body' is EXTERNAL.");
    }
    requiredString(info, "routine_definition");
    const fields = { ...info, input_params: parameterList(info["input_params"], "input_params"), return_params: info["return_params"] ?? undefined };
    return this.#catalog.createFunction([catalog, schema], name, fields, user, false);
  }

  #update(kind: Kind, { params, body, user }: Call): Securable {
    if (optionalString(body, "new_name") !== undefined) throw notImplemented("Renaming is not part of the local workspace: create it under the new name.");
    const fields = { ...noted(body), owner: optionalString(body, "owner"), isolation_mode: optionalString(body, "isolation_mode") };
    return this.#catalog.store.update(kind, params["name"] ?? "", fields, user);
  }
}

/** The fields that all objects take. */
function noted(body: Record<string, unknown>): Record<string, unknown> {
  const properties = body["properties"] ?? undefined;
  if (properties !== undefined && !isObject(properties)) throw invalid("'properties' must be an object of strings.");
  return { ...(optionalString(body, "comment") !== undefined && { comment: body["comment"] }), ...(properties !== undefined && { properties }) };
}

function required(query: URLSearchParams, name: string): string {
  const value = query.get(name);
  if (!value) throw invalid(`'${name}' is required in the query.`);
  return value;
}

function parentOf({ query }: Call, store: Catalog["store"]): string {
  const parent = `${required(query, "catalog_name")}.${required(query, "schema_name")}`;
  store.get("schema", parent);
  return parent;
}

/** The parameters of a function, completed by what follows from their types. */
function parameterList(value: unknown, field: string): { parameters: object[] } {
  const list = isObject(value) ? (value["parameters"] ?? []) : [];
  if (!Array.isArray(list)) throw invalid(`'${field}.parameters' must be a list.`);
  return {
    parameters: list.map((parameter: unknown, position) => {
      if (!isObject(parameter)) throw invalid(`'${field}.parameters[${position}]' must be an object.`);
      const [name, type] = [requiredString(parameter, "name"), requiredString(parameter, "type_text")];
      return { ...describeType(type), type_json: fieldJson(name, type, true, optionalString(parameter, "comment")), position, ...parameter };
    }),
  };
}
