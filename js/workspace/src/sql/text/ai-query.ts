import type { Edit } from "./names.js";
import { is, quoteString, syntaxError, type Token } from "./tokens.js";

/**
 * The types of `ai_query` on Spark, whose functions have one result type each. A call that asks for errors as values goes to
 * the function that gives them, and one with a `returnType` is read as that type:
 * https://docs.databricks.com/sql/language-manual/functions/ai_query
 *
 * Calls without these arguments stay as they are.
 */
export function aiQueries(text: string, tokens: Token[]): Edit[] {
  const edits: Edit[] = [];
  for (const [at, token] of tokens.entries()) {
    if (!is(token, "AI_QUERY") || !is(tokens[at + 1], "(") || is(tokens[at - 1], ".")) continue;
    const close = closing(tokens, at + 1);
    const tolerant = is(named(tokens, at + 2, close, "FAILONERROR"), "FALSE");
    const type = named(tokens, at + 2, close, "RETURNTYPE");
    if (type && type.kind !== "string") throw syntaxError(type.value, "returnType of ai_query is a text in quotes here, such as 'ARRAY<STRING>'");
    if (tolerant) edits.push({ start: token.start, end: token.end, text: "lakelet_ai_query_result" });
    if (!type || type.value.trim().toUpperCase() === "STRING") continue;
    const schema = quoteString(type.value);
    const end = tokens[close]?.end ?? text.length;
    // An array of one, so that the endpoint is asked once for both fields.
    const [before, behind] = tolerant
      ? ["transform(array(", `), r -> named_struct('result', from_json(r.result, ${schema}), 'errorMessage', r.errorMessage))[0]`]
      : ["from_json(", `, ${schema})`];
    const first = edits.at(-1);
    if (tolerant && first) first.text = before + first.text;
    else edits.push({ start: token.start, end: token.start, text: before });
    edits.push({ start: end, end, text: behind });
  }
  return edits;
}

/** Number of the bracket that closes the one at `open`. */
function closing(tokens: Token[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    if (is(tokens[at], "(")) depth++;
    if (is(tokens[at], ")") && --depth === 0) return at;
  }
  throw syntaxError("ai_query", "the bracket does not end");
}

/** The value of `name => value` among the arguments of a call, if it is there. */
function named(tokens: Token[], from: number, to: number, name: string): Token | undefined {
  let depth = 0;
  for (let at = from; at < to; at++) {
    if (is(tokens[at], "(")) depth++;
    else if (is(tokens[at], ")")) depth--;
    else if (depth === 0 && is(tokens[at], name) && is(tokens[at + 1], "=>")) return tokens[at + 2];
  }
  return undefined;
}
