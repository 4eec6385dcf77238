import { quoteName, syntaxError, type Token } from "./tokens.js";

/** Names joined by dots, as they stand in a statement: `catalog.schema.table`. */
export interface DottedName {
  parts: string[];
  start: number;
  end: number;
  /** Number of its first token. */
  token: number;
}

const isName = (token: Token | undefined) => token?.kind === "word" || token?.kind === "name";
const isDot = (token: Token | undefined) => token?.kind === "sign" && token.value === ".";

/** The name that starts at a token, if one does. */
export function nameAt(tokens: Token[], at: number): DottedName | undefined {
  const first = tokens[at];
  if (first === undefined || !isName(first)) return undefined;
  const parts = [first.value];
  let last = at;
  while (isDot(tokens[last + 1]) && isName(tokens[last + 2])) {
    last += 2;
    parts.push(tokens[last]?.value ?? "");
  }
  return { parts, start: first.start, end: tokens[last]?.end ?? first.end, token: at };
}

/** All names of two and more parts in a statement, in their order. */
export function dottedNames(tokens: Token[]): DottedName[] {
  const names: DottedName[] = [];
  for (let at = 0; at < tokens.length; at++) {
    if (isDot(tokens[at - 1])) continue;
    const name = nameAt(tokens, at);
    if (name === undefined || name.parts.length < 2) continue;
    names.push(name);
    at += 2 * (name.parts.length - 1);
  }
  return names;
}

/** A name as SQL writes it, with backticks where a part needs them. */
export const writeName = (parts: string[]) => parts.map((part) => (/^[a-zA-Z_]\w*$/.test(part) ? part : quoteName(part))).join(".");

/** The parts of a name in a text such as `main.default.docs` or `main.`my schema`.docs`. */
export function parseName(text: string): string[] {
  const parts = [...text.matchAll(/`((?:[^`]|``)+)`|([^`.\s]+)/g)].map(([, quoted, plain]) => quoted?.replaceAll("``", "`") ?? plain ?? "");
  if (parts.length === 0 || parts.length > 4) throw syntaxError(text, "a name has one to three parts");
  return parts;
}

/** A change of a text: what stands from `start` up to `end` becomes `text`. */
export interface Edit {
  start: number;
  end: number;
  text: string;
}

/** The text with all edits made. They must not overlap. */
export function edit(text: string, edits: Edit[]): string {
  return [...edits].sort((a, b) => b.start - a.start).reduce((done, { start, end, text: to }) => done.slice(0, start) + to + done.slice(end), text);
}
