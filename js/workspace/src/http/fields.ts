import { invalid } from "./errors.js";

/**
 * Readers of request fields. Each names the field in its error, and takes an explicit `null` for an absent field,
 * because Databricks' clients send nulls.
 */
type Fields = Record<string, unknown>;

export function optionalString(body: Fields, name: string): string | undefined {
  const value = body[name] ?? undefined;
  if (value !== undefined && typeof value !== "string") throw invalid(`'${name}' must be a string.`);
  return value;
}

export function requiredString(body: Fields, name: string): string {
  const value = optionalString(body, name);
  if (value === undefined || value === "") throw invalid(`'${name}' is required.`);
  return value;
}

export function optionalNumber(body: Fields, name: string, min: number, max: number): number | undefined {
  const value = body[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !(value >= min && value <= max)) {
    throw invalid(`'${name}' must be a number from ${min} to ${max}.`);
  }
  return value;
}

export function optionalInteger(body: Fields, name: string, min: number, max: number): number | undefined {
  const value = optionalNumber(body, name, min, max);
  if (value !== undefined && !Number.isInteger(value)) throw invalid(`'${name}' must be an integer.`);
  return value;
}

export function optionalBoolean(body: Fields, name: string): boolean | undefined {
  const value = body[name] ?? undefined;
  if (value !== undefined && typeof value !== "boolean") throw invalid(`'${name}' must be true or false.`);
  return value;
}

export function optionalStrings(body: Fields, name: string): string[] | undefined {
  const value = body[name] ?? undefined;
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) {
    throw invalid(`'${name}' must be a list of strings.`);
  }
  return value;
}

export function optionalNumbers(body: Fields, name: string): number[] | undefined {
  const value = body[name] ?? undefined;
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || !value.every((item) => typeof item === "number" && Number.isFinite(item))) {
    throw invalid(`'${name}' must be a list of numbers.`);
  }
  return value;
}

export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
