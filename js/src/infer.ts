/**
 * The TypeScript types of a signature string, without code generation.
 *
 * ```ts
 * type In = Inputs<"context: list[str], question -> answer: str, score: float">;
 * //   { context: readonly string[]; question: Given }
 * type Out = Outputs<"context: list[str], question -> answer: str, score: float">;
 * //   { answer: string; score: number }
 * ```
 *
 * The grammar is that of DSPy's signature strings: names with Python annotations. A name that is not known here
 * (a class of the program's own) is `unknown`. A string that is not a literal type gives records of `unknown`.
 *
 * Every step of reading takes text from the front of a string and gives `[what was read, the rest]`. What is read of an annotation
 * is an expression: a name, `{ of, with }` for brackets, `{ literal }`, or a union of them. {@link Eval} makes a type of it, with the
 * types in `Known` by their names.
 */
import type { Tool } from './tool.js';
import type { Audio, Citations, Code, Document, File, History, Image, Reasoning, ToolCalls } from './types.js';

/** What an input without annotation takes: anything but `undefined`. */
export type Given = NonNullable<unknown> | null;

/** The inputs of a signature. `T` are the types that were declared for it. */
export type Inputs<S extends string, T = {}> = string extends S
  ? Record<string, Given>
  : Trim<S> extends `${infer I}->${string}`
    ? Written<Fields<I, Given, Omit<GivenNames, keyof T> & Declared<T>>>
    : never;

/** Inputs are only read. */
type Written<F> = { [K in keyof F]: F[K] extends readonly unknown[] ? Readonly<F[K]> : F[K] };

/** The outputs of a signature. `T` are the types that were declared for it. */
export type Outputs<S extends string, T = {}> = string extends S
  ? Record<string, unknown>
  : Trim<S> extends `${string}->${infer O}`
    ? Flat<Fields<O, string, Omit<Names, keyof T> & Declared<T>>>
    : never;

type Flat<F> = { [K in keyof F]: F[K] };

/** The type of a Python annotation: `TypeOf<"dict[str, list[int]]">` is `Record<string, number[]>`. */
export type TypeOf<A extends string, T = {}> = string extends A ? unknown : Eval<Union<A>[0], Omit<Names, keyof T> & Declared<T>>;

/** The types that were declared, by their names. */
type Declared<T> = { [N in keyof T]: OfSpec<T[N], T> };

type OfSpec<S, T> = S extends { readonly enum: infer E }
  ? E extends readonly (infer V)[] ? V : E[keyof E]
  : S extends { readonly model: infer F } | { readonly typedDict: infer F }
    ? { -readonly [K in keyof F]: FieldType<F[K], T> }
    : unknown;

/** The type of a field that is given as an annotation, or as an object with one as its `type`. */
export type FieldType<F, T> = F extends string ? TypeOf<F, T>
  : F extends { readonly type: infer A } ? (A extends 'object' | 'array' ? unknown : A extends string ? TypeOf<A, T> : unknown)
  : string;

type Fields<S extends string, Untyped, Known, Found = {}> =
  Trim<S> extends ''
    ? Found
    : Head<S> extends `${infer Name}:${string}`
      ? S extends `${Name}:${infer Annotation}`
        ? Union<Annotation> extends [infer X, infer Rest extends string]
          ? Fields<After<Rest>, Untyped, Known, Found & { [K in Trim<Name>]: Eval<X, Known> }>
          : never
        : never
      : S extends `${infer Name},${infer Rest}`
        ? Fields<Rest, Untyped, Known, Found & { [K in Trim<Name>]: Untyped }>
        : Found & { [K in Trim<S>]: Untyped };

/** `A | B`. */
type Union<S extends string> =
  Atom<Trim<S>> extends [infer A, infer Rest extends string]
    ? Trim<Rest> extends `|${infer More}`
      ? Union<More> extends [infer B, infer End extends string]
        ? [A | B, End]
        : never
      : [A, Rest]
    : never;

type Atom<S extends string> =
  Cut<S> extends `${infer Name}[${string}`
    ? S extends `${Name}[${infer Rest}`
      ? Plain<Name> extends 'Literal'
        ? Literals<Rest>
        : Arguments<Rest> extends [infer A, infer End extends string]
          ? [{ of: Plain<Name>; with: A }, End]
          : never
      : never
    : S extends `${Cut<S>}${infer Rest}`
      ? [Plain<Cut<S>>, Rest]
      : never;

