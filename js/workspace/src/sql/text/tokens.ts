/**
 * A piece of a SQL statement.
 *
 * - `word`: an unquoted identifier or keyword; `value` is as written
 * - `name`: an identifier in backticks; `value` without them
 * - `string`: a literal in single or double quotes (Databricks SQL takes both), or between `$$`; `value` is what it stands for
 * - `number`: a literal that starts with a digit
 * - `parameter`: `:name`; `value` is the name
 * - `sign`: one sign, or one of `=>`, `||`, `::`
 */
export interface Token {
  kind: "word" | "name" | "string" | "number" | "parameter" | "sign";
  value: string;
  /** Where it stands in the text: from `start` up to `end`. */
  start: number;
  end: number;
}

/** What cannot be read as SQL, with Databricks' error condition and SQLSTATE. */
export class SqlError extends Error {
  readonly condition: string;
  readonly sqlState: string;

  constructor(condition: string, sqlState: string, message: string) {
    super(`[${condition}] ${message} SQLSTATE: ${sqlState}`);
    this.name = "SqlError";
    this.condition = condition;
    this.sqlState = sqlState;
  }
}

export const syntaxError = (near: string, hint = "") =>
  new SqlError("PARSE_SYNTAX_ERROR", "42601", `Syntax error at or near '${near}'${hint === "" ? "." : `: ${hint}.`}`);

// Sticky patterns, tried in this order at each position.
const SPACE = /(?:\s+|--[^\n]*)+/y;
const WORD = /[\p{L}_][\p{L}\p{N}_]*/uy;
const NAME = /`((?:[^`]|``)*)`/y;
const RAW = /[rR](?:'([^']*)'|"([^"]*)")/y;
const STRING = /'((?:[^'\\]|\\[^]|'')*)'|"((?:[^"\\]|\\[^]|"")*)"/y;
const DOLLARS = /\$\$([^]*?)\$\$/y;
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\w*/y;
const PARAMETER = /:([\p{L}_][\p{L}\p{N}_]*)/uy;
const SIGN = /=>|\|\||::|[^]/uy;

/** Splits a statement into its tokens, without spaces and comments. Throws a `SqlError` where a quote or comment does not end. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp) => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  const push = (kind: Token["kind"], found: RegExpExecArray, value: string) => {
    tokens.push({ kind, value, start: at, end: at + found[0].length });
    at += found[0].length;
  };
  while (at < text.length) {
    const space = match(SPACE);
    if (space) {
      at += space[0].length;
      continue;
    }
    if (text.startsWith("/*", at)) {
      at = endOfComment(text, at);
      continue;
    }
    let found: RegExpExecArray | null;
    if ((found = match(RAW))) push("string", found, found[1] ?? found[2] ?? "");
    else if ((found = match(WORD))) push("word", found, found[0]);
    else if ((found = match(NAME))) push("name", found, (found[1] ?? "").replaceAll("``", "`"));
    else if ((found = match(STRING))) push("string", found, unescape(found));
    else if ((found = match(DOLLARS))) push("string", found, found[1] ?? "");
    else if (/['"`]/.test(text[at] ?? "")) throw syntaxError(text.slice(at, at + 20), "the quote does not end");
    else if (isParameter(text, at) && (found = match(PARAMETER))) push("parameter", found, found[1] ?? "");
    else if ((found = match(NUMBER))) push("number", found, found[0]);
    else if ((found = match(SIGN))) push("sign", found, found[0]);
  }
  return tokens;
}

/** A colon starts a parameter unless it stands behind a value: `v:field` is a path into a VARIANT, `a::INT` a cast. */
const isParameter = (text: string, at: number) => text[at] === ":" && !/[\p{L}\p{N}_`)\]:]/u.test(text[at - 1] ?? " ");

/** Bracketed comments nest. */
function endOfComment(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text.startsWith("/*", at)) depth++;
    else if (text.startsWith("*/", at)) depth--;
    else continue;
    at++;
    if (depth === 0) return at + 1;
  }
  throw syntaxError("/*", "the comment does not end");
}

const ESCAPES: Record<string, string> = { n: "\n", t: "\t", r: "\r", b: "\b", "0": "\0", Z: "\x1a", "%": "\\%", _: "\\_" };

function unescape([, single, double]: RegExpExecArray): string {
  const [body, quote] = single === undefined ? [double ?? "", '"'] : [single, "'"];
  return body
    .replaceAll(quote + quote, quote)
    .replace(/\\(?:u([0-9a-fA-F]{4})|([^]))/g, (_, code: string | undefined, char: string) =>
      code === undefined ? (ESCAPES[char] ?? char) : String.fromCharCode(parseInt(code, 16)),
    );
}

/** Whether a token is this keyword or sign. */
export const is = (token: Token | undefined, text: string): boolean =>
  token !== undefined && (token.kind === "word" || token.kind === "sign") && token.value.toUpperCase() === text;

/** An identifier in backticks. */
export const quoteName = (name: string) => `\`${name.replaceAll("`", "``")}\``;

/** A string literal. */
export const quoteString = (value: string) => `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

/**
 * The tokens of the one statement in a text, without a semicolon at its end.
 *
 * Throws a `SqlError` for an empty text and for several statements. A compound statement (`BEGIN ... END`) is one statement.
 */
export function oneStatement(text: string): Token[] {
  const tokens = tokenize(text);
  while (is(tokens.at(-1), ";")) tokens.pop();
  if (tokens.length === 0) throw syntaxError("end of input", "the statement is empty");
  const semicolon = tokens.findIndex((token) => is(token, ";"));
  if (semicolon >= 0 && !is(tokens[0], "BEGIN")) {
    throw syntaxError(tokens[semicolon + 1]?.value ?? ";", "one call executes one statement: send the others in calls of their own");
  }
  return tokens;
}
