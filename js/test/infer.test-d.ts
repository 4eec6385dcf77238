/** Checked by the compiler alone: a line that does not hold fails the build. */
import type { Code, Given, History, Image, Inputs, Outputs, ToolCalls, TypeOf } from 'lakelet';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(equal: Equal<A, B>): void;

same<Outputs<'context, question -> answer: str, score: float'>, { answer: string; score: number }>(true);
same<Inputs<'context: list[str], question -> answer'>, { context: readonly string[]; question: Given }>(true);
same<Outputs<'question -> answer'>, { answer: string }>(true);
same<Outputs<'a:int,b :bool->c:list[int],d'>, { c: number[]; d: string }>(true);
same<Inputs<'a:int,b :bool->c:list[int],d'>, { a: number; b: boolean }>(true);
same<Outputs<`
  question
  ->
  answer: str,
  tags: list[str]
`>, { answer: string; tags: string[] }>(true);

same<TypeOf<'str'>, string>(true);
same<TypeOf<'list'>, unknown[]>(true);
same<TypeOf<'list[list[int]]'>, number[][]>(true);
same<TypeOf<'dict[str, list[int]]'>, Record<string, number[]>>(true);
same<TypeOf<'dict[int, bool]'>, Record<string, boolean>>(true);
same<TypeOf<'dict'>, Record<string, unknown>>(true);
same<TypeOf<"Literal['yes', 'no']">, 'yes' | 'no'>(true);
same<TypeOf<"Literal['a, b]', \"it's\", 3, True, None]">, 'a, b]' | "it's" | 3 | true | null>(true);
same<TypeOf<"list[Literal['a', 'b']]">, ('a' | 'b')[]>(true);
same<TypeOf<"dict[Literal['a', 'b'], float]">, Record<'a' | 'b', number>>(true);
same<TypeOf<'Optional[str]'>, string | null>(true);
same<TypeOf<'typing.Optional[list[str]]'>, string[] | null>(true);
same<TypeOf<'Union[int, str, None]'>, number | string | null>(true);
same<TypeOf<'int | None'>, number | null>(true);
same<TypeOf<'list[int | str] | dict[str, bool|None]'>, (number | string)[] | Record<string, boolean | null>>(true);
same<TypeOf<'tuple[str, int]'>, [string, number]>(true);
same<TypeOf<'tuple[str, ...]'>, string[]>(true);
same<TypeOf<'set[str]'>, string[]>(true);
same<TypeOf<'datetime.date'>, string>(true);
same<TypeOf<'dspy.Code["java"]'>, string>(true);
same<TypeOf<'Any'>, unknown>(true);
same<TypeOf<'Customer'>, unknown>(true);
same<TypeOf<'list[Customer]'>, unknown[]>(true);
same<Outputs<"q -> label: Literal['a, b', 'c'], why: Optional[str], n: int">,
  { label: 'a, b' | 'c'; why: string | null; n: number }>(true);
same<Outputs<'q -> calls: dspy.ToolCalls, code: dspy.Code'>, { calls: ToolCalls; code: string }>(true);
same<Inputs<'photo: dspy.Image, history: dspy.History, code: dspy.Code, at: datetime.datetime, raw: bytes -> a'>,
  { photo: Image; history: History; code: string | Code; at: string | Date; raw: string | Uint8Array }>(true);

// Types of the program's own.
interface Types {
  readonly Mood: { readonly enum: readonly ['happy', 'sad'] };
  readonly Level: { readonly enum: { readonly LOW: 1; readonly HIGH: 2 } };
  readonly Tree: { readonly model: { readonly label: 'str'; readonly mood: 'Mood'; readonly size: { readonly type: 'int'; readonly ge: 0 }; readonly children: 'list[Tree]' } };
}
interface Tree {
  label: string;
  mood: 'happy' | 'sad';
  size: number;
  children: Tree[];
}
same<Outputs<'q -> mood: Mood, levels: list[Level]', Types>, { mood: 'happy' | 'sad'; levels: (1 | 2)[] }>(true);
declare const tree: Outputs<'q -> tree: Optional[Tree]', Types>['tree'];
const typed: Tree | null = tree;
void typed;

// A string known only at run time.
same<Outputs<string>, Record<string, unknown>>(true);
same<Inputs<string>, Record<string, Given>>(true);

const inputs: Inputs<'context: list[str], question: str -> answer'> = { context: ['a'], question: 'b' };
// @ts-expect-error an input is missing
const missing: typeof inputs = { question: 'b' };
// @ts-expect-error an input has the wrong type
const wrong: typeof inputs = { context: 'a', question: 'b' };
// @ts-expect-error there is no such input
const unknown: typeof inputs = { context: ['a'], question: 'b', quesiton: 'c' };
void [missing, wrong, unknown];