/** The arguments in brackets, up to the bracket that closes them. */
type Arguments<S extends string, Found extends unknown[] = []> =
  Union<S> extends [infer A, infer Rest extends string]
    ? Trim<Rest> extends `,${infer More}`
      ? Arguments<More, [...Found, A]>
      : Trim<Rest> extends `]${infer End}`
        ? [[...Found, A], End]
        : never
    : never;

type Literals<S extends string, Found = never> =
  Literal<Trim<S>> extends [infer L, infer Rest extends string]
    ? Trim<Rest> extends `,${infer More}`
      ? Literals<More, Found | L>
      : Trim<Rest> extends `]${infer End}`
        ? [{ literal: Found | L }, End]
        : never
    : never;

type Literal<S extends string> = S extends `'${infer Text}'${infer Rest}`
  ? [Text, Rest]
  : S extends `"${infer Text}"${infer Rest}`
    ? [Text, Rest]
    : S extends `${Cut<S>}${infer Rest}`
      ? [Constant<Trim<Cut<S>>>, Rest]
      : never;

type Constant<S extends string> = S extends `${infer N extends number}`
  ? N
  : S extends 'True' ? true : S extends 'False' ? false : S extends 'None' ? null : unknown;

/** What the names of Python and DSPy are as JSON. */
interface Names {
  str: string;
  int: number;
  float: number;
  bool: boolean;
  None: null;
  bytes: string;
  complex: string;
  list: unknown[];
  List: unknown[];
  tuple: unknown[];
  Tuple: unknown[];
  set: unknown[];
  frozenset: unknown[];
  dict: Record<string, unknown>;
  Dict: Record<string, unknown>;
  date: string;
  datetime: string;
  time: string;
  timedelta: string;
  Decimal: string;
  UUID: string;
  Image: Image;
  Audio: Audio;
  File: File;
  Document: Document;
  Code: string;
  Reasoning: string;
  History: History;
  ToolCalls: ToolCalls;
  Tool: Tool<never>;
  Citations: Citations;
}

/** What they may be as inputs. */
interface GivenNames extends Omit<Names, 'datetime' | 'bytes' | 'set' | 'frozenset' | 'Code' | 'Reasoning'> {
  datetime: string | Date;
  bytes: string | Uint8Array;
  set: ReadonlySet<unknown> | readonly unknown[];
  frozenset: ReadonlySet<unknown> | readonly unknown[];
  Code: string | Code;
  Reasoning: string | Reasoning;
}

/**
 * The type of an expression. Only the expression decides what is looked at, never a type that came of it: a type of one's own
 * may hold itself.
 */
type Eval<X, Known> = X extends string
  ? X extends keyof Known ? Known[X] : unknown
  : X extends { literal: infer L }
    ? L
    : X extends { of: infer N; with: infer A extends unknown[] }
      ? Generic<N, A, Known>
      : never;

type Generic<N, A extends unknown[], Known> = N extends 'Optional'
  ? Eval<A[0], Known> | null
  : N extends 'Union'
    ? Eval<A[number], Known>
    : N extends 'dict' | 'Dict' | 'Mapping'
      ? Record<Key<Eval<A[0], Known>>, Eval<A[1], Known>>
      : N extends 'tuple' | 'Tuple'
        ? A extends [infer X, '...'] ? Eval<X, Known>[] : { [I in keyof A]: Eval<A[I], Known> }
        : N extends 'list' | 'List' | 'Sequence' | 'set' | 'Set' | 'frozenset'
          ? Eval<A[0], Known>[]
          : N extends 'Code'
            ? string
            : unknown;

type Key<K> = K extends string ? K : string;

/** A name without its module, `typing.Optional` as `Optional`. */
type Plain<N extends string> = Trim<N> extends '...' ? '...' : Trim<N> extends `${string}.${infer Last}` ? Plain<Last> : Trim<N>;

/** The text before the next comma. */
type Head<S extends string> = S extends `${infer H},${string}` ? H : S;

/** The text before the next comma, closing bracket or bar. */
type Cut<S extends string> = Before<Before<Head<S>, ']'>, '|'>;

type Before<S extends string, End extends string> = S extends `${infer H}${End}${string}` ? H : S;

/** The text after a comma, if it begins with one. */
type After<S extends string> = Trim<S> extends `,${infer Rest}` ? Rest : Trim<S>;

type Blank = ' ' | '\n' | '\t' | '\r';

type Trim<S extends string> = S extends `${Blank}${infer Rest}` ? Trim<Rest> : S extends `${infer Rest}${Blank}` ? Trim<Rest> : S;
