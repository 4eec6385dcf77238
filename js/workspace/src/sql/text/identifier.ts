import { parseName, writeName, type Edit } from "./names.js";
import { is, SqlError, syntaxError, type Token } from "./tokens.js";

/**
 * Writes what `IDENTIFIER(...)` stands for in its place: https://docs.databricks.com/sql/language-manual/sql-ref-names-identifier-clause
 *
 * Inside stand strings and parameters, joined by `||`, which have one value for the whole statement.
 */
export function identifierEdits(tokens: Token[], valueOf: (parameter: string) => string | null | undefined): Edit[] {
  const edits: Edit[] = [];
  for (const [at, token] of tokens.entries()) {
    if (!is(token, "IDENTIFIER") || !is(tokens[at + 1], "(")) continue;
    const close = tokens.findIndex((other, i) => i > at && is(other, ")"));
    if (close < 0) throw syntaxError("IDENTIFIER", "the bracket does not end");
    const name = tokens.slice(at + 2, close).reduce((text, part, i) => text + piece(part, i), "");
    edits.push({ start: token.start, end: tokens[close]?.end ?? token.end, text: writeName(parseName(name)) });
  }
  return edits;

  function piece(token: Token, i: number): string {
    if (i % 2 === 1) {
      if (is(token, "||")) return "";
    } else if (token.kind === "string") {
      return token.value;
    } else if (token.kind === "parameter") {
      const value = valueOf(token.value);
      if (typeof value === "string") return value;
      throw new SqlError("UNBOUND_SQL_PARAMETER", "42P02", `Found the unbound parameter: ${token.value}. Give its value in 'parameters'.`);
    }
    throw syntaxError(token.value, "IDENTIFIER takes strings and parameters, joined by ||");
  }
}
