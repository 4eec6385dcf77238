import { randomUUID } from "node:crypto";
import { invalid, notImplemented } from "../http/errors.js";
import { isObject, optionalString, optionalStrings, requiredString } from "../http/fields.js";
import type { Columns, ColumnType } from "./columns.js";
import { limited, readEmbedding, readHeader, type DimensionOf, type IndexDefinition } from "./definition.js";
import type { SourceTable, SourceTables } from "./source-tables.js";

/** The columns of an index by the types of Databricks SQL, without what stands in parentheses. */
const TYPES: Record<string, ColumnType> = {
  tinyint: "byte",
  smallint: "short",
  int: "int",
  bigint: "long",
  float: "float",
  double: "double",
  decimal: "double",
  string: "string",
  varchar: "string",
  char: "string",
  boolean: "boolean",
  date: "date",
  timestamp: "timestamp",
  timestamp_ntz: "timestamp",
  "array<float>": "array<float>",
  "array<double>": "array<float>",
  "array<string>": "array<string>",
};

/** Reads the body of a request that creates a Delta Sync index over one of these tables. */
export async function readDeltaDefinition(
  body: Record<string, unknown>,
  endpoint: string | undefined,
  dimensionOf: DimensionOf,
  tables: SourceTables,
  needsChangeDataFeed: boolean,
): Promise<IndexDefinition> {
  const header = readHeader(body, endpoint);
  const spec = body["delta_sync_index_spec"];
  if (!isObject(spec)) throw invalid("'delta_sync_index_spec' is required for a DELTA_SYNC index.");
  if ((spec["embedding_writeback_table"] ?? null) !== null) {
    throw notImplemented("The local workspace does not write embeddings back: leave 'embedding_writeback_table' out and scan the index instead.");
  }
  const table = await tables.describe(requiredString(spec, "source_table"));
  if (needsChangeDataFeed && table.properties["delta.enableChangeDataFeed"] !== "true") {
    throw invalid(
      `Source table ${table.name} has no change data feed, which an index on a standard endpoint needs: ` +
        `ALTER TABLE ${table.name} SET TBLPROPERTIES (delta.enableChangeDataFeed = true)`,
    );
  }
  const embedding = readEmbedding(spec, header.subtype, dimensionOf);
  if (header.subtype !== "FULL_TEXT" && embedding.dimension === 0) {
    throw invalid("'delta_sync_index_spec' needs 'embedding_source_columns' or 'embedding_vector_columns', or 'index_subtype' FULL_TEXT.");
  }
  if (embedding.sourceColumn !== undefined && embedding.vectorColumn !== undefined) {
    throw invalid("'delta_sync_index_spec' takes one of 'embedding_source_columns' and 'embedding_vector_columns' with a name.");
  }
  const columns = readColumns(spec, table, [header.primaryKey, embedding.sourceColumn, embedding.vectorColumn]);
  const synced = Object.keys(columns);
  if (embedding.embeddingEndpoint !== undefined && embedding.vectorColumn === undefined) {
    if (embedding.sourceColumn === undefined) throw invalid("'embedding_source_columns[0].name' must name the column to embed.");
    if (columns[embedding.sourceColumn] !== "string") throw invalid(`'embedding_source_columns' names '${embedding.sourceColumn}', which is no string column.`);
    // Databricks' name for a column of embeddings that it computes.
    embedding.vectorColumn = `__db_${embedding.sourceColumn}_vector`;
    columns[embedding.vectorColumn] = "array<float>";
  }
  if (embedding.vectorColumn !== undefined && columns[embedding.vectorColumn] !== "array<float>") {
    throw invalid(`'embedding_vector_columns' names '${embedding.vectorColumn}', which is no array<float> column of ${table.name}.`);
  }
  const source = { table: table.name, pipeline: readPipeline(spec), columns: synced };
  const sent = { ...spec, source_table: table.name, pipeline_id: randomUUID() };
  return { ...header, type: "DELTA_SYNC", columns: limited(columns), ...embedding, source, spec: sent };
}

function readPipeline(spec: Record<string, unknown>): "TRIGGERED" | "CONTINUOUS" {
  const type = optionalString(spec, "pipeline_type") ?? "TRIGGERED";
  if (type !== "TRIGGERED" && type !== "CONTINUOUS") throw invalid(`'pipeline_type' must be TRIGGERED or CONTINUOUS, not '${type}'.`);
  return type;
}

/** The columns of `columns_to_sync`, all if there are none, and those that the index cannot do without. */
function readColumns(spec: Record<string, unknown>, table: SourceTable, needed: Array<string | undefined>): Columns {
  const wanted = optionalStrings(spec, "columns_to_sync") ?? [];
  const names = wanted.length === 0 ? table.columns.map(({ name }) => name) : wanted;
  const columns: Columns = {};
  for (const name of new Set([...needed.filter((column) => column !== undefined), ...names])) {
    const found = table.columns.find((column) => column.name === name);
    if (!found) throw invalid(`Source table ${table.name} has no column '${name}'; it has ${table.columns.map((column) => column.name).join(", ")}.`);
    columns[name] = TYPES[found.type.toLowerCase().replace(/\(.*\)$/, "")] ?? "json";
  }
  return columns;
}
