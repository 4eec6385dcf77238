import type { Catalog } from "../catalog/catalog.js";
import { checkPrivileges } from "../catalog/privileges.js";
import type { Kind } from "../catalog/store.js";
import { invalid } from "../http/errors.js";
import { isObject, optionalStrings, requiredString } from "../http/fields.js";
import type { Call, Reply, Route } from "../http/router.js";

const BASE = "/api/2.1/unity-catalog";
const STORED: readonly string[] = ["catalog", "schema", "volume", "function"] satisfies Kind[];

/** Grants: https://docs.databricks.com/api/workspace/grants. They are kept and shown; the local workspace has one user, whom it lets do all. */
export class UnityGrantsRoutes {
  readonly #catalog: Catalog;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  routes(): Route[] {
    return [
      { method: "GET", path: `${BASE}/permissions/:type/:name`, handler: (call) => this.#get(call) },
      { method: "PATCH", path: `${BASE}/permissions/:type/:name`, handler: (call) => this.#update(call) },
      { method: "GET", path: `${BASE}/effective-permissions/:type/:name`, handler: (call) => this.#effective(call) },
    ];
  }

  async #get(call: Call): Promise<Reply> {
    const { type, name } = await this.#securable(call);
    return { json: this.#assignments(`${type}:${name}`, call) };
  }

  async #update(call: Call): Promise<Reply> {
    const { type, name } = await this.#securable(call);
    const list = call.body["changes"];
    if (!Array.isArray(list)) throw invalid("'changes' must be a list of objects with 'principal', 'add' and 'remove'.");
    const changes = list.map((change: unknown) => {
      if (!isObject(change)) throw invalid("'changes' must be a list of objects with 'principal', 'add' and 'remove'.");
      const [add, remove] = [optionalStrings(change, "add") ?? [], optionalStrings(change, "remove") ?? []];
      checkPrivileges(add);
      return { principal: requiredString(change, "principal"), add, remove };
    });
    this.#catalog.store.changeGrants(`${type}:${name}`, changes);
    return { json: this.#assignments(`${type}:${name}`, call) };
  }

  /** The privileges on an object with those that it has from what it is in. */
  async #effective(call: Call): Promise<Reply> {
    const { type, name } = await this.#securable(call);
    const parts = name.split(".");
    const levels = [
      { type: "CATALOG", name: parts[0] ?? "" },
      { type: "SCHEMA", name: parts.slice(0, 2).join(".") },
    ].slice(0, parts.length - 1);
    const found = new Map<string, object[]>();
    for (const level of [{ type: type.toUpperCase(), name }, ...levels]) {
      for (const [principal, privileges] of this.#catalog.store.grants(`${level.type.toLowerCase()}:${level.name}`)) {
        const from = level.name === name ? {} : { inherited_from_type: level.type, inherited_from_name: level.name };
        found.set(principal, [...(found.get(principal) ?? []), ...privileges.map((privilege) => ({ privilege, ...from }))]);
      }
    }
    const only = call.query.get("principal");
    const assignments = [...found].filter(([principal]) => only === null || principal === only);
    return { json: { privilege_assignments: assignments.map(([principal, privileges]) => ({ principal, privileges })) } };
  }

  #assignments(securable: string, { query }: Call): object {
    const only = query.get("principal");
    const grants = [...this.#catalog.store.grants(securable)].filter(([principal]) => only === null || principal === only);
    return { privilege_assignments: grants.map(([principal, privileges]) => ({ principal, privileges })) };
  }

  /** What a path names, which must be there. Types are written in either case, with '-' or '_'. */
  async #securable({ params }: Call): Promise<{ type: string; name: string }> {
    const type = (params["type"] ?? "").toLowerCase().replace("-", "_");
    const name = (params["name"] ?? "").toLowerCase();
    if (STORED.includes(type)) this.#catalog.store.get(type as Kind, name);
    else if (type === "table") await this.#catalog.table(name);
    else if (type !== "metastore" && type !== "registered_model") throw invalid(`There is no securable type '${type}'. Known are metastore, ${STORED.join(", ")}, table and registered_model.`);
    return { type, name };
  }
}
