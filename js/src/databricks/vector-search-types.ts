/** What Vector Search takes and gives, by the names of the REST API. */

/** What a workspace tells of an endpoint, by the names of the REST API. */
export interface VectorSearchEndpoint {
  readonly name: string;
  readonly endpoint_type: 'STANDARD' | 'STORAGE_OPTIMIZED';
  readonly endpoint_status?: { readonly state: string; readonly message?: string };
  readonly num_indexes?: number;
  readonly [member: string]: unknown;
}

/** What a workspace tells of an index, by the names of the REST API. */
export interface VectorIndexInfo {
  readonly name: string;
  readonly endpoint_name: string;
  readonly primary_key: string;
  readonly index_type: 'DELTA_SYNC' | 'DIRECT_ACCESS';
  readonly status?: { readonly ready?: boolean; readonly message?: string; readonly detailed_state?: string; readonly indexed_row_count?: number };
  readonly [member: string]: unknown;
}

/** A column of texts that an index embeds, and the serving endpoints that do it. */
export interface EmbeddingSourceColumn {
  /** Not for a Direct Access index, whose rows bring vectors: there the model embeds queries only. */
  readonly name?: string;
  readonly embedding_model_endpoint_name: string;
  /** Another model of the same vectors, for the texts of queries. */
  readonly model_endpoint_name_for_query?: string;
}

/** A column of vectors. */
export interface EmbeddingVectorColumn {
  readonly name: string;
  readonly embedding_dimension: number;
}

interface IndexDefinition {
  /** `catalog.schema.index`. */
  readonly index_name: string;
  readonly endpoint_name: string;
  readonly primary_key: string;
  /** `FULL_TEXT` has no vectors. */
  readonly index_subtype?: 'VECTOR' | 'HYBRID' | 'FULL_TEXT';
  readonly embedding_source_columns?: readonly EmbeddingSourceColumn[];
  readonly embedding_vector_columns?: readonly EmbeddingVectorColumn[];
}

/** An index that follows a Delta table with change data feed. */
export interface DeltaSyncIndex extends IndexDefinition {
  readonly source_table: string;
  /** `TRIGGERED` unless given: {@link VectorSearchManager.sync} takes in what has changed. */
  readonly pipeline_type?: 'TRIGGERED' | 'CONTINUOUS';
  /** All columns unless given. */
  readonly columns_to_sync?: readonly string[];
  readonly embedding_writeback_table?: string;
}

/** An index whose rows are upserted and deleted. */
export interface DirectAccessIndex extends IndexDefinition {
  /** Its columns with their types: `{ id: 'string', text: 'string', vector: 'array<float>' }`. */
  readonly schema: Readonly<Record<string, string>>;
}

/** What to look for in an index, by the names of the REST API. */
export interface VectorSearchQuery {
  /** The columns to return; `score` is added. */
  readonly columns: readonly string[];
  /** In words; an index that computes its embeddings embeds them. */
  readonly query_text?: string;
  /** As an embedding of the index's dimension. */
  readonly query_vector?: readonly number[];
  /** `ANN` unless given. */
  readonly query_type?: 'ANN' | 'HYBRID' | 'FULL_TEXT';
  /** How many rows at most; 10 unless given. */
  readonly num_results?: number;
  /** `{ lang: ['en', 'de'], 'year >=': 2024 }`; or, on a storage-optimized endpoint, `"lang IN ('en', 'de') AND year >= 2024"`. */
  readonly filters?: string | Readonly<Record<string, unknown>> | readonly Readonly<Record<string, unknown>>[];
  /** Rows that score less are left out. */
  readonly score_threshold?: number;
  /** Orders what was found anew, by these columns' texts. */
  readonly columns_to_rerank?: readonly string[];
  /** Which columns a full-text search looks at. */
  readonly query_columns?: readonly string[];
  /** `['year DESC']`. */
  readonly sort_columns?: readonly string[];
  /** Counts of values: `lang`, `lang TOP 5`, `year BUCKETS [[2000, 2009], [2010, 2019]]`. */
  readonly facets?: readonly string[];
  /** Above 0 the answer tells where the time went. */
  readonly debug_level?: number;
}

/** Rows that were found, best first. */
export interface VectorSearchResult {
  readonly columns: readonly string[];
  /** By column, with `score` among them. */
  readonly records: readonly Readonly<Record<string, unknown>>[];
  /** Counts of values, when they were asked for. */
  readonly facets: readonly Readonly<Record<string, unknown>>[];
  /** Where the time went, when it was asked for. */
  readonly debug_info: Readonly<Record<string, unknown>> | null;
}

/** How many rows were written or deleted, and the keys of those that were not. */
export interface RowsChanged {
  readonly success_row_count: number;
  readonly failed_primary_keys: readonly string[];
}
