/** Vector Search: endpoints, indexes and their rows. */
import { LakeletError } from '../errors.js';
import type { Workspace } from '../workspace.js';
import { given, operation, type ServiceCallOptions, type WaitOptions } from './module.js';
import { Warehouse } from './sql.js';
import type {
  DeltaSyncIndex, DirectAccessIndex, RowsChanged, VectorIndexInfo, VectorSearchEndpoint, VectorSearchQuery, VectorSearchResult,
} from './vector-search-types.js';

type Row = Readonly<Record<string, unknown>>;

interface Scanned {
  readonly rows: readonly Row[];
  readonly last_primary_key: string | null;
}

/**
 * Makes, fills, queries and drops the indexes of a workspace
 * ([Vector Search API](https://docs.databricks.com/api/workspace/vectorsearchindexes)).
 *
 * ```ts
 * const manager = new VectorSearchManager(workspace);
 * await manager.setupDeltaTable('main.rag.docs', 'main.rag.docs_index');
 * await manager.createIndex('main.rag.docs_index', 'databricks-gte-large-en', { onProgress: ({ state }) => console.log(state) });
 * const { records } = await manager.query('main.rag.docs_index', { query_text: 'parental leave', columns: ['id', 'content'] });
 * ```
 *
 * Programs look for passages with `workspace.index('main.rag.docs_index')`.
 */
