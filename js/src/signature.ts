/** Signatures: what a predictor is given and what it gives back. */
import type { Signature as Handle } from '../wasm/lakelet.js';
import { calling } from './core.js';
import { fieldsOf, typesOf, written, type ObjectSchema, type TypeSpecs } from './declare.js';
import type { FieldType, Inputs, Outputs } from './infer.js';
import { write } from './values.js';

/** A field as the core understands it. */
export interface Field {
  readonly name: string;
  readonly io: 'input' | 'output';
  /** The annotation, `list[str]` for instance. */
  readonly type: string;
  readonly desc: string;
  readonly prefix: string;
  /** The constraints as prompts tell them: `greater than or equal to: 0`. */
  readonly constraints?: string;
}

/** The limits of a value, by pydantic's names. */
export interface Constraints {
  readonly gt?: number;
  readonly ge?: number;
  readonly lt?: number;
  readonly le?: number;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly allowInfNan?: boolean;
}

/** What can be said of a field of a signature. Its type is an annotation or a JSON Schema, and `str` unless given. */
export interface FieldOptions extends Constraints {
  readonly type?: string | ObjectSchema;
  readonly desc?: string;
  readonly prefix?: string;
  /** What stands for the value where it is missing. */
  readonly default?: unknown;
}

/** A field: its annotation, its JSON Schema, or either with more that can be said of it. */
export type FieldSpec = string | ObjectSchema | FieldOptions;

/** A signature by its fields. */
export interface SignatureSpec<T extends TypeSpecs = TypeSpecs> {
  readonly instructions?: string;
  readonly inputs: Readonly<Record<string, FieldSpec>>;
  readonly outputs: Readonly<Record<string, FieldSpec>>;
  /** Types that fields may name. */
  readonly types?: T;
}

/** What a signature string leaves open. */
export interface SignatureOptions<T extends TypeSpecs = TypeSpecs> {
  /** What the model is to do; replaces DSPy's sentence. */
  readonly instructions?: string;
  /** Types that fields may name. */
  readonly types?: T;
}

type SpecInputs<S, T> = S extends SignatureSpec ? { [K in keyof S['inputs']]: FieldType<S['inputs'][K], T> } : never;
type SpecOutputs<S, T> = S extends SignatureSpec ? { -readonly [K in keyof S['outputs']]: FieldType<S['outputs'][K], T> } : never;

/** What {@link predict} and its kin take: a signature string, or a {@link Signature}. */
export type SignatureLike = string | Signature<object, object>;

/** The inputs of a {@link SignatureLike}. */
export type InputsOf<S, T = {}> = S extends string ? Inputs<S, T> : S extends Signature<infer I, object> ? I : never;

/** The outputs of a {@link SignatureLike}. */
export type OutputsOf<S, T = {}> = S extends string ? Outputs<S, T> : S extends Signature<object, infer O> ? O : never;

/** A field that an edit brings. Made by {@link inputField} and {@link outputField}. */
export interface NewField<IO extends 'input' | 'output', F extends FieldSpec> {
  readonly io: IO;
  readonly spec: F;
}

type WithField<I extends object, O extends object, N extends string, F> = F extends NewField<infer IO, infer S>
  ? IO extends 'input' ? Signature<I & { [K in N]: FieldType<S, {}> }, O> : Signature<I, O & { [K in N]: FieldType<S, {}> }>
  : never;

/** An input, for the edits of a {@link Signature}. */
export function inputField<const F extends FieldSpec = 'str'>(spec: F = 'str' as F): NewField<'input', F> {
  return { io: 'input', spec };
}

/** An output, for the edits of a {@link Signature}. */
export function outputField<const F extends FieldSpec = 'str'>(spec: F = 'str' as F): NewField<'output', F> {
  return { io: 'output', spec };
}

/** What DSPy saves of a signature. */
export interface SignatureState {
  readonly instructions: string;
  readonly fields: readonly { readonly prefix: string; readonly description: string }[];
}

interface Description {
  readonly text: string;
  readonly instructions: string;
  readonly fields: readonly Field[];
  readonly state: SignatureState;
}

/**
 * A signature that was read. Made by {@link signature}. Edits give another one, as DSPy's do.
 *
 * ```ts
 * const qa = signature('question -> answer');
 * const careful = qa.append('confidence', outputField({ type: 'float', ge: 0, le: 1 })).appendInstructions('Be careful.');
 * ```
 */
export class Signature<I extends object, O extends object> {
  /** Only for the compiler. */
  declare readonly inputType: I;
  /** Only for the compiler. */
  declare readonly outputType: O;
  /** @internal */
  readonly handle: Handle;
  #described: Description | undefined;

