import { performance } from "node:perf_hooks";
import { invalid } from "../http/errors.js";
import { isObject } from "../http/fields.js";
import type { Row } from "./columns.js";
import { countFacets } from "./facets.js";
import { readQuery, type Query } from "./query.js";
import { RERANKED_ROWS, rerankScores, type Embed } from "./reranker.js";
import type { Hit } from "./search/hits.js";
import type { StoredIndex, VectorStore } from "./store.js";

/** Rows of one reply; the rest is fetched with `query-next-page`. */
const PAGE_SIZE = 200;
/** The constant of reciprocal rank fusion (Cormack et al. 2009), which Databricks uses too. */
const RRF_K = 60;
/** How deep fusion looks into both rankings at least. */
const FUSION_DEPTH = 100;

/** The models that a search needs. */
export interface SearchModels {
  /** The vector of a query text, by the model that the index was built with. */
  embedQuery: (index: StoredIndex, text: string) => Promise<number[]>;
  /** Vectors to compare texts with each other. */
  embed: Embed;
}

/** A row that was found, with the columns that are needed of it. */
interface Found {
  row: Row;
  score: number;
}

/** Milliseconds that the parts of a query took. */
interface Times {
  embedding: number;
  search: number;
  reranker: number;
}

/** Answers a query of `…/query`: `{ manifest, result, next_page_token?, facet_result?, debug_info? }`. */
export function search(store: VectorStore, index: StoredIndex, body: Record<string, unknown>, models: SearchModels): Promise<object> {
  return searchFrom(0, store, index, body, models);
}

/** Answers `…/query-next-page`: the query of the token, from where the page before it ended. */
export function searchNextPage(store: VectorStore, index: StoredIndex, token: string, models: SearchModels): Promise<object> {
  const { offset, body } = readPageToken(token);
  return searchFrom(offset, store, index, body, models);
}

async function searchFrom(
  offset: number,
  store: VectorStore,
  index: StoredIndex,
  body: Record<string, unknown>,
  models: SearchModels,
): Promise<object> {
  const started = performance.now();
  const query = readQuery(body, index, store.endpoints.get(index.endpoint));
  const times: Times = { embedding: 0, search: 0, reranker: 0 };
  const vector = await timed(times, "embedding", () => queryVector(query, index, models));
  const limit = query.reranker ? Math.max(query.limit, RERANKED_ROWS) : query.limit;
  const hits = await timed(times, "search", () => rank(store, index, query, vector, limit));
  const ranked = hits.filter((hit) => hit.score >= query.threshold);
  // Only a reply that depends on all rows reads all rows.
  const readsAll = query.reranker !== undefined || query.sort.length > 0 || query.facets.length > 0;
  const wanted = readsAll ? ranked : ranked.slice(offset, offset + PAGE_SIZE);
  let found = readRows(store, index, query, wanted);
  if (query.reranker) found = await timed(times, "reranker", () => rerank(query, found, models));
  const facets = query.facets.length > 0 ? countFacets(query.facets, found.map(({ row }) => row)) : undefined;
  sort(found, query.sort);
  const page = readsAll ? found.slice(offset, offset + PAGE_SIZE) : found;
  const count = readsAll ? found.length : ranked.length;
  return {
    manifest: {
      column_count: query.columns.length + 1,
      columns: [...query.columns, "score"].map((name) => ({ name })),
      ...(facets && { facet_column_count: 3, facet_columns: ["facet", "value", "count"].map((name) => ({ name })) }),
    },
    result: {
      row_count: page.length,
      data_array: page.map(({ row, score }) => [...query.columns.map((column) => row[column]), score]),
    },
    ...(facets && { facet_result: { facet_row_count: facets.length, facet_array: facets } }),
    ...(count > offset + PAGE_SIZE && { next_page_token: pageToken(offset + PAGE_SIZE, body) }),
    ...(query.debug && { debug_info: debugInfo(times, performance.now() - started) }),
  };
}

async function queryVector({ type, text, vector }: Query, index: StoredIndex, models: SearchModels): Promise<number[] | undefined> {
  return type === "FULL_TEXT" ? undefined : (vector ?? models.embedQuery(index, text ?? ""));
}

async function rank(store: VectorStore, index: StoredIndex, query: Query, vector: number[] | undefined, limit: number): Promise<Hit[]> {
  const { type, text = "", textColumns, filter } = query;
  if (type === "ANN") return store.search.nearest(index, vector ?? [], filter, limit);
  if (type === "FULL_TEXT") return store.search.matching(index, text, textColumns, filter, limit);
  const depth = Math.max(limit, FUSION_DEPTH);
  const rankings = await Promise.all([
    store.search.nearest(index, vector ?? [], filter, depth),
    store.search.matching(index, text, textColumns, filter, depth),
  ]);
  return fuse(rankings).slice(0, limit);
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

function readRows(store: VectorStore, index: StoredIndex, query: Query, hits: Hit[]): Found[] {
  const { columns, sort: order, facets, reranker } = query;
  const needed = new Set([...columns, ...[...order, ...facets].map(({ column }) => column), ...(reranker?.columns ?? [])]);
  const rows = store.read(index, [...needed], hits.map((hit) => hit.row));
  return hits.flatMap(({ row: number, score }) => {
    const row = rows.get(number);
    return row ? [{ row, score }] : [];
  });
}

async function rerank({ reranker, text = "", limit }: Query, found: Found[], models: SearchModels): Promise<Found[]> {
  if (!reranker || found.length === 0) return found;
  const best = found.slice(0, RERANKED_ROWS);
  const scores = await rerankScores(reranker, text, best.map(({ row }) => row), models.embed);
  const reranked = best.map(({ row }, i) => ({ row, score: scores[i] ?? 0 })).sort((a, b) => b.score - a.score);
  return reranked.slice(0, limit);
}

/** Sorts in place by columns, the first one first; what is equal keeps its rank. Nothing comes last. */
function sort(found: Found[], order: Query["sort"]): void {
  if (order.length === 0) return;
  found.sort((a, b) => {
    for (const { column, descending } of order) {
      const [x, y] = [a.row[column] ?? null, b.row[column] ?? null] as [string | number | null, string | number | null];
      if (x === y) continue;
      if (x === null || y === null) return x === null ? 1 : -1;
      return (x < y ? -1 : 1) * (descending ? -1 : 1);
    }
    return 0;
  });
}

async function timed<T>(times: Times, part: keyof Times, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  times[part] = performance.now() - started;
  return result;
}

/** Milliseconds, by Databricks' names. */
const debugInfo = ({ embedding, search: ann, reranker }: Times, total: number) => ({
  response_time: total,
  ann_time: ann,
  embedding_gen_time: embedding,
  reranker_time: reranker,
});

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
