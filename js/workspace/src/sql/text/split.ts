import { is, tokenize } from "./tokens.js";

/**
 * The statements of a text, between semicolons and without those that are empty. A compound statement (`BEGIN ... END`) at the
 * start of the text is one. Throws a `SqlError` where a quote or comment does not end.
 */
export function splitStatements(text: string): string[] {
  const tokens = tokenize(text);
  if (is(tokens[0], "BEGIN")) return [text.trim()];
  const statements: string[] = [];
  let start: number | undefined;
  let end = 0;
  for (const token of tokens) {
    if (is(token, ";")) {
      if (start !== undefined) statements.push(text.slice(start, end));
      start = undefined;
      continue;
    }
    start ??= token.start;
    end = token.end;
  }
  if (start !== undefined) statements.push(text.slice(start, end));
  return statements;
}