  /** @internal */
  constructor(handle: Handle) {
    this.handle = handle;
  }

  /** What the model is to do. */
  get instructions(): string {
    return this.#description.instructions;
  }

  /** All inputs, then all outputs. */
  get fields(): readonly Field[] {
    return this.#description.fields;
  }

  /** The names of the fields: `context, question -> answer`. */
  toString(): string {
    return this.#description.text;
  }

  /** With a field behind the inputs, or behind the outputs. */
  append<const N extends string, F extends NewField<'input' | 'output', FieldSpec>>(name: N, field: F): WithField<I, O, N, F> {
    return this.#edited({ op: 'append', name, ...added(field) });
  }

  /** With a field in front of the inputs, or of the outputs. */
  prepend<const N extends string, F extends NewField<'input' | 'output', FieldSpec>>(name: N, field: F): WithField<I, O, N, F> {
    return this.#edited({ op: 'prepend', name, ...added(field) });
  }

  /** With a field at a position among the inputs, or among the outputs; -1 is behind the last. */
  insert<const N extends string, F extends NewField<'input' | 'output', FieldSpec>>(index: number, name: N, field: F): WithField<I, O, N, F> {
    return this.#edited({ op: 'insert', index, name, ...added(field) });
  }

  /** Without a field; a name that is not there changes nothing. */
  delete<const N extends string>(name: N): Signature<Omit<I, N>, Omit<O, N>> {
    return this.#edited({ op: 'delete', name });
  }

  /** With other instructions; empty ones bring DSPy's sentence back. */
  withInstructions(instructions: string): Signature<I, O> {
    return this.#edited({ op: 'withInstructions', instructions });
  }

  /** With more instructions behind a blank line. */
  appendInstructions(instructions: string): Signature<I, O> {
    return this.#edited({ op: 'appendInstructions', instructions });
  }

  /** With another description, prefix or type of a field. */
  withUpdatedFields(name: (keyof I | keyof O) & string, changes: { readonly desc?: string; readonly prefix?: string; readonly type?: string | ObjectSchema }): Signature<I, O> {
    return this.#edited({ ...changes, op: 'withUpdatedFields', name });
  }

  /** DSPy's comparison: instructions, names, descriptions, prefixes and constraints, but neither types nor order. */
  equals(other: Signature<object, object>): boolean {
    return calling(() => this.handle.equals(other.handle));
  }

  /** What DSPy saves of it. */
  dumpState(): SignatureState {
    return this.#description.state;
  }

  /** The same fields with the instructions, prefixes and descriptions that were saved. */
  loadState(state: SignatureState): Signature<I, O> {
    return this.#edited({ op: 'loadState', state });
  }

  #edited<S>(edit: Readonly<Record<string, unknown>>): S {
    return new Signature(calling(() => this.handle.edit(write(edit)))) as S;
  }

  get #description(): Description {
    return (this.#described ??= JSON.parse(calling(() => this.handle.describe())) as Description);
  }
}

/**
 * Reads a signature: a string as DSPy has it, or fields with descriptions.
 *
 * ```ts
 * signature('question -> answer', { instructions: 'Answer in one word.' });
 * signature('text -> people: list[Person]', { types: { Person: { model: { name: 'str', age: { type: 'int', ge: 0 } } } } });
 * signature({
 *   instructions: 'Answer from the passages only.',
 *   inputs: { context: 'list[str]', question: 'str' },
 *   outputs: { answer: { type: 'str', desc: 'one sentence' }, score: { type: 'float', ge: 0, le: 1 } },
 * });
 * ```
 *
 * @throws {@link LakeletError} `signature`, with a hint; `config` before `init()`.
 */
export function signature<const S extends string, const T extends TypeSpecs = {}>(text: S, options?: SignatureOptions<T>): Signature<Inputs<S, T>, Outputs<S, T>>;
export function signature<const S extends SignatureSpec<T>, const T extends TypeSpecs = {}>(spec: S & { readonly types?: T }): Signature<SpecInputs<S, T>, SpecOutputs<S, T>>;
export function signature(given: string | SignatureSpec, options: SignatureOptions = {}): Signature<object, object> {
  return new Signature(read(given, options));
}

/** The signature in the core's memory. @internal */
export function read(given: string | SignatureSpec, options: SignatureOptions = {}): Handle {
  const spec = typeof given === 'string' ? { text: given, ...options }
    : { fields: [...fieldsOf('input', given.inputs), ...fieldsOf('output', given.outputs)], instructions: given.instructions, types: given.types };
  return calling((core) => core.Signature.read(write({ ...spec, types: spec.types && typesOf(spec.types) })));
}

function added({ io, spec }: NewField<'input' | 'output', FieldSpec>): object {
  return { io, ...written(spec) };
}
