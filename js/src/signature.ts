/** Signatures: what a predictor is given and what it gives back. */
import { calling } from './core.js';
import type { Inputs, Outputs, TypeOf } from './infer.js';

/** A field as the core understands it. */
export interface Field {
  readonly name: string;
  readonly io: 'input' | 'output';
  /** The annotation, `list[str]` for instance. */
  readonly type: string;
  readonly desc: string;
  readonly prefix: string;
}

/** A JSON Schema for the values of a field; `title` names it in prompts. */
export interface ObjectSchema {
  readonly type: 'object' | 'array';
  readonly title?: string;
  readonly [keyword: string]: unknown;
}

/** A field: its annotation, its JSON Schema, or either with a description. */
export type FieldSpec = string | ObjectSchema | { readonly type?: string | ObjectSchema; readonly desc?: string; readonly prefix?: string };

/** A signature by its fields. */
export interface SignatureSpec {
  readonly instructions?: string;
  readonly inputs: Readonly<Record<string, FieldSpec>>;
  readonly outputs: Readonly<Record<string, FieldSpec>>;
}

type SpecType<F> = F extends string ? TypeOf<F> : F extends { type: infer T extends string } ? (T extends 'object' | 'array' ? unknown : TypeOf<T>)
  : F extends { type: unknown } ? unknown : string;

/** What {@link predict} and its kin take: a signature string, or a {@link Signature}. */
export type SignatureLike = string | Signature<object, object>;

/** The inputs of a {@link SignatureLike}. */
export type InputsOf<S> = S extends string ? Inputs<S> : S extends Signature<infer I, object> ? I : never;

/** The outputs of a {@link SignatureLike}. */
export type OutputsOf<S> = S extends string ? Outputs<S> : S extends Signature<object, infer O> ? O : never;

/** How a signature is written: its text, whether that is JSON text of its fields, and its instructions. @internal */
export type Source = readonly [text: string, areFields: boolean, instructions?: string | undefined];

/** A signature that was read. Made by {@link signature}. */
export class Signature<I extends object, O extends object> {
  /** Only for the compiler. */
  declare readonly inputType: I;
  /** Only for the compiler. */
  declare readonly outputType: O;
  /** @internal */
  readonly source: Source;
  #described: { readonly instructions: string; readonly fields: readonly Field[] } | undefined;

  /** @internal */
  constructor(source: Source) {
    calling((core) => core.check_signature(...source));
    this.source = source;
  }

  /** What the model is to do. */
  get instructions(): string {
    return this.#description.instructions;
  }

  /** All inputs, then all outputs. */
  get fields(): readonly Field[] {
    return this.#description.fields;
  }

  get #description() {
    return (this.#described ??= JSON.parse(calling((core) => core.describe_signature(...this.source))) as { instructions: string; fields: Field[] });
  }
}

/**
 * Reads a signature: a string as DSPy has it, or fields with descriptions.
 *
 * ```ts
 * signature('question -> answer', { instructions: 'Answer in one word.' });
 * signature({
 *   instructions: 'Answer from the passages only.',
 *   inputs: { context: 'list[str]', question: 'str' },
 *   outputs: { answer: { type: 'str', desc: 'one sentence' }, sources: 'list[int]' },
 * });
 * ```
 *
 * @throws {@link LakeletError} `signature`, with a hint; `config` before `init()`.
 */
export function signature<const S extends string>(text: S, options?: { readonly instructions?: string }): Signature<Inputs<S>, Outputs<S>>;
export function signature<const S extends SignatureSpec>(spec: S): Signature<
  { [K in keyof S['inputs']]: SpecType<S['inputs'][K]> },
  { -readonly [K in keyof S['outputs']]: SpecType<S['outputs'][K]> }
>;
export function signature(given: string | SignatureSpec, options?: { readonly instructions?: string }): Signature<object, object> {
  return new Signature(typeof given === 'string' ? [given, false, options?.instructions] : [JSON.stringify(written(given)), true]);
}

function written({ instructions, inputs, outputs }: SignatureSpec): object {
  const fields = (io: string, specs: SignatureSpec['inputs']) => Object.entries(specs).map(([name, spec]) => ({ name, io, ...field(spec) }));
  return { instructions, fields: [...fields('input', inputs), ...fields('output', outputs)] };
}

function field(spec: FieldSpec): object {
  if (typeof spec === 'string') return { type: spec };
  return spec.type === 'object' || spec.type === 'array' ? { type: spec } : spec;
}
