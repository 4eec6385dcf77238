import { invalid } from "../http/errors.js";
import { isNumeric, type Row } from "./columns.js";
import type { StoredIndex } from "./store.js";

/** Values that are told of a column where no number is given. */
const DEFAULT_TOP = 10;

/** What to count: the commonest values of a column, or the values in ranges, both ends included. */
export type Facet = { column: string } & ({ top: number } | { buckets: Array<[number, number]> });

/** Reads `facets`: each `"column"`, `"column TOP n"` or `"column BUCKETS [[from, to], …]"`. */
export function readFacets(entries: string[], index: StoredIndex): Facet[] {
  const facets = entries.map((entry) => readFacet(entry, index));
  const twice = facets.find(({ column }, i) => facets.findIndex((facet) => facet.column === column) !== i);
  if (twice) throw invalid(`'facets' names the column '${twice.column}' twice.`);
  return facets;
}

function readFacet(entry: string, index: StoredIndex): Facet {
  const [, column = entry, top, buckets] = /^(.*?)(?:\s+TOP\s+(\d+)|\s+BUCKETS\s+(\[.*\]))?$/is.exec(entry.trim()) ?? [];
  const type = Object.hasOwn(index.columns, column) ? index.columns[column] : undefined;
  if (type === undefined || type === "json" || type.startsWith("array")) {
    throw invalid(`'facets' has '${entry}': write "column", "column TOP n" or "column BUCKETS [[from, to]]" with a column of index '${index.name}'.`);
  }
  if (buckets === undefined) {
    if (top !== undefined && Number(top) === 0) throw invalid(`'facets' has '${entry}': TOP needs a number above 0.`);
    return { column, top: top === undefined ? DEFAULT_TOP : Number(top) };
  }
  if (!isNumeric(type)) throw invalid(`'facets' has '${entry}': BUCKETS needs a column of numbers.`);
  return { column, buckets: readBuckets(entry, buckets) };
}

function readBuckets(entry: string, json: string): Array<[number, number]> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // Told below.
  }
  const isRange = (item: unknown) => Array.isArray(item) && item.length === 2 && item.every((end) => typeof end === "number");
  if (!Array.isArray(value) || value.length === 0 || !value.every(isRange)) {
    throw invalid(`'facets' has '${entry}': BUCKETS needs a list of ranges such as [[0, 9], [10, 99]].`);
  }
  return value as Array<[number, number]>;
}

/** Counts over the rows that were found: rows of `[column, value or range, count]`. */
export function countFacets(facets: Facet[], rows: Row[]): string[][] {
  return facets.flatMap((facet) => {
    const values = rows.map((row) => row[facet.column]).filter((value) => value !== null && value !== undefined);
    if ("buckets" in facet) {
      return facet.buckets.map(([from, to]) => {
        const count = values.filter((value) => from <= (value as number) && (value as number) <= to).length;
        return [facet.column, `[${from}, ${to}]`, String(count)];
      });
    }
    const counts = new Map<string, number>();
    for (const value of values) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
    const commonest = [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, facet.top);
    return commonest.map(([value, count]) => [facet.column, value, String(count)]);
  });
}
