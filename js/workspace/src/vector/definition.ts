import { invalid, notImplemented } from "../http/errors.js";
import { isObject, optionalInteger, optionalString, requiredString } from "../http/fields.js";
import { DIRECT_TYPES, type Columns } from "./columns.js";

const SUBTYPES = ["VECTOR", "HYBRID", "FULL_TEXT"] as const;
/** Databricks' limits. */
const MAX_NAME = 128;
const MAX_COLUMNS = 50;
const MAX_DIMENSION = 4096;
/** Dimensions of a storage-optimized index are a multiple of this. */
const DIMENSION_STEP = 16;

/** An index: its columns, which of them holds the vector, and which models turn texts into vectors. */
export interface IndexDefinition {
  name: string;
  endpoint: string;
  type: "DIRECT_ACCESS" | "DELTA_SYNC";
  /** FULL_TEXT indexes have no vectors; the others answer all kinds of queries. */
  subtype: (typeof SUBTYPES)[number];
  primaryKey: string;
  columns: Columns;
  /** The column of the vectors; none in a FULL_TEXT index. */
  vectorColumn?: string;
  /** 0 without vectors. */
  dimension: number;
  /** The serving endpoint that embeds rows that come without a vector. */
  embeddingEndpoint?: string;
  /** The serving endpoint that embeds query texts. */
  queryEndpoint?: string;
  /** The column that is embedded for rows that come without a vector. */
  sourceColumn?: string;
  /** The table that a Delta Sync index follows. */
  source?: { table: string; pipeline: "TRIGGERED" | "CONTINUOUS"; columns: string[] };
  usagePolicy?: string;
  payloadLogging?: boolean;
  /** `direct_access_index_spec` or `delta_sync_index_spec`, for replies. */
  spec: Record<string, unknown>;
}

/** What is common to all create requests: `{ name, primary_key, index_subtype?, … }`. */
export interface Header {
  name: string;
  endpoint: string;
  primaryKey: string;
  subtype: IndexDefinition["subtype"];
}

/** The dimension of an embedding endpoint; throws if there is no such endpoint. */
export type DimensionOf = (endpoint: string) => number;

/** `endpoint` is the endpoint of the path, where the path has one. */
export function readHeader(body: Record<string, unknown>, endpoint: string | undefined): Header {
  const name = requiredString(body, "name");
  if (!/^[^./\s]+\.[^./\s]+\.[^./\s]+$/.test(name)) {
    throw invalid(`'name' must have the form catalog.schema.index, not '${name}'.`);
  }
  if (name.length > MAX_NAME) throw invalid(`'name' has ${name.length} characters; an index name has up to ${MAX_NAME}.`);
  const subtype = optionalString(body, "index_subtype") ?? "HYBRID";
  const known = SUBTYPES.find((candidate) => candidate === subtype);
  if (known === undefined) throw invalid(`'index_subtype' must be one of ${SUBTYPES.join(", ")}, not '${subtype}'.`);
  return { name, endpoint: endpoint ?? requiredString(body, "endpoint_name"), primaryKey: requiredString(body, "primary_key"), subtype: known };
}

/** Reads the body of a request that creates a Direct Access index. */
export function readDirectDefinition(body: Record<string, unknown>, endpoint: string | undefined, dimensionOf: DimensionOf): IndexDefinition {
  const header = readHeader(body, endpoint);
  const spec = body["direct_access_index_spec"];
  if (!isObject(spec)) throw invalid("'direct_access_index_spec' is required for a DIRECT_ACCESS index.");
  const columns = readSchema(requiredString(spec, "schema_json"));
  requireColumn(columns, header.primaryKey, "primary_key");
  const embedding = readEmbedding(spec, header.subtype, dimensionOf);
  const { vectorColumn, sourceColumn } = embedding;
  if (sourceColumn !== undefined) requireColumn(columns, sourceColumn, "embedding_source_columns");
  if (header.subtype !== "FULL_TEXT" && vectorColumn === undefined) {
    throw invalid("'direct_access_index_spec.embedding_vector_columns' must name the column of the vectors.");
  }
  if (vectorColumn !== undefined) {
    columns[vectorColumn] ??= "array<float>";
    if (columns[vectorColumn] !== "array<float>") throw invalid(`Column '${vectorColumn}' must have the type array<float>.`);
  }
  return { ...header, type: "DIRECT_ACCESS", columns: limited(columns), ...embedding, spec };
}

