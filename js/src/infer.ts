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
 * Every step below takes text from the front of a string and gives `[what was read, the rest]`. `Known` are the names of types.
 */
import type { Audio, Citations, Code, Document, File, History, Image, Reasoning, ToolCalls } from './types.js';

/** What an input without annotation takes: anything but `undefined`. */
export type Given = NonNullable<unknown> | null;

/** The inputs of a signature. */
export type Inputs<S extends string> = string extends S
  ? Record<string, Given>
  : Trim<S> extends `${infer I}->${string}`
    ? Written<Fields<I, Given, GivenNames>>
    : never;

/** Inputs are only read. */
type Written<F> = { [K in keyof F]: F[K] extends readonly unknown[] ? Readonly<F[K]> : F[K] };

/** The outputs of a signature. */
export type Outputs<S extends string> = string extends S
  ? Record<string, unknown>
  : Trim<S> extends `${string}->${infer O}`
    ? Flat<Fields<O, string, Names>>
    : never;

type Flat<F> = { [K in keyof F]: F[K] };

/** The type of a Python annotation: `TypeOf<"dict[str, list[int]]">` is `Record<string, number[]>`. */
export type TypeOf<A extends string> = string extends A ? unknown : Union<A, Names>[0];

type Fields<S extends string, Untyped, Known, Found = {}> =
  Trim<S> extends ''
    ? Found
    : Head<S> extends `${infer Name}:${string}`
      ? S extends `${Name}:${infer Annotation}`
        ? Union<Annotation, Known> extends [infer T, infer Rest extends string]
          ? Fields<After<Rest>, Untyped, Known, Found & { [K in Trim<Name>]: T }>
          : never
        : never
      : S extends `${infer Name},${infer Rest}`
        ? Fields<Rest, Untyped, Known, Found & { [K in Trim<Name>]: Untyped }>
        : Found & { [K in Trim<S>]: Untyped };

/** `A | B`. */
type Union<S extends string, Known> =
  Atom<Trim<S>, Known> extends [infer A, infer Rest extends string]
    ? Trim<Rest> extends `|${infer More}`
      ? Union<More, Known> extends [infer B, infer End extends string]
        ? [A | B, End]
        : never
      : [A, Rest]
    : never;

type Atom<S extends string, Known> =
  Cut<S> extends `${infer Name}[${string}`
    ? S extends `${Name}[${infer Rest}`
      ? Plain<Name> extends 'Literal'
        ? Literals<Rest>
        : Arguments<Rest, Known> extends [infer A extends unknown[], infer End extends string]
          ? [Generic<Plain<Name>, A>, End]
          : never
      : never
    : S extends `${Cut<S>}${infer Rest}`
      ? [Named<Plain<Cut<S>>, Known>, Rest]
      : never;

/** The arguments in brackets, up to the bracket that closes them. */
type Arguments<S extends string, Known, Found extends unknown[] = []> =
  Union<S, Known> extends [infer A, infer Rest extends string]
    ? Trim<Rest> extends `,${infer More}`
      ? Arguments<More, Known, [...Found, A]>
      : Trim<Rest> extends `]${infer End}`
        ? [[...Found, A], End]
        : never
    : never;

type Literals<S extends string, Found = never> =
  Literal<Trim<S>> extends [infer L, infer Rest extends string]
    ? Trim<Rest> extends `,${infer More}`
      ? Literals<More, Found | L>
      : Trim<Rest> extends `]${infer End}`
        ? [Found | L, End]
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

type Named<N extends string, Known> = N extends keyof Known ? Known[N] : unknown;

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
  Citations: Citations;
  '...': More;
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

/** The dots of `tuple[int, ...]`. */
interface More {
  readonly more: never;
}

type Generic<N extends string, A extends unknown[]> = N extends 'Optional'
  ? A[0] | null
  : N extends 'Union'
    ? A[number]
    : N extends 'dict' | 'Dict' | 'Mapping'
      ? Record<A[0] extends string ? A[0] : string, A[1]>
      : N extends 'tuple' | 'Tuple'
        ? A extends [infer T, More] ? T[] : A
        : N extends 'list' | 'List' | 'Sequence' | 'set' | 'Set' | 'frozenset'
          ? A[0][]
          : N extends 'Code'
            ? string
            : unknown;

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
