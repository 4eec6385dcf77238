import { TOKEN_OWNER } from "../credentials.js";
import { ApiError, invalid } from "../http/errors.js";
import { isObject, optionalInteger, optionalString, requiredString } from "../http/fields.js";
import type { Call, Handler, Reply, Route } from "../http/router.js";
import type { VectorSearch } from "../vector/service.js";
import type { Endpoint, EndpointSettings } from "../vector/endpoint-store.js";
import type { StoredIndex } from "../vector/store.js";
import { readTags } from "./vector-endpoints.js";

const PARENT = "/api/2.0/ai-search/workspaces/:workspace";
const ENDPOINT = `${PARENT}/endpoints/:endpoint`;
/** Databricks' limit on upserts and deletes. */
const DATA_LIMIT = 10 << 20;
const MAX_SCAN = 1000;

/** The verbs of an index: `…/indexes/{name}:{verb}`. */
type Verb = (index: StoredIndex, body: Record<string, unknown>) => object | Promise<object>;

/** AI Search v2: the same endpoints and indexes under resource names and custom verbs, as the `ai_search` service of the SDK calls them. */
export class AiSearchRoutes {
  readonly #search: VectorSearch;
  readonly #verbs: Record<string, Verb>;

  constructor(search: VectorSearch) {
    this.#search = search;
    this.#verbs = {
      query: (index, body) => search.query(index, { ...body, num_results: body["max_results"] }),
      upsertData: async (index, body) => success(await search.upsert(index, requiredString(body, "inputs_json"))),
      removeData: async (index, body) => success(await search.deleteRows(index, body["primary_keys"])),
      scan: (index, body) => this.#scan(index, body),
      sync: (index) => (search.sync(index), {}),
    };
  }

  routes(): Route[] {
    const route = (method: string, path: string, handler: Handler, limit?: number): Route => ({
      method,
      path,
      handler: handler.bind(this),
      ...(limit !== undefined && { limit }),
    });
    return [
      route("POST", `${PARENT}/endpoints`, this.#createEndpoint),
      route("GET", `${PARENT}/endpoints`, this.#listEndpoints),
      route("GET", ENDPOINT, ({ params }) => ({ json: endpointInfo(this.#search.store.endpoints.get(params["endpoint"] ?? ""), params) })),
      route("PATCH", ENDPOINT, this.#updateEndpoint),
      route("DELETE", ENDPOINT, this.#deleteEndpoint),
      route("POST", `${ENDPOINT}/indexes`, this.#createIndex),
      route("GET", `${ENDPOINT}/indexes`, this.#listIndexes),
      route("GET", `${ENDPOINT}/indexes/:index`, (call) => ({ json: this.#indexInfo(this.#index(call.params), call) })),
      route("DELETE", `${ENDPOINT}/indexes/:index`, this.#deleteIndex),
      route("POST", `${ENDPOINT}/indexes/:index`, this.#verb, DATA_LIMIT),
    ];
  }

  #createEndpoint({ query, body, params }: Call): Reply {
    const name = query.get("endpoint_id");
    if (!name) throw invalid("'endpoint_id' is required in the query.");
    return { json: endpointInfo(this.#search.createEndpoint(name, body), params) };
  }

  #listEndpoints({ params }: Call): Reply {
    return { json: { endpoints: this.#search.store.endpoints.list().map((endpoint) => endpointInfo(endpoint, params)) } };
  }

  #updateEndpoint({ params, query, body }: Call): Reply {
    const { name } = this.#search.store.endpoints.get(params["endpoint"] ?? "");
    const change: Partial<EndpointSettings> = {};
    for (const field of (query.get("update_mask") ?? "").split(",").map(snakeCase)) {
      if (field === "target_qps") change.targetQps = optionalInteger(body, field, -1, Number.MAX_SAFE_INTEGER);
      else if (field === "budget_policy_id" || field === "usage_policy_id") change.budgetPolicy = optionalString(body, field);
      else if (field === "custom_tags") change.tags = readTags(body);
      else throw invalid(`'update_mask' takes target_qps, budget_policy_id and custom_tags, not '${field}'.`);
    }
    return { json: endpointInfo(this.#search.store.endpoints.change(name, change), params) };
  }

  #deleteEndpoint({ params }: Call): Reply {
    this.#search.store.endpoints.delete(params["endpoint"] ?? "");
    return { json: {} };
  }

  async #createIndex(call: Call): Promise<Reply> {
    const name = call.query.get("index_id");
    if (!name) throw invalid("'index_id' is required in the query.");
    const body = renamed(call.body, "embedding_model_endpoint", "embedding_model_endpoint_name");
    return { json: this.#indexInfo(await this.#search.createIndex({ ...body, name }, call.params["endpoint"]), call) };
  }

  #listIndexes(call: Call): Reply {
    const endpoint = this.#search.store.endpoints.get(call.params["endpoint"] ?? "");
    const indexes = this.#search.store.indexes().filter((index) => index.endpoint === endpoint.name);
    return { json: { indexes: indexes.map((index) => this.#indexInfo(index, call)) } };
  }

  async #deleteIndex({ params }: Call): Promise<Reply> {
    await this.#search.store.deleteIndex(this.#index(params).name);
    return { json: {} };
  }

  async #verb({ method, params, body }: Call): Promise<Reply> {
    const [, name = "", verb = ""] = /^(.*):(\w+)$/.exec(params["index"] ?? "") ?? [];
    const run = Object.hasOwn(this.#verbs, verb) ? this.#verbs[verb] : undefined;
    if (!run) throw new ApiError(404, "ENDPOINT_NOT_FOUND", `No API found for '${method} …/indexes/${params["index"]}'`);
    return { json: await run(this.#index({ ...params, index: name }), body) };
  }

  /** Pages through the rows; a token is the last key of the page before it. */
  #scan(index: StoredIndex, body: Record<string, unknown>): object {
    const limit = optionalInteger(body, "page_size", 0, MAX_SCAN) || 10;
    const rows = this.#search.store.scan(index, limit, optionalString(body, "page_token") || undefined);
    const last = rows.at(-1)?.[index.primaryKey];
    return { data: rows, next_page_token: rows.length < limit ? "" : String(last) };
  }

  #index(params: Record<string, string>): StoredIndex {
    return this.#search.index(params["index"] ?? "", params["endpoint"]);
  }

  #indexInfo(index: StoredIndex, { params, origin }: Call): object {
    const { message, ready, rows } = this.#search.status(index);
    const endpoint = `${resource(params)}/endpoints/${index.endpoint}`;
    return {
      name: `${endpoint}/indexes/${index.name}`,
      endpoint,
      primary_key: index.primaryKey,
      index_type: index.type,
      index_subtype: index.subtype,
      creator: TOKEN_OWNER,
      [index.source ? "delta_sync_index_spec" : "direct_access_index_spec"]: renamed(index.spec, "embedding_model_endpoint_name", "embedding_model_endpoint"),
      status: { message, ready, indexed_row_count: rows, index_url: `${origin}/api/2.0/vector-search/indexes/${index.name}` },
    };
  }
}

/** The JSON object with a member called otherwise, however deep it is. */
function renamed(body: Record<string, unknown>, from: string, to: string): Record<string, unknown> {
  const text = JSON.stringify(body, (_, value: unknown) => {
    if (!isObject(value) || !Object.hasOwn(value, from)) return value;
    const { [from]: moved, ...others } = value;
    return { ...others, [to]: moved };
  });
  return JSON.parse(text) as Record<string, unknown>;
}

const snakeCase = (name: string) => name.trim().replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const resource = (params: Record<string, string>) => `workspaces/${params["workspace"]}`;

const success = (count: number) => ({ status: "SUCCESS", result: { success_row_count: count } });

function endpointInfo(endpoint: Endpoint, params: Record<string, string>): object {
  const { name, id, type, created, updated = created, indexes, stopped, targetQps, budgetPolicy, tags } = endpoint;
  return {
    name: `${resource(params)}/endpoints/${name}`,
    id,
    endpoint_type: type,
    endpoint_status: { state: stopped ? "STOPPED" : "ONLINE", message: "" },
    index_count: indexes,
    creator: TOKEN_OWNER,
    create_time: new Date(created).toISOString(),
    update_time: new Date(updated).toISOString(),
    last_updated_user: TOKEN_OWNER,
    ...(tags && { custom_tags: tags }),
    ...(budgetPolicy !== undefined && { budget_policy_id: budgetPolicy, effective_budget_policy_id: budgetPolicy }),
    ...(targetQps !== undefined && { target_qps: targetQps, scaling_info: { requested_target_qps: targetQps, state: "SCALING_CHANGE_APPLIED" } }),
  };
}
