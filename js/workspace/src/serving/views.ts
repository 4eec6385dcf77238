import { createHash } from "node:crypto";
import type { EndpointConfig, Entity } from "./definition.js";
import type { Endpoint } from "./endpoint.js";

/** The id of the serving endpoint of a name. */
export const endpointId = (name: string) => createHash("md5").update(name).digest("hex");

/** An endpoint in the list of all. */
export function summary(endpoint: Endpoint): object {
  const { builtIn, record } = endpoint;
  const entities = (record.config ?? record.pending)?.entities ?? [];
  return { ...common(endpoint), config: { served_entities: builtIn ? [foundationEntity(endpoint)] : entities.map(spec) } };
}

/** All that is told of an endpoint. */
export function detail(endpoint: Endpoint): object {
  const { builtIn, record } = endpoint;
  const { config, pending, failure } = record;
  if (builtIn) return { ...common(endpoint), permission_level: "CAN_QUERY", config: { served_entities: [foundationEntity(endpoint)] } };
  const deployment = failure === undefined ? "DEPLOYMENT_CREATING" : "DEPLOYMENT_FAILED";
  const message = failure ?? "The model is being started.";
  return {
    ...common(endpoint),
    permission_level: "CAN_MANAGE",
    route_optimized: false,
    ...(config && { config: describe(endpoint, config, { deployment: "DEPLOYMENT_READY", deployment_state_message: "" }) }),
    ...(pending && { pending_config: { ...describe(endpoint, pending, { deployment, deployment_state_message: message }), start_time: record.updated } }),
  };
}

function common({ name, builtIn, record, task }: Endpoint): object {
  const { pending, failure, config } = record;
  const config_update = !pending ? "NOT_UPDATING" : failure === undefined ? "IN_PROGRESS" : "UPDATE_FAILED";
  const description = builtIn?.isAlias ? `Another name of '${builtIn.endpoint}', which is not the model of this name.` : record.description;
  return {
    name,
    id: endpointId(name),
    creator: record.creator,
    creation_timestamp: record.created,
    last_updated_timestamp: record.updated,
    state: { ready: builtIn || config ? "READY" : "NOT_READY", config_update },
    ...(task && { task }),
    ...(builtIn && { endpoint_type: "FOUNDATION_MODEL_API" }),
    ...(description !== undefined && { description }),
    ...(record.tags.length > 0 && { tags: record.tags }),
    ...(record.gateway && { ai_gateway: record.gateway }),
    ...(record.rateLimits.length > 0 && { rate_limits: record.rateLimits }),
  };
}

/** The served entity of an endpoint of the workspace's own: it names what really runs. */
function foundationEntity({ builtIn }: Endpoint): object {
  const { entity, displayName } = builtIn ?? { entity: "", displayName: "" };
  const foundation_model = { name: entity, display_name: displayName, description: "Runs on this machine", docs: "" };
  return { name: displayName, entity_name: entity, foundation_model };
}

function spec({ name, model, external }: Entity): object {
  if (external) return { name, external_model: withoutSecrets(external) };
  return { name, entity_name: model?.name, entity_version: model?.version };
}

function describe({ record }: Endpoint, { version, entities, traffic }: EndpointConfig, state: object): object {
  const times = { creation_timestamp: record.updated, creator: record.creator };
  const routes = traffic.map(({ entity, percent }) => ({ served_model_name: entity, served_entity_name: entity, traffic_percentage: percent }));
  return {
    config_version: version,
    served_entities: entities.map((entity) => ({
      ...spec(entity),
      ...entity.settings,
      ...(Object.keys(entity.environment).length > 0 && { environment_vars: entity.environment }),
      ...times,
      state,
    })),
    served_models: entities.flatMap(({ name, model, settings }) =>
      model ? [{ name, model_name: model.name, model_version: model.version, ...settings, ...times, state }] : []),
    traffic_config: { routes },
  };
}

/** The definition of an external model; credentials in plain text are told to nobody. */
function withoutSecrets(definition: Record<string, unknown>): object {
  return JSON.parse(JSON.stringify(definition, (name, value: unknown) => (name.endsWith("_plaintext") ? undefined : value))) as object;
}
