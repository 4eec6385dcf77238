/** A type of Databricks SQL as the REST APIs describe it in a column. */
export interface ColumnTypeInfo {
  type_text: string;
  type_name: string;
  type_precision?: number;
  type_scale?: number;
  type_interval_type?: string;
}

const NAMES: Record<string, string> = {
  boolean: "BOOLEAN",
  tinyint: "BYTE",
  byte: "BYTE",
  smallint: "SHORT",
  short: "SHORT",
  int: "INT",
  integer: "INT",
  bigint: "LONG",
  long: "LONG",
  float: "FLOAT",
  real: "FLOAT",
  double: "DOUBLE",
  decimal: "DECIMAL",
  numeric: "DECIMAL",
  dec: "DECIMAL",
  date: "DATE",
  timestamp: "TIMESTAMP",
  timestamp_ntz: "TIMESTAMP_NTZ",
  string: "STRING",
  varchar: "STRING",
  char: "CHAR",
  binary: "BINARY",
  array: "ARRAY",
  struct: "STRUCT",
  map: "MAP",
  void: "NULL",
  variant: "VARIANT",
  interval: "INTERVAL",
};

/** The word that a type starts with: `decimal` of `decimal(10,2)`. */
const head = (type: string) => /^\w+/.exec(type.trim().toLowerCase())?.[0] ?? "";

/** The `type_name` of a type such as `decimal(10,2)` or `array<float>`; `USER_DEFINED_TYPE` for one that is not known. */
export const typeName = (type: string): string => NAMES[head(type)] ?? "USER_DEFINED_TYPE";

/** A type in capitals, but for the names of fields in it. */
const inCapitals = (type: string) => type.replace(/`[^`]*`|[\p{L}\p{N}_]+(?![\p{L}\p{N}_]|\s*:)/gu, (word) => (word.startsWith("`") ? word : word.toUpperCase()));

/** How a type is described in a result's schema. */
export function describeType(type: string): ColumnTypeInfo {
  const info: ColumnTypeInfo = { type_text: inCapitals(type), type_name: typeName(type) };
  if (info.type_name === "DECIMAL") {
    const [, precision = "10", scale = "0"] = /\((\d+)(?:\s*,\s*(\d+))?\)/.exec(type) ?? [];
    info.type_precision = Number(precision);
    info.type_scale = Number(scale);
  }
  if (info.type_name === "INTERVAL") info.type_interval_type = type.toUpperCase().replace(/^INTERVAL\s+/, "");
  return info;
}

/** The JSON of a struct field, as Spark writes schemas: `type_json` of a column or parameter. */
export function fieldJson(name: string, type: string, nullable: boolean, comment: string | undefined): string {
  return JSON.stringify({ name, type: sparkJson(type), nullable, metadata: comment === undefined ? {} : { comment } });
}

/** A type in the JSON form of Spark's schemas. */
function sparkJson(type: string): unknown {
  const text = type.trim();
  const inner = /^\w+\s*<([^]*)>$/.exec(text)?.[1] ?? "";
  switch (head(text)) {
    case "array":
      return { type: "array", elementType: sparkJson(inner), containsNull: true };
    case "map": {
      const [key = "string", value = "string"] = splitTopLevel(inner);
      return { type: "map", keyType: sparkJson(key), valueType: sparkJson(value), valueContainsNull: true };
    }
    case "struct":
      return { type: "struct", fields: splitTopLevel(inner).map(structField) };
    case "tinyint":
      return "byte";
    case "smallint":
      return "short";
    case "int":
      return "integer";
    case "bigint":
      return "long";
    default:
      return text.toLowerCase();
  }
}

function structField(text: string): unknown {
  const [, quoted, plain, type = "string"] = /^\s*(?:`([^`]*)`|([^\s:]+))\s*:?\s*([^]*)$/.exec(text) ?? [];
  return { name: quoted ?? plain ?? "", type: sparkJson(type), nullable: true, metadata: {} };
}

/** Splits at the commas that are in no brackets. */
function splitTopLevel(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? "";
    if ("<(".includes(char)) depth++;
    else if (">)".includes(char)) depth--;
    else if (char === "," && depth === 0) {
      parts.push(text.slice(from, at).trim());
      from = at + 1;
    }
  }
  if (text.trim() !== "") parts.push(text.slice(from).trim());
  return parts;
}
