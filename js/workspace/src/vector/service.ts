import { invalid, unavailable } from "../http/errors.js";
import { optionalString, requiredString } from "../http/fields.js";
import type { Embeddings } from "../models/embeddings.js";
import type { Row } from "./columns.js";
import { checkStorageOptimized, readDirectDefinition, type IndexDefinition } from "./definition.js";
import { readDeltaDefinition } from "./delta-definition.js";
import { DeltaSync, type SyncState } from "./delta-sync.js";
import type { Endpoint } from "./endpoint-store.js";
import { readRows } from "./rows.js";
import { search, searchNextPage, type SearchModels } from "./search.js";
import type { SourceTables } from "./source-tables.js";
import type { StoredIndex, VectorStore } from "./store.js";

/** What an index is doing, in Databricks' words. */
export interface IndexStatus {
  state: string;
  message: string;
  ready: boolean;
  rows: number;
  sync: SyncState | undefined;
}

export interface VectorSearchParts {
  store: VectorStore;
  embeddings: Embeddings;
  tables: SourceTables;
  /** The endpoint of the embedding model that reranks. */
  rerankingEndpoint: string;
  /** Tells of an index that the workspace itself is filling for the first time. */
  isLoading: (index: string) => boolean;
}

/** What the routes of vector search do, whatever their version. */
export class VectorSearch {
  readonly store: VectorStore;
  readonly #embeddings: Embeddings;
  readonly #tables: SourceTables;
  readonly #isLoading: (index: string) => boolean;
  readonly #sync: DeltaSync;
  readonly #models: SearchModels;

