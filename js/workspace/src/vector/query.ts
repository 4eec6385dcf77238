import { invalid } from "../http/errors.js";
import { optionalInteger, optionalNumber, optionalNumbers, optionalString, optionalStrings } from "../http/fields.js";
import type { Endpoint } from "./endpoint-store.js";
import { readFacets, type Facet } from "./facets.js";
import { all, everything, type Condition } from "./filters/condition.js";
import { readFilters } from "./filters/json.js";
import { readFilterString } from "./filters/sql.js";
import { searchable } from "./layout.js";
import { readReranker, type Reranker } from "./reranker.js";
import type { StoredIndex } from "./store.js";

/** Databricks' limits on `num_results`, on the characters of a query text, and on its words in a HYBRID query. */
const MAX_RESULTS = { ANN: 10_000, HYBRID: 200, FULL_TEXT: 200 };
const MAX_TEXT = 32_764;
const MAX_HYBRID_WORDS = 1024;

/** One query, read and checked. */
export interface Query {
  type: keyof typeof MAX_RESULTS;
  columns: string[];
  limit: number;
  /** Rows with a lower score are left out. */
  threshold: number;
  text: string | undefined;
  /** The vector that was sent; where it lacks, the text is embedded. */
  vector: number[] | undefined;
  /** The columns to look for the text in; none means all. */
  textColumns: string[] | undefined;
  filter: Condition;
  sort: Array<{ column: string; descending: boolean }>;
  facets: Facet[];
  reranker: Reranker | undefined;
  debug: boolean;
}

/** Reads the body of `…/query` for an index on this endpoint. */
export function readQuery(body: Record<string, unknown>, index: StoredIndex, endpoint: Endpoint): Query {
  const type = readType(body, index);
  const text = optionalString(body, "query_text");
  checkText(type, text, index);
  return {
    type,
    columns: readColumns(body, index),
    limit: optionalInteger(body, "num_results", 1, MAX_RESULTS[type]) ?? 10,
    threshold: optionalNumber(body, "score_threshold", -Infinity, Infinity) ?? 0,
    text,
    vector: readVector(type, body, text, index),
    textColumns: readTextColumns(body, index),
    filter: readFilter(body, index, endpoint),
    sort: readSort(body, index),
    facets: readFacets(optionalStrings(body, "facets") ?? [], index),
    reranker: readReranker(body, text, index),
    debug: (optionalInteger(body, "debug_level", 0, 10) ?? 0) > 0,
  };
}

function readType(body: Record<string, unknown>, index: StoredIndex): Query["type"] {
  const type = (optionalString(body, "query_type") ?? (index.subtype === "FULL_TEXT" ? "FULL_TEXT" : "ANN")).toUpperCase();
  if (type !== "ANN" && type !== "HYBRID" && type !== "FULL_TEXT") {
    throw invalid(`'query_type' must be ANN, HYBRID or FULL_TEXT, not '${body["query_type"] as string}'.`);
  }
  if (type !== "FULL_TEXT" && index.subtype === "FULL_TEXT") {
    throw invalid(`'query_type' must be FULL_TEXT: index '${index.name}' has no vectors.`);
  }
  return type;
}

function readColumns(body: Record<string, unknown>, index: StoredIndex): string[] {
  const columns = optionalStrings(body, "columns");
  if (!columns || columns.length === 0) throw invalid("'columns' must list the columns to return.");
  const wanted = columns.filter((column) => column !== "score");
  for (const column of wanted) requireColumn("columns", column, index);
  return wanted;
}

function checkText(type: Query["type"], text: string | undefined, index: StoredIndex): void {
  if (text !== undefined && text.length > MAX_TEXT) {
    throw invalid(`'query_text' has ${text.length} characters; a query has up to ${MAX_TEXT}.`);
  }
  if (type === "ANN") return;
  if (text === undefined) throw invalid(`A ${type} query needs 'query_text'.`);
  if (searchable(index).length === 0) throw invalid(`Index '${index.name}' has no text to search in.`);
  const words = text.split(/\s+/).length;
  if (type === "HYBRID" && words > MAX_HYBRID_WORDS) {
    throw invalid(`'query_text' has ${words} words; a HYBRID query has up to ${MAX_HYBRID_WORDS}.`);
  }
}

function readVector(type: Query["type"], body: Record<string, unknown>, text: string | undefined, index: StoredIndex): number[] | undefined {
  const vector = optionalNumbers(body, "query_vector");
  if (type === "ANN" && (text === undefined) === (vector === undefined)) {
    throw invalid("An ANN query takes one of 'query_text' and 'query_vector'.");
  }
  if (type !== "FULL_TEXT" && vector && vector.length !== index.dimension) {
    throw invalid(`'query_vector' has ${vector.length} dimensions, index '${index.name}' has ${index.dimension}.`);
  }
  return vector;
}

function readTextColumns(body: Record<string, unknown>, index: StoredIndex): string[] | undefined {
  const columns = optionalStrings(body, "query_columns");
  const unknown = columns?.find((column) => !searchable(index).includes(column));
  if (unknown !== undefined) throw invalid(`'query_columns' names '${unknown}', which is no text column of '${index.name}'.`);
  return columns?.length === 0 ? undefined : columns;
}

/** Each kind of endpoint has its own syntax of filters. */
function readFilter(body: Record<string, unknown>, index: StoredIndex, endpoint: Endpoint): Condition {
  const json = optionalString(body, "filters_json");
  const text = optionalString(body, "filter_string");
  if (endpoint.type === "STANDARD") {
    if (text !== undefined) throw invalid(`'filter_string' is for storage-optimized endpoints; '${endpoint.name}' is a standard one: use 'filters_json'.`);
    return json === undefined ? everything : readFilters(json, index);
  }
  if (json !== undefined) throw invalid(`'filters_json' is for standard endpoints; '${endpoint.name}' is storage-optimized: use 'filter_string'.`);
  return text === undefined || text.trim() === "" ? everything : all([readFilterString(text, index)]);
}

function readSort(body: Record<string, unknown>, index: StoredIndex): Query["sort"] {
  return (optionalStrings(body, "sort_columns") ?? []).map((entry) => {
    const [, column = entry, order = "ASC"] = /^(.*?)(?:\s+(ASC|DESC))?$/i.exec(entry.trim()) ?? [];
    requireColumn("sort_columns", column, index);
    return { column, descending: order.toUpperCase() === "DESC" };
  });
}

function requireColumn(field: string, column: string, index: StoredIndex): void {
  if (Object.hasOwn(index.columns, column)) return;
  throw invalid(`Column '${column}' of '${field}' is not in index '${index.name}', which has ${Object.keys(index.columns).join(", ")}.`);
}
