/** A row as a protobuf Struct in JSON: a list of entries, each value tagged with its kind. */
export function structEntries(row: Record<string, unknown>): object {
  return { fields: Object.entries(row).map(([key, value]) => ({ key, value: structValue(value) })) };
}

function structValue(value: unknown): object {
  if (typeof value === "string") return { string_value: value };
  if (typeof value === "number") return { number_value: value };
  if (typeof value === "boolean") return { bool_value: value };
  if (Array.isArray(value)) return { list_value: { values: value.map(structValue) } };
  return { null_value: "NULL_VALUE" };
}
