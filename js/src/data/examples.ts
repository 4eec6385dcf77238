/** What becomes an example of a row of data. */
import { LakeletError } from '../errors.js';
import type { Example } from '../settings.js';

/** What is taken of each row. */
export interface ExampleOptions {
  /** The fields of an example: their names in the data, or those names by the names that they get: `{ question: 'prompt' }`. All unless given. */
  readonly fields?: readonly string[] | Readonly<Record<string, string>>;
  /** Fields without which an example is of no use: a row that lacks the value of one is an error. */
  readonly requires?: readonly string[];
  /** What errors call the data, the name of its file for instance. */
  readonly name?: string;
}

/** Where a row stands. */
interface Place {
  /** From 1 on. */
  readonly row: number;
  /** From 1 on, where it is known. */
  readonly line?: number;
}

/** The fields that are taken, each with its name in the data. @internal */
export function chosen(fields: NonNullable<ExampleOptions['fields']>): [field: string, from: string][] {
  return Array.isArray(fields) ? (fields as readonly string[]).map((field) => [field, field]) : Object.entries(fields as Readonly<Record<string, string>>);
}

/** Makes examples of rows. @internal */
export class Shape<R extends object> {
  readonly name: string;
  readonly #taken: readonly (readonly [field: string, from: string])[] | undefined;
  readonly #required: readonly string[];
  readonly #isValue: (value: unknown) => boolean;

  /** @param isValue what counts as the value of a field that is required */
  constructor({ fields, requires = [], name = 'the data' }: ExampleOptions, isValue: (value: unknown) => boolean = (value) => value !== null) {
    this.name = name;
    this.#taken = fields && chosen(fields);
    this.#required = requires;
    this.#isValue = isValue;
  }

  /** The example of a row. */
  example(row: unknown, place: Place): R {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      throw this.error(`${this.at(place)} is no object`, { hint: 'each row is an object of values by the names of fields' });
    }
    const has = row as Example;
    for (const [field, from] of this.#taken ?? []) if (!Object.hasOwn(has, from)) throw this.#lacking(has, from, field, place);
    const example = this.#taken ? Object.fromEntries(this.#taken.map(([field, from]) => [field, has[from]])) : has;
    for (const field of this.#required) {
      if (!Object.hasOwn(example, field) || !this.#isValue(example[field])) throw this.#lacking(has, field, field, place);
    }
    return example as R;
  }

  /** What is thrown when there was no row. */
  empty(): LakeletError {
    return this.error(`${this.name} holds no example`, { hint: 'give at least one row' });
  }

  /** Where a row stands, in words. */
  at({ row, line }: Place): string {
    return `row ${row}${line === undefined ? '' : ` (line ${line})`} of ${this.name}`;
  }

  /** An error about the data. */
  error(message: string, details: { readonly field?: string; readonly hint: string }, cause?: unknown): LakeletError {
    return new LakeletError(message, { code: 'input', ...details }, { cause });
  }

  #lacking(row: Example, name: string, field: string, place: Place): LakeletError {
    const others = Object.keys(row);
    const hint = Object.hasOwn(row, name)
      ? 'fill it in, or leave the row out'
      : `it has ${others.map((other) => `\`${other}\``).join(', ') || 'no fields'}; to rename one: fields: { ${field}: '${others[0] ?? 'name'}' }`;
    return this.error(`${this.at(place)} has no ${Object.hasOwn(row, name) ? 'value in ' : ''}\`${name}\``, { field, hint });
  }
}