/** Which column has the vectors, of how many dimensions, and who makes them. */
export type Embedding = Pick<IndexDefinition, "vectorColumn" | "dimension" | "embeddingEndpoint" | "queryEndpoint" | "sourceColumn">;

/** Reads `embedding_vector_columns` and `embedding_source_columns` of either spec. */
export function readEmbedding(spec: Record<string, unknown>, subtype: Header["subtype"], dimensionOf: DimensionOf): Embedding {
  const source = firstOf(spec, "embedding_source_columns");
  const vector = firstOf(spec, "embedding_vector_columns");
  if (subtype === "FULL_TEXT") {
    if (source || vector) throw invalid("A FULL_TEXT index has no 'embedding_source_columns' and no 'embedding_vector_columns'.");
    return { dimension: 0 };
  }
  const embedding: Embedding = { dimension: 0 };
  const endpoint = source && requiredString(source, "embedding_model_endpoint_name");
  if (endpoint !== undefined) {
    embedding.dimension = dimensionOf(endpoint);
    embedding.embeddingEndpoint = endpoint;
    embedding.queryEndpoint = source && (optionalString(source, "model_endpoint_name_for_query") ?? endpoint);
    const queried = dimensionOf(embedding.queryEndpoint ?? endpoint);
    if (queried !== embedding.dimension) {
      throw invalid(`'model_endpoint_name_for_query' makes vectors of ${queried} dimensions, '${endpoint}' of ${embedding.dimension}.`);
    }
    const column = source && optionalString(source, "name");
    if (column !== undefined) embedding.sourceColumn = column;
  }
  if (vector) {
    embedding.vectorColumn = requiredString(vector, "name");
    const dimension = optionalInteger(vector, "embedding_dimension", 1, MAX_DIMENSION) ?? embedding.dimension;
    if (dimension === 0) throw invalid("'embedding_dimension' is required for an index without an embedding model.");
    if (endpoint !== undefined && dimension !== embedding.dimension) {
      throw invalid(`'embedding_dimension' is ${dimension}, but '${endpoint}' makes vectors of ${embedding.dimension}.`);
    }
    embedding.dimension = dimension;
  }
  return embedding;
}

/** Refuses what Databricks does not have on storage-optimized endpoints. */
export function checkStorageOptimized(definition: IndexDefinition): void {
  if (definition.dimension % DIMENSION_STEP !== 0) {
    throw invalid(`'embedding_dimension' is ${definition.dimension}; on a storage-optimized endpoint it must be a multiple of ${DIMENSION_STEP}.`);
  }
  if (definition.source?.pipeline === "CONTINUOUS") {
    throw invalid("'pipeline_type' must be TRIGGERED for an index on a storage-optimized endpoint.");
  }
}

export function limited(columns: Columns): Columns {
  const count = Object.keys(columns).length;
  if (count > MAX_COLUMNS) throw invalid(`The index would have ${count} columns; an index has up to ${MAX_COLUMNS}.`);
  return columns;
}

function readSchema(json: string): Columns {
  let schema: unknown;
  try {
    schema = JSON.parse(json);
  } catch (error) {
    throw invalid(`'schema_json' is not valid JSON: ${(error as Error).message}`);
  }
  if (!isObject(schema) || Object.keys(schema).length === 0) {
    throw invalid("'schema_json' must be a JSON object of column names and types.");
  }
  const columns: Columns = {};
  for (const [name, type] of Object.entries(schema)) {
    const known = DIRECT_TYPES.find((candidate) => candidate === type);
    if (known === undefined) throw invalid(`Column '${name}' has the type '${type}'; use one of ${DIRECT_TYPES.join(", ")}.`);
    columns[name] = known;
  }
  return columns;
}

function firstOf(spec: Record<string, unknown>, name: string): Record<string, unknown> | undefined {
  const list = spec[name] ?? [];
  if (!Array.isArray(list)) throw invalid(`'${name}' must be a list.`);
  if (list.length > 1) throw notImplemented(`'${name}' names ${list.length} columns; the local workspace searches one vector column an index.`);
  const first: unknown = list[0];
  if (first !== undefined && !isObject(first)) throw invalid(`'${name}[0]' must be an object.`);
  return first;
}

function requireColumn(columns: Columns, column: string, field: string): void {
  if (!Object.hasOwn(columns, column)) throw invalid(`'${field}' names the column '${column}', which 'schema_json' lacks.`);
}
