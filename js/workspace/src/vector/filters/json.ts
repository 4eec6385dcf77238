import { invalid } from "../../http/errors.js";
import { isObject } from "../../http/fields.js";
import type { IndexDefinition } from "../definition.js";
import { all, any, compare, hasToken, isNull, like, oneOf, type Condition } from "./condition.js";

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
  return all(objects.flatMap((object) => Object.entries(object).map(([key, value]) => readClause(key, value, index, isList))));
}

function readClause(key: string, value: unknown, index: IndexDefinition, patterns: boolean): Condition {
  if (Object.hasOwn(index.columns, key)) return oneOf(key, listOf(value), index);
  const alternatives = key.split(" OR ");
  if (alternatives.length > 1) {
    if (!Array.isArray(value) || value.length !== alternatives.length) {
      throw invalid(`Filter '${key}' needs a list of ${alternatives.length} values, one for each column.`);
    }
    return any(alternatives.map((part, i) => readClause(part.trim(), value[i], index, patterns)));
  }
  const [, column = key, operator = ""] = /^(.*?)\s+(NOT|<=|>=|<|>|LIKE)$/.exec(key.trim()) ?? [];
  switch (operator) {
    case "":
      return oneOf(column, listOf(value), index);
    case "NOT": {
      const { sql, values } = oneOf(column, listOf(value), index);
      return any([isNull(column, index), { sql: `NOT (${sql})`, values }]);
    }
    case "LIKE":
      return (patterns ? like : hasToken)(column, listOf(value), index);
    default:
      return compare(column, operator, value, index);
  }
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);
