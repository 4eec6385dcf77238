import type { Embeddings } from "../models/embeddings.js";
import { TOKEN_OWNER } from "../credentials.js";
import { invalid, notImplemented, unavailable } from "../http/errors.js";
import { isObject, optionalInteger, requiredString } from "../http/fields.js";
import type { Call, Handler, Reply, Route } from "../http/router.js";
import { readDefinition } from "../vector/definition.js";
import { search, searchNextPage } from "../vector/search.js";
import type { Endpoint, Row, StoredIndex, VectorStore } from "../vector/store.js";

const BASE = "/api/2.0/vector-search";
/** Databricks' limit on upserts and deletes. */
const DATA_LIMIT = 10 << 20;
const MAX_SCAN = 1000;

/** Vector search endpoints, Direct Access indexes, their rows, and queries. */
export class VectorSearchRoutes {
  readonly #store: VectorStore;
  readonly #embeddings: Embeddings;
  readonly #isLoading: (index: string) => boolean;

  /** `isLoading` tells of an index that is being filled for the first time. */
  constructor(store: VectorStore, embeddings: Embeddings, isLoading: (index: string) => boolean) {
    this.#store = store;
    this.#embeddings = embeddings;
    this.#isLoading = isLoading;
  }

  routes(): Route[] {
    const endpoints = `${BASE}/endpoints`;
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
      route("POST", endpoints, this.#createEndpoint),
      route("GET", endpoints, () => ({ json: { endpoints: this.#store.endpoints().map(endpointInfo) } })),
      route("GET", `${endpoints}/:endpoint`, ({ params }) => ({ json: endpointInfo(this.#store.endpoint(params["endpoint"] ?? "")) })),
      route("DELETE", `${endpoints}/:endpoint`, this.#deleteEndpoint),
      // Databricks' AI Search client names the endpoint in the path, its SDK does not; both mean the same.
      ...[indexes, `${endpoints}/:endpoint/indexes`].flatMap((collection) => [
        route("POST", collection, this.#createIndex),
        route("GET", collection, this.#listIndexes),
        route("GET", `${collection}/:index`, this.#getIndex),
        route("DELETE", `${collection}/:index`, this.#deleteIndex),
      ]),
      route("POST", `${index}/upsert-data`, this.#upsert, DATA_LIMIT),
      route("DELETE", `${index}/delete-data`, this.#deleteData, DATA_LIMIT),
      route("POST", `${index}/sync`, this.#sync),
      ...eitherMethod(`${index}/query`, this.#query),
      ...eitherMethod(`${index}/query-next-page`, this.#queryNextPage),
      ...eitherMethod(`${index}/scan`, this.#scan),
    ];
  }

  #createEndpoint({ body }: Call): Reply {
    const name = requiredString(body, "name");
    if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name)) throw invalid("'name' takes letters, digits, '-' and '_' only.");
    const type = requiredString(body, "endpoint_type");
    if (type === "STORAGE_OPTIMIZED") throw notImplemented("The local workspace has STANDARD vector search endpoints only.");
    if (type !== "STANDARD") throw invalid(`'endpoint_type' must be STANDARD, not '${type}'.`);
    return { json: endpointInfo(this.#store.createEndpoint(name)) };
  }

  #deleteEndpoint({ params }: Call): Reply {
    this.#store.deleteEndpoint(params["endpoint"] ?? "");
    return { json: {} };
  }

  #createIndex({ body, params, origin }: Call): Reply {
    const definition = readDefinition(body, params["endpoint"], (name) => this.#embeddings.model(name).dimension);
    const model = definition.embeddingEndpoint === undefined ? "" : this.#embeddings.model(definition.embeddingEndpoint).id;
    return { json: this.#indexInfo(this.#store.createIndex(definition, model), origin) };
  }

  #listIndexes({ params, query }: Call): Reply {
    const endpoint = params["endpoint"] ?? query.get("endpoint_name") ?? "";
    this.#store.endpoint(endpoint);
    const indexes = this.#store.indexes().filter((index) => index.endpoint === endpoint);
    return { json: { vector_indexes: indexes.map(miniIndexInfo) } };
  }

  #getIndex({ params, origin }: Call): Reply {
    return { json: this.#indexInfo(this.#index(params), origin) };
  }

  #deleteIndex({ params }: Call): Reply {
    this.#store.deleteIndex(this.#index(params).name);
    return { json: {} };
  }

  async #upsert({ params, body }: Call): Promise<Reply> {
    const index = this.#index(params);
    const rows = readRows(requiredString(body, "inputs_json"), index);
    await this.#embedRows(index, rows);
    this.#store.upsert(index, rows);
    return { json: { status: "SUCCESS", result: { success_row_count: rows.length } } };
  }

  async #embedRows(index: StoredIndex, rows: Row[]): Promise<void> {
    const bare = rows.filter((row) => (row[index.vectorColumn] ?? null) === null);
    if (bare.length === 0) return;
    const { sourceColumn } = index;
    if (sourceColumn === undefined) throw invalid(`Each row needs its vector in the column '${index.vectorColumn}'.`);
    const texts = bare.map((row) => {
      const text = row[sourceColumn];
      if (typeof text !== "string") throw invalid(`Each row needs a text in '${sourceColumn}' or a vector in '${index.vectorColumn}'.`);
      return text;
    });
    const vectors = await this.#embeddings.embedFor(index, texts);
    for (const [i, row] of bare.entries()) row[index.vectorColumn] = vectors[i];
  }

  #deleteData({ params, body, query }: Call): Reply {
    const keys: unknown = body["primary_keys"] ?? query.getAll("primary_keys");
    if (!Array.isArray(keys) || keys.length === 0) throw invalid("'primary_keys' must list the keys of the rows to delete.");
    const deleted = this.#store.deleteRows(this.#index(params), keys);
    return { json: { status: "SUCCESS", result: { success_row_count: deleted } } };
  }

  #sync({ params }: Call): Reply {
    throw invalid(`Index ${this.#index(params).name} is a Direct Access index: it has no source table to sync from.`);
  }

  async #query({ params, body }: Call): Promise<Reply> {
    const index = this.#filledIndex(params);
    return { json: await search(this.#store, index, body, this.#embedQuery) };
  }

  async #queryNextPage({ params, body }: Call): Promise<Reply> {
    const index = this.#filledIndex(params);
    return { json: await searchNextPage(this.#store, index, requiredString(body, "page_token"), this.#embedQuery) };
  }

  readonly #embedQuery = async (index: StoredIndex, text: string) => {
    const [vector] = await this.#embeddings.embedFor(index, [text]);
    return vector ?? [];
  };

  #scan({ params, body }: Call): Reply {
    const index = this.#index(params);
    const limit = optionalInteger(body, "num_results", 1, MAX_SCAN) ?? 10;
    const rows = this.#store.scan(index, limit, body["last_primary_key"] ?? undefined);
    const last = rows.at(-1)?.[index.primaryKey];
    return { json: { data: rows.map(structEntries), ...(last !== undefined && { last_primary_key: String(last) }) } };
  }

  /** The index of the path. Where the path names an endpoint too, the index must be on it. */
  #index(params: Record<string, string>): StoredIndex {
    const index = this.#store.index(params["index"] ?? "");
    const endpoint = params["endpoint"];
    if (endpoint !== undefined && index.endpoint !== endpoint) {
      throw invalid(`Vector search index ${index.name} is on endpoint ${index.endpoint}, not on ${endpoint}.`);
    }
    return index;
  }

  #filledIndex(params: Record<string, string>): StoredIndex {
    const index = this.#index(params);
    if (this.#isLoading(index.name) && this.#store.count(index) === 0) {
      throw unavailable(`Index ${index.name} is being filled for the first time.`, 2);
    }
    return index;
  }

  #indexInfo(index: StoredIndex, origin: string): object {
    const loading = this.#isLoading(index.name);
    return {
      ...miniIndexInfo(index),
      direct_access_index_spec: index.spec,
      status: {
        detailed_state: loading ? "PROVISIONING_INITIAL_SNAPSHOT" : "ONLINE_DIRECT_ACCESS",
        message: loading ? "The documents are being read" : "Index is online",
        ready: !loading,
        indexed_row_count: this.#store.count(index),
        index_url: `${origin}${BASE}/indexes/${index.name}`,
      },
    };
  }
}

function endpointInfo({ name, id, created, indexes }: Endpoint): object {
  return {
    name,
    id,
    endpoint_type: "STANDARD",
    endpoint_status: { state: "ONLINE", message: "" },
    num_indexes: indexes,
    creator: TOKEN_OWNER,
    creation_timestamp: created,
    last_updated_timestamp: created,
    last_updated_user: TOKEN_OWNER,
  };
}

function miniIndexInfo(index: StoredIndex): object {
  return {
    name: index.name,
    endpoint_name: index.endpoint,
    primary_key: index.primaryKey,
    index_type: "DIRECT_ACCESS",
    creator: TOKEN_OWNER,
  };
}

function readRows(json: string, index: StoredIndex): Row[] {
  let rows: unknown;
  try {
    rows = JSON.parse(json);
  } catch (error) {
    throw invalid(`'inputs_json' is not valid JSON: ${(error as Error).message}`);
  }
  if (!Array.isArray(rows) || !rows.every(isObject)) throw invalid("'inputs_json' must hold a JSON list of rows.");
  for (const [i, row] of rows.entries()) checkRow(`Row ${i} of 'inputs_json'`, row, index);
  return rows;
}

function checkRow(what: string, row: Row, index: StoredIndex): void {
  const unknown = Object.keys(row).find((column) => !Object.hasOwn(index.columns, column));
  if (unknown !== undefined) throw invalid(`${what} has the column '${unknown}', which index '${index.name}' lacks.`);
  if ((row[index.primaryKey] ?? null) === null) throw invalid(`${what} lacks its primary key '${index.primaryKey}'.`);
  const vector = row[index.vectorColumn] ?? undefined;
  if (vector === undefined) return;
  if (!Array.isArray(vector) || !vector.every((x) => Number.isFinite(x))) {
    throw invalid(`${what} needs a list of numbers in '${index.vectorColumn}'.`);
  }
  if (vector.length !== index.dimension) {
    throw invalid(`${what} has a vector of ${vector.length} dimensions, index '${index.name}' has ${index.dimension}.`);
  }
}

/** A row as a protobuf Struct in JSON: a list of entries, each value tagged with its kind. */
function structEntries(row: Row): object {
  return { fields: Object.entries(row).map(([key, value]) => ({ key, value: structValue(value) })) };
}

function structValue(value: unknown): object {
  if (typeof value === "string") return { string_value: value };
  if (typeof value === "number") return { number_value: value };
  if (typeof value === "boolean") return { bool_value: value };
  if (Array.isArray(value)) return { list_value: { values: value.map(structValue) } };
  return { null_value: "NULL_VALUE" };
}