  constructor({ store, embeddings, tables, rerankingEndpoint, isLoading }: VectorSearchParts) {
    this.store = store;
    this.#embeddings = embeddings;
    this.#tables = tables;
    this.#isLoading = isLoading;
    this.#sync = new DeltaSync(store, tables, (index, rows) => this.#embedRows(index, rows));
    this.#models = {
      embedQuery: (index, text) => embeddings.embedQuery(index, text),
      embed: async (texts) => (await embeddings.model(rerankingEndpoint).embed(texts)).vectors,
    };
  }

  async close(): Promise<void> {
    await this.#sync.close();
  }

  /** Makes an endpoint of a create request. */
  createEndpoint(name: string, body: Record<string, unknown>): Endpoint {
    if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name)) throw invalid("'name' takes letters, digits, '-' and '_' only.");
    const type = requiredString(body, "endpoint_type");
    if (type !== "STANDARD" && type !== "STORAGE_OPTIMIZED") {
      throw invalid(`'endpoint_type' must be STANDARD or STORAGE_OPTIMIZED, not '${type}'.`);
    }
    const budgetPolicy = optionalString(body, "budget_policy_id") ?? optionalString(body, "usage_policy_id");
    const targetQps = typeof body["target_qps"] === "number" ? body["target_qps"] : undefined;
    return this.store.endpoints.create(name, { type, budgetPolicy, targetQps });
  }

  /** Makes an index of a create request; `endpoint` is that of the path, where the path has one. */
  async createIndex(body: Record<string, unknown>, endpoint: string | undefined): Promise<StoredIndex> {
    const definition = await this.#readDefinition(body, endpoint);
    if (this.store.endpoints.get(definition.endpoint).type === "STORAGE_OPTIMIZED") checkStorageOptimized(definition);
    const { embeddingEndpoint } = definition;
    const model = embeddingEndpoint === undefined ? "" : this.#embeddings.model(embeddingEndpoint).id;
    const index = this.store.createIndex(definition, model);
    if (index.source) await this.#sync.fill(index);
    return index;
  }

  async #readDefinition(body: Record<string, unknown>, endpoint: string | undefined): Promise<IndexDefinition> {
    const type = requiredString(body, "index_type");
    const dimensionOf = (name: string) => this.#embeddings.model(name).dimension;
    if (type === "DIRECT_ACCESS") return readDirectDefinition(body, endpoint, dimensionOf);
    if (type !== "DELTA_SYNC") throw invalid(`'index_type' must be DELTA_SYNC or DIRECT_ACCESS, not '${type}'.`);
    const { type: endpointType } = this.store.endpoints.get(endpoint ?? requiredString(body, "endpoint_name"));
    return readDeltaDefinition(body, endpoint, dimensionOf, this.#tables, endpointType === "STANDARD");
  }

  /** The index with this name. Where an endpoint is given too, the index must be on it. */
  index(name: string, endpoint?: string): StoredIndex {
    const index = this.store.index(name);
    if (endpoint !== undefined && index.endpoint !== endpoint) {
      throw invalid(`Vector search index ${index.name} is on endpoint ${index.endpoint}, not on ${endpoint}.`);
    }
    return index;
  }

  status(index: StoredIndex): IndexStatus {
    const rows = this.store.count(index);
    if (index.source) return this.#syncStatus(index, rows);
    const loading = this.#isLoading(index.name);
    return {
      state: loading ? "PROVISIONING_INITIAL_SNAPSHOT" : "ONLINE_DIRECT_ACCESS",
      message: loading ? "The documents are being read" : "Index is online",
      ready: !loading,
      rows,
      sync: undefined,
    };
  }

  #syncStatus(index: StoredIndex, rows: number): IndexStatus {
    const sync = this.#sync.state(index);
    const ready = sync.version !== undefined;
    const updating = index.source?.pipeline === "CONTINUOUS" ? "ONLINE_CONTINUOUS_UPDATE" : "ONLINE_TRIGGERED_UPDATE";
    const online = sync.failure !== undefined ? "ONLINE_PIPELINE_FAILED" : sync.running ? updating : "ONLINE_NO_PENDING_UPDATE";
    const offline = sync.failure !== undefined && !sync.running ? "OFFLINE_FAILED" : "PROVISIONING_INITIAL_SNAPSHOT";
    const progress = `${sync.done} rows of ${index.source?.table} are compared`;
    const message = sync.failure ?? (sync.running ? progress : "Index is online");
    return { state: ready ? online : offline, message, ready, rows, sync };
  }

  /** Writes the rows of `inputs_json`, and returns how many. */
  async upsert(index: StoredIndex, inputs: string): Promise<number> {
    refuseDeltaSync(index);
    const rows = readRows(inputs, index);
    if (index.vectorColumn !== undefined) await this.#embedRows(index, rows);
    await this.store.upsert(index, rows);
    return rows.length;
  }

  async #embedRows(index: StoredIndex, rows: Row[]): Promise<void> {
    const { vectorColumn = "", sourceColumn } = index;
    const bare = rows.filter((row) => (row[vectorColumn] ?? null) === null);
    if (bare.length === 0) return;
    if (sourceColumn === undefined) throw invalid(`Each row needs its vector in the column '${vectorColumn}'.`);
    // A row of a source table may lack its text: it is found by its other columns.
    const embedded = index.source ? bare.filter((row) => (row[sourceColumn] ?? null) !== null) : bare;
    const texts = embedded.map((row) => {
      const text = row[sourceColumn];
      if (typeof text !== "string") throw invalid(`Each row needs a text in '${sourceColumn}' or a vector in '${vectorColumn}'.`);
      return text;
    });
    const vectors = await this.#embeddings.embedFor(index, texts);
    for (const [i, row] of embedded.entries()) row[vectorColumn] = vectors[i];
  }

  /** Deletes the rows with these primary keys, and returns how many there were. */
  async deleteRows(index: StoredIndex, keys: unknown): Promise<number> {
    refuseDeltaSync(index);
    if (!Array.isArray(keys) || keys.length === 0) throw invalid("'primary_keys' must list the keys of the rows to delete.");
    return this.store.deleteRows(index, keys);
  }

  /** Starts to bring a Delta Sync index up to date. */
  sync(index: StoredIndex): void {
    if (!index.source) throw invalid(`Index ${index.name} is a Direct Access index: it has no source table to sync from.`);
    if (index.source.pipeline === "CONTINUOUS") throw invalid(`Index ${index.name} is CONTINUOUS: it follows its source table by itself.`);
    this.#sync.sync(index);
  }

  async query(index: StoredIndex, body: Record<string, unknown>): Promise<object> {
    return search(this.store, this.#searchable(index), body, this.#models);
  }

  async queryNextPage(index: StoredIndex, token: string): Promise<object> {
    return searchNextPage(this.store, this.#searchable(index), token, this.#models);
  }

  /** Throws where the index cannot be queried: on a stopped endpoint, or before it has anything. */
  #searchable(index: StoredIndex): StoredIndex {
    if (this.store.endpoints.get(index.endpoint).stopped) {
      throw invalid(`Vector search endpoint ${index.endpoint} is stopped: start it first.`);
    }
    if (this.#isLoading(index.name) && this.store.count(index) === 0) {
      throw unavailable(`Index ${index.name} is being filled for the first time.`, 2);
    }
    if (index.source && this.#sync.state(index).version === undefined) {
      const { state, message } = this.status(index);
      if (state === "OFFLINE_FAILED") throw invalid(`Index ${index.name} could not be filled: ${message}`);
      throw unavailable(`Index ${index.name} is being filled for the first time: ${message}.`, 2);
    }
    return index;
  }
}

function refuseDeltaSync(index: StoredIndex): void {
  if (index.source) throw invalid(`Index ${index.name} follows the table ${index.source.table}: write there, and sync the index.`);
}
