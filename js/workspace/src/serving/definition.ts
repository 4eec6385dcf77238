import { invalid } from "../http/errors.js";
import { isObject, optionalInteger, optionalString, optionalStrings, requiredString } from "../http/fields.js";

/** A model behind an endpoint, as it was asked for. */
export interface Entity {
  name: string;
  /** A model of Unity Catalog, `system.ai.<model>` among them, with its version. */
  model?: { name: string; version: string };
  /** `external_model` as it was given, credentials among it. */
  external?: Record<string, unknown>;
  /** Environment variables of the model's process. */
  environment: Record<string, string>;
  /** Sizes and the like, which clients are shown again. */
  settings: Record<string, unknown>;
}

/** Which share of the requests goes to an entity, in percent. */
export interface Traffic {
  entity: string;
  percent: number;
}

/** What an endpoint serves. */
export interface EndpointConfig {
  version: number;
  entities: Entity[];
  traffic: Traffic[];
}

export interface Tag {
  key: string;
  value: string;
}

const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$/;
const SHOWN = [
  "workload_size", "workload_type", "scale_to_zero_enabled", "min_provisioned_throughput", "max_provisioned_throughput",
  "provisioned_model_units", "min_provisioned_concurrency", "max_provisioned_concurrency", "burst_scaling_enabled",
];
const MAX_ENTITIES = 15;

/** The name of a new endpoint. */
export function readName(body: Record<string, unknown>): string {
  const name = requiredString(body, "name");
  if (!NAME.test(name)) throw invalid("'name' must have 1 to 63 letters, digits, - and _, and begin and end with a letter or digit.");
  return name;
}

/** Reads `config` of a new endpoint, or the body of a change of it: `served_entities` or the older `served_models`, and `traffic_config`. */
export function readConfig(config: unknown, version: number): EndpointConfig {
  if (!isObject(config)) throw invalid("'config' must be an object with 'served_entities'.");
  const given = config["served_entities"] ?? config["served_models"];
  if (!Array.isArray(given) || given.length === 0 || given.length > MAX_ENTITIES) throw invalid(`'config.served_entities' must be a list of 1 to ${MAX_ENTITIES} entities.`);
  const entities = given.map(readEntity);
  const twice = entities.find(({ name }, i) => entities.findIndex((other) => other.name === name) !== i);
  if (twice) throw invalid(`'config.served_entities': two entities have the name '${twice.name}'.`);
  return { version, entities, traffic: readTraffic(config["traffic_config"] ?? undefined, entities) };
}

function readEntity(entity: unknown, i: number): Entity {
  const at = `config.served_entities[${i}]`;
  if (!isObject(entity)) throw invalid(`'${at}' must be an object.`);
  const settings = Object.fromEntries(SHOWN.flatMap((name) => (entity[name] === undefined || entity[name] === null ? [] : [[name, entity[name]]])));
  const environment = entity["environment_vars"] ?? {};
  if (!isObject(environment) || !Object.values(environment).every((value) => typeof value === "string")) throw invalid(`'${at}.environment_vars' must be an object of strings.`);
  const common = { environment: environment as Record<string, string>, settings };
  const external = entity["external_model"] ?? undefined;
  if (external !== undefined) {
    if (!isObject(external)) throw invalid(`'${at}.external_model' must be an object.`);
    return { name: optionalString(entity, "name") ?? requiredString(external, "name"), external, ...common };
  }
  const model = optionalString(entity, "entity_name") ?? optionalString(entity, "model_name");
  if (model === undefined) throw invalid(`'${at}' needs 'entity_name' or 'external_model'.`);
  const version = optionalString(entity, "entity_version") ?? optionalString(entity, "model_version") ?? "1";
  const name = optionalString(entity, "name") ?? `${model.split(".").at(-1)}-${version}`;
  return { name, model: { name: model, version }, ...common };
}

function readTraffic(traffic: unknown, entities: Entity[]): Traffic[] {
  const routes = isObject(traffic) ? (traffic["routes"] ?? []) : [];
  if (!Array.isArray(routes)) throw invalid("'config.traffic_config.routes' must be a list.");
  if (routes.length === 0) {
    const [only, ...others] = entities;
    if (!only || others.length > 0) throw invalid("'config.traffic_config.routes' must say how the requests are shared between several served entities.");
    return [{ entity: only.name, percent: 100 }];
  }
  const read = routes.map((route: unknown, i): Traffic => {
    const at = `config.traffic_config.routes[${i}]`;
    if (!isObject(route)) throw invalid(`'${at}' must be an object.`);
    const entity = optionalString(route, "served_entity_name") ?? requiredString(route, "served_model_name");
    if (!entities.some(({ name }) => name === entity)) throw invalid(`'${at}' names '${entity}'; served are ${entities.map(({ name }) => name).join(", ")}.`);
    return { entity, percent: optionalInteger(route, "traffic_percentage", 0, 100) ?? 0 };
  });
  const sum = read.reduce((sum, { percent }) => sum + percent, 0);
  if (sum !== 100) throw invalid(`The traffic percentages must sum to 100, not ${sum}.`);
  return read;
}

/** Reads a list of tags. */
export function readTags(body: Record<string, unknown>, field: string): Tag[] {
  const given = body[field] ?? [];
  if (!Array.isArray(given)) throw invalid(`'${field}' must be a list.`);
  return given.map((tag: unknown, i) => {
    if (!isObject(tag)) throw invalid(`'${field}[${i}]' must be an object.`);
    return { key: requiredString(tag, "key"), value: optionalString(tag, "value") ?? "" };
  });
}

/** The tags after a change: those named in `delete_tags` are gone, those in `add_tags` have their new values. */
export function changeTags(tags: Tag[], body: Record<string, unknown>): Tag[] {
  const added = readTags(body, "add_tags");
  const gone = new Set([...(optionalStrings(body, "delete_tags") ?? []), ...added.map(({ key }) => key)]);
  return [...tags.filter(({ key }) => !gone.has(key)), ...added];
}
