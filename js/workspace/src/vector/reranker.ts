import { invalid, notImplemented } from "../http/errors.js";
import { isObject, optionalString, optionalStrings, requiredString } from "../http/fields.js";
import type { Row } from "./columns.js";
import type { StoredIndex } from "./store.js";

/** How many of the best rows are ordered anew, and how many characters of each are read, as Databricks has it. */
export const RERANKED_ROWS = 50;
const MAX_TEXT = 2000;

/** Orders the best rows anew by what these columns say. */
export interface Reranker {
  columns: string[];
}

/** Vectors of texts, of length 1, made by a model of the workspace. */
export type Embed = (texts: string[]) => Promise<number[][]>;

/** Reads `reranker`, and `columns_to_rerank`, its older form. */
export function readReranker(body: Record<string, unknown>, text: string | undefined, index: StoredIndex): Reranker | undefined {
  const block = body["reranker"] ?? undefined;
  if (block !== undefined && !isObject(block)) throw invalid("'reranker' must be an object.");
  if (block) checkModel(block);
  const parameters = block?.["parameters"] ?? {};
  if (!isObject(parameters)) throw invalid("'reranker.parameters' must be an object.");
  const columns = optionalStrings(block ? parameters : body, "columns_to_rerank") ?? [];
  if (!block && columns.length === 0) return undefined;
  if (columns.length === 0) throw invalid("'reranker.parameters.columns_to_rerank' must list the columns to read.");
  const unknown = columns.find((column) => index.columns[column] !== "string");
  if (unknown !== undefined) throw invalid(`'columns_to_rerank' names '${unknown}', which is no string column of index '${index.name}'.`);
  if (text === undefined) throw invalid("A query with a reranker needs 'query_text'.");
  return { columns };
}

function checkModel(block: Record<string, unknown>): void {
  const model = requiredString(block, "model");
  const type = optionalString(block, "model_type") ?? "MODEL_TYPE_BASE";
  if (type === "MODEL_TYPE_FINETUNED") throw notImplemented("The local workspace serves no finetuned rerankers: use 'databricks_reranker'.");
  if (model !== "databricks_reranker") throw invalid(`'reranker.model' must be 'databricks_reranker', not '${model}'.`);
}

/**
 * How near each row is to the query by what its columns say: the cosine of their vectors, 0 at least. Databricks has a
 * model that reads query and row together; the workspace has the embedding model only, so that other rows may lead.
 */
export async function rerankScores({ columns }: Reranker, query: string, rows: Row[], embed: Embed): Promise<number[]> {
  const texts = rows.map((row) => columns.map((column) => row[column] ?? "").join("\n").slice(0, MAX_TEXT));
  const [target = [], ...vectors] = await embed([query, ...texts]);
  return vectors.map((vector) => Math.max(0, vector.reduce((sum, x, i) => sum + x * (target[i] ?? 0), 0)));
}