export class VectorSearchManager {
  readonly #workspace: Workspace;
  /** The tables that were set up for indexes. */
  readonly #tables = new Map<string, string>();

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /**
   * Makes a Delta table for documents, if there is none: `id`, `content` and `metadata`, with a change data feed that an index follows.
   *
   * @param indexName the index that {@link createIndex} shall make over it.
   * @param options `embeddings`: a column `embedding` for vectors of one's own; `warehouse`: what runs the two statements, unless it is
   *   that of the environment.
   */
  async setupDeltaTable(tableName: string, indexName?: string, options: { readonly embeddings?: boolean; readonly warehouse?: Warehouse } & WaitOptions = {}): Promise<void> {
    const { embeddings, warehouse = new Warehouse(this.#workspace) } = options;
    await this.#call('setup_delta_table', { table_name: tableName, embeddings, warehouse_id: warehouse.id }, options);
    if (indexName !== undefined) this.#tables.set(indexName, tableName);
  }

  /**
   * Makes an index over the `content` of a table, embedded by a model of the workspace, and the endpoint for it. Waits until it can be asked,
   * and has it take in what is in the table. What is there already is used.
   *
   * @param options `source_table`: the table, unless {@link setupDeltaTable} was told the index; `endpoint_name`: the endpoint, unless one
   *   is to be named after the index.
   * @throws `LakeletError` that says what was made before and is left.
   */
  async createIndex(
    indexName: string, embeddingModel: string, options: { readonly source_table?: string; readonly endpoint_name?: string } & WaitOptions = {},
  ): Promise<VectorIndexInfo> {
    const source_table = options.source_table ?? this.#tables.get(indexName);
    if (source_table === undefined) {
      throw new LakeletError(`it is not known which table the index \`${indexName}\` is made over`, {
        code: 'input', field: 'source_table', hint: 'give `source_table`, or call setupDeltaTable with the name of the index before',
      });
    }
    return this.#call('create_index', { ...given(options), index_name: indexName, embedding_model: embeddingModel, source_table }, options);
  }

  /** Makes an endpoint, which is used once it is online. @param options `endpoint_type`: `STANDARD` unless given. */
  createEndpoint(name: string, options: { readonly endpoint_type?: VectorSearchEndpoint['endpoint_type']; readonly target_qps?: number } & ServiceCallOptions = {}): Promise<VectorSearchEndpoint> {
    return this.#call('create_endpoint', { ...given(options), endpoint_name: name }, options);
  }

  /** An endpoint. */
  endpoint(name: string, options?: ServiceCallOptions): Promise<VectorSearchEndpoint> {
    return this.#call('endpoint', { endpoint_name: name }, options);
  }

  /** All endpoints. */
  endpoints(options?: ServiceCallOptions): Promise<VectorSearchEndpoint[]> {
    return this.#call('endpoints', {}, options);
  }

  /** Waits until an endpoint is online. */
  waitForEndpoint(name: string, options?: WaitOptions): Promise<VectorSearchEndpoint> {
    return this.#call('wait_for_endpoint', { endpoint_name: name }, options);
  }

  /** Deletes an endpoint that has no indexes. */
  async deleteEndpoint(name: string, options?: ServiceCallOptions): Promise<void> {
    await this.#call('delete_endpoint', { endpoint_name: name }, options);
  }

  /** Makes an index that follows a table. It can be asked once it is ready. */
  createDeltaSyncIndex(index: DeltaSyncIndex, options?: ServiceCallOptions): Promise<VectorIndexInfo> {
    return this.#call('create_delta_sync_index', index, options);
  }

  /** Makes an index whose rows are upserted. It can be asked once it is ready. */
  createDirectAccessIndex(index: DirectAccessIndex, options?: ServiceCallOptions): Promise<VectorIndexInfo> {
    return this.#call('create_direct_access_index', index, options);
  }

  /** What the workspace tells of an index. */
  describe(indexName: string, options?: ServiceCallOptions): Promise<VectorIndexInfo> {
    return this.#call('get', { index_name: indexName }, options);
  }

  /** Whether there is an index of the name. */
  exists(indexName: string, options?: ServiceCallOptions): Promise<boolean> {
    return this.#call('exists', { index_name: indexName }, options);
  }

  /** The indexes on an endpoint, in short. */
  list(endpointName: string, options?: ServiceCallOptions): Promise<VectorIndexInfo[]> {
    return this.#call('list', { endpoint_name: endpointName }, options);
  }

  /** Waits until an index can be asked. @param options `updates`: also until it has all that it was told to take in. */
  waitUntilReady(indexName: string, options: { readonly updates?: boolean } & WaitOptions = {}): Promise<VectorIndexInfo> {
    return this.#call('wait_until_ready', { ...given(options), index_name: indexName }, options);
  }

  /** Has a triggered index take in what has changed in its table; {@link waitUntilReady} with `updates` tells when it has. */
  async sync(indexName: string, options?: ServiceCallOptions): Promise<void> {
    await this.#call('sync', { index_name: indexName }, options);
  }

  /** Drops an index. Its endpoint and its table stay. */
  async drop(indexName: string, options?: ServiceCallOptions): Promise<void> {
    await this.#call('drop', { index_name: indexName }, options);
  }

  /** Writes rows to a Direct Access index, each over the one with its key. Any number: they are sent in requests of up to 10 MB. */
  upsert(indexName: string, rows: readonly Row[], options?: ServiceCallOptions): Promise<RowsChanged> {
    return this.#call('upsert', { index_name: indexName, rows }, options);
  }

  /** Deletes rows of a Direct Access index by their keys. */
  delete(indexName: string, primaryKeys: readonly string[], options?: ServiceCallOptions): Promise<RowsChanged> {
    return this.#call('delete', { index_name: indexName, primary_keys: primaryKeys }, options);
  }

  /**
   * The rows of an index in the order of their keys, fetched while they are iterated over.
   *
   * @param options `num_results`: how many are fetched at a time, 100 unless given; `last_primary_key`: begins after that row.
   */
  async *scan(indexName: string, options: { readonly num_results?: number; readonly last_primary_key?: string } & ServiceCallOptions = {}): AsyncGenerator<Row> {
    let from: string | null | undefined = options.last_primary_key;
    do {
      const page: Scanned = await this.#call('scan', { ...given(options), index_name: indexName, last_primary_key: from }, options);
      yield* page.rows;
      from = page.last_primary_key;
    } while (from !== null);
  }

  /** Looks for rows, best first. */
  query(indexName: string, query: VectorSearchQuery, options?: ServiceCallOptions): Promise<VectorSearchResult> {
    return this.#call('query', { ...query, index_name: indexName }, options);
  }

  #call<T>(name: string, args: object, options?: WaitOptions): Promise<T> {
    return operation<T>(this.#workspace, `vector_search.${name}`, { ...args }, options);
  }
}
