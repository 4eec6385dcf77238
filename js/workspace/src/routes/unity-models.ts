import type { ModelVersion, RegisteredModel, RegisteredModels, Tag } from "../mlflow/registered-models.js";
import { invalid } from "../http/errors.js";
import { isObject, optionalString, requiredString } from "../http/fields.js";
import type { Call, Reply, Route } from "../http/router.js";

const BASE = "/api/2.0/mlflow/unity-catalog";
/** Milliseconds that credentials for the files of a version would be good for. */
const LIFETIME = 3600_000;

/** The registry of models in Unity Catalog as MLflow's clients call it with the registry URI `databricks-uc`. */
export class UnityModelsRoutes {
  readonly #models: RegisteredModels;

  constructor(models: RegisteredModels) {
    this.#models = models;
  }

  routes(): Route[] {
    const models = this.#models;
    const route = (method: string, path: string, answer: (fields: Record<string, unknown>, call: Call) => unknown): Route => ({
      method,
      path: `${BASE}/${path}`,
      handler: (call): Reply => ({ json: answer(fieldsOf(call), call) ?? {} }),
    });
    const name = (fields: Record<string, unknown>) => requiredString(fields, "name");
    const version = (fields: Record<string, unknown>) => requiredString(fields, "version");
    const tag = (fields: Record<string, unknown>) => ({ key: requiredString(fields, "key"), value: optionalString(fields, "value") ?? "" });
    return [
      route("POST", "registered-models/create", (fields, call) => this.#create(fields, call)),
      route("GET", "registered-models/get", (fields) => ({ registered_model: modelJson(models.model(name(fields))) })),
      route("GET", "registered-models/search", () => ({ registered_models: models.models().map(modelJson) })),
      route("PATCH", "registered-models/update", (fields) => {
        const change = { name: optionalString(fields, "new_name"), description: optionalString(fields, "description") };
        return { registered_model: modelJson(models.update(name(fields), change)) };
      }),
      route("DELETE", "registered-models/delete", (fields) => models.delete(name(fields))),
      route("POST", "registered-models/set-tag", (fields) => models.setTag(name(fields), undefined, tag(fields))),
      route("DELETE", "registered-models/delete-tag", (fields) => models.removeTag(name(fields), undefined, tag(fields).key)),
      route("POST", "registered-models/alias", (fields) => models.setAlias(name(fields), requiredString(fields, "alias"), version(fields))),
      route("DELETE", "registered-models/alias", (fields) => models.removeAlias(name(fields), requiredString(fields, "alias"))),
      route("GET", "registered-models/alias", (fields) => ({ model_version: versionJson(models.versionOf(name(fields), requiredString(fields, "alias"))) })),
      route("POST", "model-versions/create", (fields, call) => this.#addVersion(fields, call)),
      route("POST", "model-versions/finalize", (fields) => ({ model_version: versionJson(models.finalize(name(fields), version(fields))) })),
      route("GET", "model-versions/get", (fields) => ({ model_version: versionJson(models.version(name(fields), version(fields))) })),
      route("GET", "model-versions/search", (fields) => this.#searchVersions(fields)),
      route("PATCH", "model-versions/update", (fields) => {
        const description = optionalString(fields, "description") ?? "";
        return { model_version: versionJson(models.describeVersion(name(fields), version(fields), description)) };
      }),
      route("DELETE", "model-versions/delete", (fields) => models.deleteVersion(name(fields), version(fields))),
      route("POST", "model-versions/set-tag", (fields) => models.setTag(name(fields), version(fields), tag(fields))),
      route("DELETE", "model-versions/delete-tag", (fields) => models.removeTag(name(fields), version(fields), tag(fields).key)),
      route("GET", "model-versions/get-download-uri", (fields) => ({ artifact_uri: location(models.version(name(fields), version(fields))) })),
      route("POST", "model-versions/generate-temporary-credentials", (fields) => {
        models.version(name(fields), version(fields));
        // The files are not in a cloud's storage: the client is to go through the Files API.
        return { credentials: { expiration_time: Date.now() + LIFETIME, storage_mode: "DEFAULT_STORAGE" } };
      }),
      route("POST", "model-versions/emit-lineage", (fields) => void models.version(name(fields), version(fields))),
      route("GET", "registered-models:is-databricks-sdk-models-artifact-repository-enabled", () => ({
        is_databricks_sdk_models_artifact_repository_enabled: true,
      })),
    ];
  }

  #create(fields: Record<string, unknown>, { user }: Call): unknown {
    const model = this.#models.create(requiredString(fields, "name"), optionalString(fields, "description") ?? "", user);
    for (const tag of readTags(fields["tags"])) this.#models.setTag(model.name, undefined, tag);
    return { registered_model: modelJson(this.#models.model(model.name)) };
  }

  #addVersion(fields: Record<string, unknown>, { user }: Call): unknown {
    const version = this.#models.addVersion(requiredString(fields, "name"), {
      description: optionalString(fields, "description") ?? "",
      owner: user,
      source: requiredString(fields, "source"),
      run: optionalString(fields, "run_id") ?? "",
      model: optionalString(fields, "model_id") ?? "",
    });
    for (const tag of readTags(fields["tags"])) this.#models.setTag(version.name, String(version.version), tag);
    return { model_version: versionJson(this.#models.version(version.name, String(version.version))) };
  }

  /** Databricks knows one filter here: the name of a model. */
  #searchVersions(fields: Record<string, unknown>): unknown {
    const filter = optionalString(fields, "filter") ?? "";
    const [, name] = /^\s*name\s*=\s*['"]([^'"]+)['"]\s*$/.exec(filter) ?? [];
    if (name === undefined) throw invalid(`'filter' must be name = '<catalog>.<schema>.<model>', not ${JSON.stringify(filter)}.`);
    return { model_versions: this.#models.versions(name).map(versionJson) };
  }
}

/** Fields come in the body, in the query, or for DELETE in either. */
const fieldsOf = ({ query, body }: Call) => ({ ...Object.fromEntries(query), ...body });

function readTags(value: unknown): Tag[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every(isObject)) throw invalid("'tags' must be a list of {key, value}.");
  return value.map((tag) => ({ key: requiredString(tag, "key"), value: optionalString(tag, "value") ?? "" }));
}

function modelJson(model: RegisteredModel): object {
  return {
    name: model.name,
    description: model.description,
    user_id: model.owner,
    creation_timestamp: model.created,
    last_updated_timestamp: model.updated,
    aliases: model.aliases,
    tags: model.tags,
  };
}

function versionJson(version: ModelVersion): object {
  return {
    name: version.name,
    version: String(version.version),
    description: version.description,
    user_id: version.owner,
    creation_timestamp: version.created,
    last_updated_timestamp: version.updated,
    source: version.source,
    run_id: version.run,
    model_id: version.model,
    status: version.ready ? "READY" : "PENDING_REGISTRATION",
    storage_location: location(version),
    aliases: version.aliases.map((alias) => ({ alias, version: String(version.version) })),
    tags: version.tags,
  };
}

const location = ({ name, version }: ModelVersion) => `/Models/${name.replaceAll(".", "/")}/${version}`;
