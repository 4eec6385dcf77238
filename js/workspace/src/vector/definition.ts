import { invalid, notImplemented } from "../http/errors.js";
import { isObject, optionalInteger, requiredString } from "../http/fields.js";

/** Column types that Databricks lists for `schema_json` of a Direct Access index. */
const NUMBERS = ["byte", "short", "int", "integer", "long", "float", "double"] as const;
const TEXTS = ["string", "timestamp", "date"] as const;
const TYPES = [...NUMBERS, ...TEXTS, "boolean", "array<float>"] as const;
export type ColumnType = (typeof TYPES)[number];

/** A Direct Access index: its columns, which of them holds the vector, and which model turns text into one. */
export interface IndexDefinition {
  name: string;
  endpoint: string;
  primaryKey: string;
  columns: Record<string, ColumnType>;
  vectorColumn: string;
  dimension: number;
  /** The serving endpoint that embeds query texts, and rows that come without a vector. */
  embeddingEndpoint?: string;
  /** The column that is embedded for rows that come without a vector. */
  sourceColumn?: string;
  /** `direct_access_index_spec` as it was sent, for replies. */
  spec: Record<string, unknown>;
}

export const isNumeric = (type: ColumnType) => (NUMBERS as readonly string[]).includes(type);
export const isText = (type: ColumnType) => (TEXTS as readonly string[]).includes(type);

/**
 * Reads the body of a create request.
 *
 * `endpoint` is the endpoint of the path, where the path has one. `dimensionOf` gives the dimension of an embedding
 * endpoint, or throws if there is no such endpoint; it fills in a missing dimension and catches a wrong one.
 */
export function readDefinition(
  body: Record<string, unknown>,
  endpoint: string | undefined,
  dimensionOf: (endpoint: string) => number,
): IndexDefinition {
  const name = requiredString(body, "name");
  if (!/^[^./\s]+\.[^./\s]+\.[^./\s]+$/.test(name)) {
    throw invalid(`'name' must have the form catalog.schema.index, not '${name}'.`);
  }
  const type = requiredString(body, "index_type");
  if (type === "DELTA_SYNC") {
    throw notImplemented("The local workspace has no Delta tables: create a DIRECT_ACCESS index and upsert its rows.");
  }
  if (type !== "DIRECT_ACCESS") throw invalid(`'index_type' must be DIRECT_ACCESS, not '${type}'.`);
  const spec = body["direct_access_index_spec"];
  if (!isObject(spec)) throw invalid("'direct_access_index_spec' is required for a DIRECT_ACCESS index.");

  const columns = readColumns(requiredString(spec, "schema_json"));
  const primaryKey = requiredString(body, "primary_key");
  requireColumn(columns, primaryKey, "primary_key");
  const source = firstOf(spec, "embedding_source_columns");
  const embeddingEndpoint = source && requiredString(source, "embedding_model_endpoint_name");
  const modelDimension = embeddingEndpoint === undefined ? undefined : dimensionOf(embeddingEndpoint);
  const vector = firstOf(spec, "embedding_vector_columns");
  if (!vector) throw invalid("'direct_access_index_spec.embedding_vector_columns' must name the column of the vectors.");
  const vectorColumn = requiredString(vector, "name");
  const dimension = optionalInteger(vector, "embedding_dimension", 1, 4096) ?? modelDimension;
  if (dimension === undefined) throw invalid("'embedding_dimension' is required for an index without an embedding model.");
  if (modelDimension !== undefined && modelDimension !== dimension) {
    throw invalid(`'embedding_dimension' is ${dimension}, but '${embeddingEndpoint}' makes vectors of ${modelDimension}.`);
  }
  columns[vectorColumn] ??= "array<float>";
  if (columns[vectorColumn] !== "array<float>") throw invalid(`Column '${vectorColumn}' must have the type array<float>.`);

  const definition: IndexDefinition = {
    name,
    endpoint: endpoint ?? requiredString(body, "endpoint_name"),
    primaryKey,
    columns,
    vectorColumn,
    dimension,
    spec,
  };
  if (embeddingEndpoint !== undefined) definition.embeddingEndpoint = embeddingEndpoint;
  if (typeof source?.["name"] === "string") {
    requireColumn(columns, source["name"], "embedding_source_columns");
    definition.sourceColumn = source["name"];
  }
  return definition;
}

function readColumns(json: string): Record<string, ColumnType> {
  let schema: unknown;
  try {
    schema = JSON.parse(json);
  } catch (error) {
    throw invalid(`'schema_json' is not valid JSON: ${(error as Error).message}`);
  }
  if (!isObject(schema) || Object.keys(schema).length === 0) {
    throw invalid("'schema_json' must be a JSON object of column names and types.");
  }
  const columns: Record<string, ColumnType> = {};
  for (const [name, type] of Object.entries(schema)) {
    const known = TYPES.find((candidate) => candidate === type);
    if (known === undefined) throw invalid(`Column '${name}' has the type '${type}'; use one of ${TYPES.join(", ")}.`);
    columns[name] = known;
  }
  return columns;
}

function firstOf(spec: Record<string, unknown>, name: string): Record<string, unknown> | undefined {
  const list = spec[name] ?? [];
  if (!Array.isArray(list) || list.length > 1) throw invalid(`'${name}' must be a list of one column.`);
  const first: unknown = list[0];
  if (first !== undefined && !isObject(first)) throw invalid(`'${name}[0]' must be an object.`);
  return first;
}

function requireColumn(columns: Record<string, ColumnType>, column: string, field: string): void {
  if (!Object.hasOwn(columns, column)) throw invalid(`'${field}' names the column '${column}', which 'schema_json' lacks.`);
}
