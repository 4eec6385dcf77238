/** Types of one's own, as signatures name them: models, typed dicts and enums, declared as plain data. */
import type { Constraints, FieldSpec } from './signature.js';

/** A JSON Schema for the values of a field; `title` names it in prompts. */
export interface ObjectSchema {
  readonly type: 'object' | 'array';
  readonly title?: string;
  readonly [keyword: string]: unknown;
}

/** What can be said of a field of a model. */
export interface ModelFieldOptions extends Constraints {
  readonly type?: string | ObjectSchema;
  readonly description?: string;
  /** A field without default is required. */
  readonly default?: unknown;
  readonly alias?: string;
  readonly title?: string;
}

/** The fields of a model: annotations, or what else can be said of a field. */
export type ModelFields = Readonly<Record<string, string | ObjectSchema | ModelFieldOptions>>;

/**
 * A type of one's own: a pydantic model, a `TypedDict`, or an `Enum`. A list of texts is an enum whose names are its values.
 *
 * ```ts
 * const types = {
 *   Mood: { enum: ['happy', 'sad'] },
 *   Person: { doc: 'Somebody.', model: { name: 'str', mood: 'Mood', age: { type: 'int', ge: 0, description: 'in years' } } },
 * } as const;
 * ```
 */
export type TypeSpec =
  | { readonly model: ModelFields; readonly doc?: string; readonly extra?: 'forbid' | 'allow' | 'ignore' }
  | { readonly typedDict: ModelFields }
  | { readonly enum: Readonly<Record<string, unknown>> | readonly string[]; readonly base?: 'Enum' | 'str' | 'int' | 'IntEnum' | 'StrEnum' };

/** Types by their names. One may name those before it, and itself. */
export type TypeSpecs = Readonly<Record<string, TypeSpec>>;

/** The types as the core reads them. @internal */
export function typesOf(types: TypeSpecs): Record<string, unknown> {
  return mapped(types, (spec) => {
    if ('enum' in spec) {
      const members = Array.isArray(spec.enum) ? Object.fromEntries((spec.enum as string[]).map((value) => [value, value])) : spec.enum;
      return { ...spec, enum: members };
    }
    if ('model' in spec) return { ...spec, model: mapped(spec.model, written) };
    return 'typedDict' in spec ? { typedDict: mapped(spec.typedDict, written) } : spec;
  });
}

/** The fields of one side as the core reads them. @internal */
export function fieldsOf(io: 'input' | 'output', specs: Readonly<Record<string, FieldSpec>>): object[] {
  return Object.entries(specs).map(([name, spec]) => ({ ...written(spec), name, io }));
}

/** A field as the core reads it, its constraints apart and by pydantic's names. @internal */
export function written(spec: FieldSpec | ModelFields[string]): object {
  if (typeof spec === 'string') return { type: spec };
  if (spec.type === 'object' || spec.type === 'array') return { type: spec };
  const said: Record<string, unknown> = {}, constraints: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(spec)) {
    if (SAID.has(name)) said[name] = value;
    else constraints[name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)] = value;
  }
  return { ...said, constraints };
}

const SAID = new Set(['type', 'desc', 'prefix', 'default', 'description', 'alias', 'title']);

function mapped<V>(record: Readonly<Record<string, V>>, change: (value: V) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
