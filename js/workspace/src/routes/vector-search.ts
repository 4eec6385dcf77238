import { TOKEN_OWNER } from "../credentials.js";
import { invalid } from "../http/errors.js";
import { optionalInteger, optionalString, requiredString } from "../http/fields.js";
import type { Call, Handler, Reply, Route } from "../http/router.js";
import type { VectorSearch } from "../vector/service.js";
import type { Endpoint } from "../vector/endpoint-store.js";
import type { StoredIndex } from "../vector/store.js";
import { structEntries } from "./struct.js";

const BASE = "/api/2.0/vector-search";
/** Databricks' limit on upserts and deletes. */
const DATA_LIMIT = 10 << 20;
const MAX_SCAN = 1000;

/** Indexes of vector search, their rows, and queries. */
export class VectorSearchRoutes {
  readonly #search: VectorSearch;

  constructor(search: VectorSearch) {
    this.#search = search;
  }

  routes(): Route[] {
    const indexes = `${BASE}/indexes`;
    const index = `${indexes}/:index`;
    const route = (method: string, path: string, handler: Handler, limit?: number): Route => ({
      method,
      path,
      handler: handler.bind(this),
      ...(limit !== undefined && { limit }),
    });
    const eitherMethod = (path: string, handler: Handler) => ["GET", "POST"].map((method) => route(method, path, handler));
    return [
      // Databricks' AI Search client names the endpoint in the path, its SDK does not; both mean the same.
      ...[indexes, `${BASE}/endpoints/:endpoint/indexes`].flatMap((collection) => [
        route("POST", collection, this.#createIndex),
        route("GET", collection, this.#listIndexes),
        route("GET", `${collection}/:index`, this.#getIndex),
        route("DELETE", `${collection}/:index`, this.#deleteIndex),
      ]),
      route("PATCH", index, this.#patchIndex),
      route("PATCH", `${index}/usage-policy`, this.#patchUsagePolicy),
      route("POST", `${index}/upsert-data`, this.#upsert, DATA_LIMIT),
      route("DELETE", `${index}/delete-data`, this.#deleteData, DATA_LIMIT),
      route("POST", `${index}/sync`, this.#sync),
      ...eitherMethod(`${index}/query`, this.#query),
      ...eitherMethod(`${index}/query-next-page`, this.#queryNextPage),
      ...eitherMethod(`${index}/scan`, this.#scan),
    ];
  }

  async #createIndex({ body, params, origin }: Call): Promise<Reply> {
    return { json: this.#indexInfo(await this.#search.createIndex(body, params["endpoint"]), origin) };
  }

  #listIndexes({ params, query }: Call): Reply {
    const endpoint = this.#search.store.endpoints.get(params["endpoint"] ?? query.get("endpoint_name") ?? "");
    const indexes = this.#search.store.indexes().filter((index) => index.endpoint === endpoint.name);
    return { json: { vector_indexes: indexes.map((index) => miniIndexInfo(index, endpoint)) } };
  }

  #getIndex({ params, origin }: Call): Reply {
    return { json: this.#indexInfo(this.#index(params), origin) };
  }

  async #deleteIndex({ params }: Call): Promise<Reply> {
    await this.#search.store.deleteIndex(this.#index(params).name);
    return { json: {} };
  }

  #patchIndex({ params, query, body, origin }: Call): Reply {
    const index = this.#index(params);
    const mask = query.get("update_mask") ?? "";
    if (mask !== "payload_logging_enabled") throw invalid(`'update_mask' must be payload_logging_enabled, not '${mask}'.`);
    this.#search.store.changeIndex({ ...index, payloadLogging: body["payload_logging_enabled"] === true });
    return { json: this.#indexInfo(this.#index(params), origin) };
  }

  #patchUsagePolicy({ params, body, origin }: Call): Reply {
    const index = this.#index(params);
    this.#search.store.changeIndex({ ...index, usagePolicy: requiredString(body, "usage_policy_id") });
    return { json: this.#indexInfo(this.#index(params), origin) };
  }

  async #upsert({ params, body }: Call): Promise<Reply> {
    const count = await this.#search.upsert(this.#index(params), requiredString(body, "inputs_json"));
    return { json: { status: "SUCCESS", result: { success_row_count: count } } };
  }

  async #deleteData({ params, body, query }: Call): Promise<Reply> {
    const keys = body["primary_keys"] ?? query.getAll("primary_keys");
    const count = await this.#search.deleteRows(this.#index(params), keys);
    return { json: { status: "SUCCESS", result: { success_row_count: count } } };
  }

  #sync({ params }: Call): Reply {
    this.#search.sync(this.#index(params));
    return { json: {} };
  }

  async #query({ params, body }: Call): Promise<Reply> {
    return { json: await this.#search.query(this.#index(params), body) };
  }

  async #queryNextPage({ params, body }: Call): Promise<Reply> {
    return { json: await this.#search.queryNextPage(this.#index(params), requiredString(body, "page_token")) };
  }

  #scan({ params, body }: Call): Reply {
    const index = this.#index(params);
    const limit = optionalInteger(body, "num_results", 1, MAX_SCAN) ?? 10;
    const rows = this.#search.store.scan(index, limit, optionalString(body, "last_primary_key") || undefined);
    const last = rows.at(-1)?.[index.primaryKey];
    return { json: { data: rows.map(structEntries), ...(last !== undefined && { last_primary_key: String(last) }) } };
  }

  #index(params: Record<string, string>): StoredIndex {
    return this.#search.index(params["index"] ?? "", params["endpoint"]);
  }

  #indexInfo(index: StoredIndex, origin: string): object {
    const { state, message, ready, rows, sync } = this.#search.status(index);
    const updates = sync?.version !== undefined && {
      triggered_update_status: {
        last_processed_commit_version: sync.version,
        last_processed_commit_timestamp: sync.committed,
      },
    };
    return {
      ...miniIndexInfo(index, this.#search.store.endpoints.get(index.endpoint)),
      [index.source ? "delta_sync_index_spec" : "direct_access_index_spec"]: index.spec,
      ...(index.usagePolicy !== undefined && { usage_policy_id: index.usagePolicy }),
      ...(index.payloadLogging !== undefined && { payload_logging_enabled: index.payloadLogging }),
      status: {
        detailed_state: state,
        message,
        ready,
        indexed_row_count: rows,
        index_url: `${origin}${BASE}/indexes/${index.name}`,
        ...updates,
        ...(sync?.running && !ready && { provisioning_status: { initial_pipeline_sync_progress: { num_synced_rows: sync.done } } }),
      },
    };
  }
}

function miniIndexInfo(index: StoredIndex, endpoint: Endpoint): object {
  return {
    name: index.name,
    id: index.id,
    endpoint_name: index.endpoint,
    endpoint_id: endpoint.id,
    primary_key: index.primaryKey,
    index_type: index.type,
    index_subtype: index.subtype,
    creator: TOKEN_OWNER,
  };
}
