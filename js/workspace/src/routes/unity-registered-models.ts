import { METASTORE_ID, type CatalogStore } from "../catalog/store.js";
import { invalid } from "../http/errors.js";
import { optionalInteger, optionalString, requiredString } from "../http/fields.js";
import { page } from "../http/pages.js";
import type { Call, Reply, Route } from "../http/router.js";
import type { ModelVersion, RegisteredModel, RegisteredModels } from "../mlflow/registered-models.js";

const BASE = "/api/2.1/unity-catalog/models";

/** Registered models of Unity Catalog, the ones that MLflow registers: https://docs.databricks.com/api/workspace/registeredmodels */
export class UnityRegisteredModelsRoutes {
  readonly #store: CatalogStore;
  readonly #models: RegisteredModels;

  constructor(store: CatalogStore, models: RegisteredModels) {
    this.#store = store;
    this.#models = models;
  }

  routes(): Route[] {
    const models = this.#models;
    const route = (method: string, path: string, answer: (call: Call) => unknown): Route => ({
      method,
      path: BASE + path,
      handler: (call): Reply => ({ json: answer(call) ?? {} }),
    });
    const param = ({ params }: Call, name: string) => params[name] ?? "";
    const name = (call: Call) => param(call, "name");
    const version = (call: Call) => models.version(name(call), param(call, "version"));
    return [
      route("GET", "", (call) => this.#list(call)),
      route("POST", "", (call) => this.#create(call)),
      route("GET", "/:name", (call) => modelInfo(models.model(name(call)), wantsAliases(call))),
      route("PATCH", "/:name", (call) => this.#update(call)),
      route("DELETE", "/:name", (call) => models.delete(name(call))),
      route("GET", "/:name/versions", ({ params, query }) => page(models.versions(params["name"] ?? "").map((one) => versionInfo(one, false)), "model_versions", query)),
      route("GET", "/:name/versions/:version", (call) => versionInfo(version(call), wantsAliases(call))),
      route("PATCH", "/:name/versions/:version", (call) =>
        versionInfo(models.describeVersion(name(call), param(call, "version"), optionalString(call.body, "comment") ?? version(call).description), true),
      ),
      route("DELETE", "/:name/versions/:version", (call) => models.deleteVersion(name(call), param(call, "version"))),
      route("GET", "/:name/aliases/:alias", (call) => versionInfo(models.versionOf(name(call), param(call, "alias")), wantsAliases(call))),
      route("PUT", "/:name/aliases/:alias", (call) => this.#setAlias(name(call), param(call, "alias"), call.body)),
      route("DELETE", "/:name/aliases/:alias", (call) => models.removeAlias(name(call), param(call, "alias"))),
    ];
  }

  #list({ query }: Call): object {
    const [catalog, schema] = [query.get("catalog_name"), query.get("schema_name")];
    if ((catalog === null) !== (schema === null)) throw invalid("Give both 'catalog_name' and 'schema_name', or neither.");
    if (catalog !== null) this.#store.get("schema", `${catalog}.${schema}`);
    const inside = catalog === null ? "" : `${catalog}.${schema}.`.toLowerCase();
    const found = this.#models.models().filter((model) => model.name.startsWith(inside));
    return page(found.map((model) => modelInfo(model, false)), "registered_models", query);
  }

  #create({ body, user }: Call): object {
    const schema = this.#store.get("schema", `${requiredString(body, "catalog_name")}.${requiredString(body, "schema_name")}`);
    const created = this.#models.create(`${schema.full_name}.${requiredString(body, "name")}`, optionalString(body, "comment") ?? "", user);
    return modelInfo(created, true);
  }

  #update({ params, body }: Call): object {
    const renamed = optionalString(body, "new_name");
    const name = params["name"] ?? "";
    const change = {
      ...(renamed !== undefined && { name: [...name.split(".").slice(0, 2), renamed].join(".") }),
      ...(optionalString(body, "comment") !== undefined && { description: optionalString(body, "comment") ?? "" }),
    };
    return modelInfo(this.#models.update(name, change), true);
  }

  #setAlias(name: string, alias: string, body: Record<string, unknown>): object {
    const version = optionalInteger(body, "version_num", 1, Number.MAX_SAFE_INTEGER);
    if (version === undefined) throw invalid("'version_num' is required.");
    this.#models.setAlias(name, alias, String(version));
    return aliasInfo(name, alias, version);
  }
}

const wantsAliases = ({ query }: Call) => query.get("include_aliases") === "true";

/** The fields that say where a model is. */
function place(fullName: string) {
  const [catalog_name = "", schema_name = "", name = ""] = fullName.toLowerCase().split(".");
  return { catalog_name, schema_name, name };
}

function aliasInfo(fullName: string, alias: string, version: number): object {
  const { name, ...rest } = place(fullName);
  return { alias_name: alias, version_num: version, model_name: name, ...rest };
}

function modelInfo({ name, description, owner, created, updated, aliases }: RegisteredModel, withAliases: boolean): object {
  return {
    ...place(name),
    full_name: name,
    ...(description !== "" && { comment: description }),
    owner,
    metastore_id: METASTORE_ID,
    created_at: created,
    created_by: owner,
    updated_at: updated,
    updated_by: owner,
    storage_location: `dbfs:/Models/${name.split(".").join("/")}`,
    ...(withAliases && { aliases: aliases.map(({ alias, version }) => aliasInfo(name, alias, Number(version))) }),
  };
}

function versionInfo({ name, version, description, owner, created, updated, source, run, ready, aliases }: ModelVersion, withAliases: boolean): object {
  const { name: model_name, ...rest } = place(name);
  return {
    model_name,
    ...rest,
    version,
    status: ready ? "READY" : "PENDING_REGISTRATION",
    ...(description !== "" && { comment: description }),
    source,
    run_id: run,
    metastore_id: METASTORE_ID,
    created_at: created,
    created_by: owner,
    updated_at: updated,
    updated_by: owner,
    storage_location: `dbfs:/Models/${name.split(".").join("/")}/${version}`,
    ...(withAliases && { aliases: aliases.map((alias) => aliasInfo(name, alias, version)) }),
  };
}
