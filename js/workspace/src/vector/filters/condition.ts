import { invalid } from "../../http/errors.js";
import { columnName, isNumeric, isText, type ColumnType } from "../columns.js";
import type { IndexDefinition } from "../definition.js";

/** A condition on rows, as SQL over the table of an index. */
export interface Condition {
  sql: string;
  values: Array<string | number>;
}

/** Databricks' limit on the values of one clause. */
const MAX_VALUES = 1024;

/** Holds for every row. */
export const everything: Condition = { sql: "1", values: [] };

export function all(conditions: Condition[]): Condition {
  return conditions.length === 0 ? everything : join(conditions, " AND ");
}

export const any = (conditions: Condition[]) => join(conditions, " OR ");

function join(conditions: Condition[], word: string): Condition {
  return { sql: conditions.map(({ sql }) => `(${sql})`).join(word), values: conditions.flatMap(({ values }) => values) };
}

/** The column has one of these values. */
export function oneOf(column: string, values: unknown[], index: IndexDefinition): Condition {
  const type = filterable(column, index);
  const literals = limited(column, values).map((value) => literal(column, type, value));
  return { sql: `${columnName(column)} IN (${literals.map(() => "?").join(", ")})`, values: literals };
}

/** The column is less or greater than a value, or equal. */
export function compare(column: string, operator: string, value: unknown, index: IndexDefinition): Condition {
  const type = filterable(column, index);
  if (type === "string" || type === "boolean") throw invalid(`Filter '${column} ${operator}' needs a number, date or timestamp column.`);
  return { sql: `${columnName(column)} ${operator} ?`, values: [literal(column, type, value)] };
}

/** The column matches one of these patterns, in which `%` stands for any text and `_` for one character. */
export function like(column: string, patterns: unknown[], index: IndexDefinition): Condition {
  return onText(column, patterns, index, `${columnName(column)} LIKE ?`);
}

/** The column has one of these as a whole word between white space. */
export function hasToken(column: string, tokens: unknown[], index: IndexDefinition): Condition {
  const spaced = `' ' || replace(replace(${columnName(column)}, char(10), ' '), char(9), ' ') || ' '`;
  return onText(column, tokens, index, `instr(${spaced}, ' ' || ? || ' ') > 0`);
}

function onText(column: string, values: unknown[], index: IndexDefinition, sql: string): Condition {
  const type = filterable(column, index);
  if (type !== "string") throw invalid(`Filter '${column} LIKE' needs a string column.`);
  return any(limited(column, values).map((value) => ({ sql, values: [literal(column, type, value)] })));
}

/** The list in the column has this value in it. */
export function contains(column: string, value: unknown, index: IndexDefinition): Condition {
  if (index.columns[column] !== "array<string>") throw invalid(`array_contains needs an array<string> column, which '${column}' is not.`);
  if (typeof value !== "string") throw invalid(`array_contains on '${column}' needs a string, not ${JSON.stringify(value)}.`);
  return { sql: `EXISTS (SELECT 1 FROM json_each(${columnName(column)}) WHERE value = ?)`, values: [value] };
}

export function isNull(column: string, index: IndexDefinition): Condition {
  filterable(column, index);
  return { sql: `${columnName(column)} IS NULL`, values: [] };
}

/** The type of a column that a filter may name. */
export function filterable(column: string, index: IndexDefinition): ColumnType {
  const type = Object.hasOwn(index.columns, column) ? index.columns[column] : undefined;
  if (type === undefined) {
    throw invalid(`Filter column '${column}' is not in index '${index.name}', which has ${Object.keys(index.columns).join(", ")}.`);
  }
  if (type === "array<float>") throw invalid(`Column '${column}' holds vectors and cannot be filtered.`);
  if (type === "json") throw invalid(`Column '${column}' holds maps or structs and cannot be filtered.`);
  return type;
}

function limited(column: string, values: unknown[]): unknown[] {
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
