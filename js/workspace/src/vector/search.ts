import { invalid } from "../http/errors.js";
import {
  isObject,
  optionalInteger,
  optionalNumber,
  optionalNumbers,
  optionalString,
  optionalStrings,
} from "../http/fields.js";
import { readFilters, type Condition } from "./filters.js";
import { searchable, type Hit, type StoredIndex, type VectorStore } from "./store.js";

/** Databricks' limits on `num_results`. */
const MAX_RESULTS = { ANN: 10_000, HYBRID: 200, FULL_TEXT: 200 };
/** Rows of one reply; the rest is fetched with `query-next-page`. */
const PAGE_SIZE = 200;
/** The constant of reciprocal rank fusion (Cormack et al. 2009), which Databricks uses too. */
const RRF_K = 60;
/** How deep fusion looks into both rankings at least. */
const FUSION_DEPTH = 100;

/** Turns a query text into a vector, with the model that the index was built with. */
export type EmbedQuery = (index: StoredIndex, text: string) => Promise<number[]>;

/** Answers a query of `…/query`: `{ manifest, result, next_page_token? }`. */
export function search(store: VectorStore, index: StoredIndex, body: Record<string, unknown>, embed: EmbedQuery): Promise<object> {
  return searchFrom(0, store, index, body, embed);
}

/** Answers `…/query-next-page`: the query of the token, from where the page before it ended. */
export function searchNextPage(store: VectorStore, index: StoredIndex, token: string, embed: EmbedQuery): Promise<object> {
  const { offset, body } = readPageToken(token);
  return searchFrom(offset, store, index, body, embed);
}

async function searchFrom(
  offset: number,
  store: VectorStore,
  index: StoredIndex,
  body: Record<string, unknown>,
  embed: EmbedQuery,
): Promise<object> {
  refuseUnsupported(body);
  const type = (optionalString(body, "query_type") ?? "ANN").toUpperCase();
  if (type !== "ANN" && type !== "HYBRID" && type !== "FULL_TEXT") {
    throw invalid(`'query_type' must be ANN, HYBRID or FULL_TEXT, not '${body["query_type"] as string}'.`);
  }
  const columns = readColumns(body, index);
  const limit = optionalInteger(body, "num_results", 1, MAX_RESULTS[type]) ?? 10;
  const threshold = optionalNumber(body, "score_threshold", -Infinity, Infinity) ?? 0;
  const filters = optionalString(body, "filters_json");
  const filter = filters === undefined ? { sql: "1", values: [] } : readFilters(filters, index);
  const text = optionalString(body, "query_text");
  const vector = await readVector(type, body, index, text, embed);

  const hits = rank(store, index, type, text, vector, optionalStrings(body, "query_columns"), filter, limit);
  const good = hits.filter((hit) => hit.score >= threshold);
  const page = good.slice(offset, offset + PAGE_SIZE);
  const rows = store.read(index, columns, page.map((hit) => hit.row));
  const data = page.flatMap((hit) => {
    const row = rows.get(hit.row);
    return row ? [[...columns.map((column) => row[column]), hit.score]] : [];
  });
  return {
    manifest: {
      column_count: columns.length + 1,
      columns: [...columns, "score"].map((name) => ({ name })),
    },
    result: { row_count: data.length, data_array: data },
    ...(good.length > offset + PAGE_SIZE && { next_page_token: pageToken(offset + PAGE_SIZE, body) }),
  };
}

function refuseUnsupported(body: Record<string, unknown>): void {
  if ((body["filter_string"] ?? null) !== null) {
    throw invalid("'filter_string' is for storage-optimized endpoints; this is a standard one: use 'filters_json'.");
  }
  for (const field of ["reranker", "columns_to_rerank", "sort_columns", "facets"]) {
    const value = body[field] ?? [];
    if (!Array.isArray(value) || value.length > 0) throw invalid(`'${field}' is not supported by the local workspace.`);
  }
}

function readColumns(body: Record<string, unknown>, index: StoredIndex): string[] {
  const columns = optionalStrings(body, "columns");
  if (!columns || columns.length === 0) throw invalid("'columns' must list the columns to return.");
  const wanted = columns.filter((column) => column !== "score");
  const unknown = wanted.find((column) => !Object.hasOwn(index.columns, column));
  if (unknown !== undefined) {
    throw invalid(`Column '${unknown}' is not in index '${index.name}', which has ${Object.keys(index.columns).join(", ")}.`);
  }
  return wanted;
}

async function readVector(
  type: string,
  body: Record<string, unknown>,
  index: StoredIndex,
  text: string | undefined,
  embed: EmbedQuery,
): Promise<number[] | undefined> {
  const vector = optionalNumbers(body, "query_vector");
  if (type === "ANN" && (text === undefined) === (vector === undefined)) {
    throw invalid("An ANN query takes one of 'query_text' and 'query_vector'.");
  }
  if (type !== "ANN" && text === undefined) throw invalid(`A ${type} query needs 'query_text'.`);
  if (type !== "ANN" && searchable(index).length === 0) throw invalid(`Index '${index.name}' has no text to search in.`);
  if (type === "FULL_TEXT") return undefined;
  if (vector && vector.length !== index.dimension) {
    throw invalid(`'query_vector' has ${vector.length} dimensions, index '${index.name}' has ${index.dimension}.`);
  }
  return vector ?? embed(index, text ?? "");
}

function rank(
  store: VectorStore,
  index: StoredIndex,
  type: "ANN" | "HYBRID" | "FULL_TEXT",
  text: string | undefined,
  vector: number[] | undefined,
  textColumns: string[] | undefined,
  filter: Condition,
  limit: number,
): Hit[] {
  const unknown = textColumns?.find((column) => !searchable(index).includes(column));
  if (unknown !== undefined) throw invalid(`'query_columns' names '${unknown}', which is no text column of '${index.name}'.`);
  if (type === "ANN") return store.nearest(index, vector ?? [], filter, limit);
  if (type === "FULL_TEXT") return store.matching(index, text ?? "", textColumns, filter, limit);
  const depth = Math.max(limit, FUSION_DEPTH);
  return fuse([
    store.nearest(index, vector ?? [], filter, depth),
    store.matching(index, text ?? "", textColumns, filter, depth),
  ]).slice(0, limit);
}

/** Reciprocal rank fusion, scaled so that a row that leads every ranking scores 1. */
function fuse(rankings: Hit[][]): Hit[] {
  const best = rankings.length / (RRF_K + 1);
  const scores = new Map<number, number>();
  for (const ranking of rankings) {
    for (const [i, { row }] of ranking.entries()) {
      scores.set(row, (scores.get(row) ?? 0) + 1 / (RRF_K + i + 1) / best);
    }
  }
  return [...scores].map(([row, score]) => ({ row, score })).sort((a, b) => b.score - a.score || a.row - b.row);
}

/** A page token is the query itself and the place in it: the server keeps nothing. */
const pageToken = (offset: number, body: Record<string, unknown>) =>
  Buffer.from(JSON.stringify({ offset, body })).toString("base64url");

function readPageToken(token: string): { offset: number; body: Record<string, unknown> } {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    if (isObject(value) && Number.isInteger(value["offset"]) && isObject(value["body"])) {
      return { offset: value["offset"] as number, body: value["body"] };
    }
  } catch {
    // Told below, like every other token that is not ours.
  }
  throw invalid("'page_token' is not a token of this API.");
}
