import { invalid } from "../http/errors.js";
import { isObject } from "../http/fields.js";
import { isNumeric, isText, type ColumnType, type IndexDefinition } from "./definition.js";

/** A condition on rows, as SQL over the table of an index. */
export interface Condition {
  sql: string;
  values: Array<string | number>;
}

/** Databricks' limit on the values of one filter clause. */
const MAX_VALUES = 1024;

/** The SQL name of a column of an index. The prefix keeps user's names apart from ours. */
export const columnName = (column: string) => `"c_${column.replaceAll('"', '""')}"`;

/**
 * Turns `filters_json` of a standard endpoint into SQL.
 *
 * An object of `"column OPERATOR": value` pairs, all of which must hold; OPERATOR is nothing, `NOT`, `<`, `<=`, `>`,
 * `>=` or `LIKE`; a list of values means any of them. `"a OR b": [x, y]` holds if a is x or b is y. A list of such
 * objects holds if all do, and there `LIKE` takes a pattern with `%` and `_`; in the plain object it matches one
 * whitespace-separated token.
 */
export function readFilters(json: string, index: IndexDefinition): Condition {
  let filters: unknown;
  try {
    filters = JSON.parse(json);
  } catch (error) {
    throw invalid(`'filters_json' is not valid JSON: ${(error as Error).message}`);
  }
  const isList = Array.isArray(filters);
  const objects: unknown[] = isList ? (filters as unknown[]) : [filters];
  if (!objects.every(isObject)) throw invalid("'filters_json' must hold a JSON object or a list of objects.");
  const conditions = objects.flatMap((object) =>
    Object.entries(object).map(([key, value]) => readClause(key, value, index, isList)),
  );
  return { sql: conditions.map((c) => `(${c.sql})`).join(" AND ") || "1", values: conditions.flatMap((c) => c.values) };
}

function readClause(key: string, value: unknown, index: IndexDefinition, patterns: boolean): Condition {
  if (Object.hasOwn(index.columns, key)) return equals(key, value, index);
  const alternatives = key.split(" OR ");
  if (alternatives.length > 1) {
    if (!Array.isArray(value) || value.length !== alternatives.length) {
      throw invalid(`Filter '${key}' needs a list of ${alternatives.length} values, one for each column.`);
    }
    const parts = alternatives.map((part, i) => readClause(part.trim(), value[i], index, patterns));
    return { sql: parts.map((p) => `(${p.sql})`).join(" OR "), values: parts.flatMap((p) => p.values) };
  }
  const [, column = key, operator = ""] = /^(.*?)\s+(NOT|<=|>=|<|>|LIKE)$/.exec(key.trim()) ?? [];
  switch (operator) {
    case "":
      return equals(column, value, index);
    case "NOT": {
      const { sql, values } = equals(column, value, index);
      return { sql: `${columnName(column)} IS NULL OR NOT (${sql})`, values };
    }
    case "LIKE":
      return like(column, value, index, patterns);
    default:
      return compare(column, operator, value, index);
  }
}

function equals(column: string, value: unknown, index: IndexDefinition): Condition {
  const type = filterable(column, index);
  const values = listOf(column, value).map((item) => literal(column, type, item));
  return { sql: `${columnName(column)} IN (${values.map(() => "?").join(", ")})`, values };
}

function compare(column: string, operator: string, value: unknown, index: IndexDefinition): Condition {
  const type = filterable(column, index);
  if (type === "string" || type === "boolean") throw invalid(`Filter '${column} ${operator}' needs a number, date or timestamp column.`);
  return { sql: `${columnName(column)} ${operator} ?`, values: [literal(column, type, value)] };
}

function like(column: string, value: unknown, index: IndexDefinition, patterns: boolean): Condition {
  const type = filterable(column, index);
  if (type !== "string") throw invalid(`Filter '${column} LIKE' needs a string column.`);
  const values = listOf(column, value).map((item) => literal(column, type, item));
  const name = columnName(column);
  const spaced = `' ' || replace(replace(${name}, char(10), ' '), char(9), ' ') || ' '`;
  const one = patterns ? `${name} LIKE ?` : `instr(${spaced}, ' ' || ? || ' ') > 0`;
  return { sql: values.map(() => one).join(" OR "), values };
}

function filterable(column: string, index: IndexDefinition): ColumnType {
  const type = Object.hasOwn(index.columns, column) ? index.columns[column] : undefined;
  if (type === undefined) {
    throw invalid(`Filter column '${column}' is not in index '${index.name}', which has ${Object.keys(index.columns).join(", ")}.`);
  }
  if (type === "array<float>") throw invalid(`Column '${column}' holds vectors and cannot be filtered.`);
  return type;
}

function listOf(column: string, value: unknown): unknown[] {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  if (values.length === 0) throw invalid(`The filter on '${column}' has an empty list of values.`);
  if (values.length > MAX_VALUES) throw invalid(`The filter on '${column}' has more than ${MAX_VALUES} values.`);
  return values;
}

function literal(column: string, type: ColumnType, value: unknown): string | number {
  if (isNumeric(type) && typeof value === "number") return value;
  if (isText(type) && typeof value === "string") return value;
  if (type === "boolean" && typeof value === "boolean") return value ? 1 : 0;
  throw invalid(`The filter on '${column}' compares a ${type} with ${JSON.stringify(value)}.`);
}
