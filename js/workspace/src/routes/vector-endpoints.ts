import { TOKEN_OWNER } from "../credentials.js";
import { invalid } from "../http/errors.js";
import { isObject, optionalInteger, optionalString, requiredString } from "../http/fields.js";
import type { Call, Handler, Reply, Route } from "../http/router.js";
import type { VectorSearch } from "../vector/service.js";
import type { Endpoint, EndpointSettings } from "../vector/endpoint-store.js";

const ENDPOINTS = "/api/2.0/vector-search/endpoints";
const MAX_QPS = 1_000_000;
/** Databricks' limit on the tags of one endpoint. */
const MAX_TAGS = 20;

/** Endpoints of vector search. They are online as soon as they exist, or are started. */
export class VectorEndpointRoutes {
  readonly #search: VectorSearch;

  constructor(search: VectorSearch) {
    this.#search = search;
  }

  routes(): Route[] {
    const one = `${ENDPOINTS}/:endpoint`;
    const route = (method: string, path: string, handler: Handler): Route => ({ method, path, handler: handler.bind(this) });
    return [
      route("POST", ENDPOINTS, this.#create),
      route("GET", ENDPOINTS, () => ({ json: { endpoints: this.#search.store.endpoints.list().map(endpointInfo) } })),
      route("GET", one, ({ params }) => ({ json: endpointInfo(this.#search.store.endpoints.get(params["endpoint"] ?? "")) })),
      route("DELETE", one, this.#delete),
      route("PATCH", one, this.#patch),
      route("PATCH", `${one}/budget-policy`, this.#patchBudgetPolicy),
      route("PATCH", `${one}/tags`, this.#patchTags),
      route("POST", `${one}/start`, (call) => this.#change(call, { stopped: false })),
      route("POST", `${one}/stop`, (call) => this.#change(call, { stopped: true })),
    ];
  }

  #create({ body }: Call): Reply {
    return { json: endpointInfo(this.#search.createEndpoint(requiredString(body, "name"), body)) };
  }

  #delete({ params }: Call): Reply {
    this.#search.store.endpoints.delete(params["endpoint"] ?? "");
    return { json: {} };
  }

  #patch(call: Call): Reply {
    const targetQps = optionalInteger(call.body, "target_qps", -1, MAX_QPS);
    if (targetQps === undefined) throw invalid("'target_qps' is required.");
    return this.#change(call, { targetQps });
  }

  #patchBudgetPolicy(call: Call): Reply {
    const budgetPolicy = requiredString(call.body, "budget_policy_id");
    this.#change(call, { budgetPolicy });
    return { json: { effective_budget_policy_id: budgetPolicy } };
  }

  #patchTags(call: Call): Reply {
    const tags = readTags(call.body);
    this.#change(call, { tags });
    return { json: { custom_tags: tags } };
  }

  #change({ params }: Call, change: Partial<EndpointSettings>): Reply {
    return { json: endpointInfo(this.#search.store.endpoints.change(params["endpoint"] ?? "", change)) };
  }
}

/** Reads `custom_tags`. */
export function readTags(body: Record<string, unknown>): Array<{ key: string; value: string }> {
  const tags: unknown = body["custom_tags"];
  if (!Array.isArray(tags) || !tags.every(isObject)) throw invalid("'custom_tags' must be a list of objects with a 'key'.");
  if (tags.length > MAX_TAGS) throw invalid(`'custom_tags' has ${tags.length} tags; an endpoint has up to ${MAX_TAGS}.`);
  return tags.map((tag) => ({ key: requiredString(tag, "key"), value: optionalString(tag, "value") ?? "" }));
}

function endpointInfo(endpoint: Endpoint): object {
  const { name, id, type, created, updated = created, indexes, stopped, targetQps, budgetPolicy, tags } = endpoint;
  return {
    name,
    id,
    endpoint_type: type,
    endpoint_status: { state: stopped ? "STOPPED" : "ONLINE", message: "" },
    num_indexes: indexes,
    creator: TOKEN_OWNER,
    creation_timestamp: created,
    last_updated_timestamp: updated,
    last_updated_user: TOKEN_OWNER,
    ...(tags && { custom_tags: tags }),
    ...(budgetPolicy !== undefined && { budget_policy_id: budgetPolicy, effective_budget_policy_id: budgetPolicy }),
    ...(targetQps !== undefined && { scaling_info: { requested_target_qps: targetQps, state: "SCALING_CHANGE_APPLIED" } }),
  };
}
