import { invalid } from "../../http/errors.js";
import type { IndexDefinition } from "../definition.js";
import { all, any, compare, contains, isNull, like, oneOf, type Condition } from "./condition.js";

/** How deep parentheses and NOT may go. */
const MAX_DEPTH = 64;

/** One piece of the text: a word, a quoted name, a literal or a sign. */
interface Token {
  kind: "word" | "name" | "text" | "number" | "sign" | "end";
  text: string;
}

const TOKEN = /\s*(?:([A-Za-z_][\w.]*)|`((?:[^`]|``)+)`|'((?:[^'\\]|''|\\.)*)'|"((?:[^"\\]|""|\\.)*)"|(-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(<=|>=|<>|!=|==|=|<|>|\(|\)|,))/y;

/**
 * Turns `filter_string` of a storage-optimized endpoint into SQL: what may stand behind WHERE.
 *
 * Comparisons (`=`, `!=`, `<`, `<=`, `>`, `>=`, `BETWEEN`), `IN`, `LIKE`, `IS NULL`, `array_contains(column, value)`, put
 * together by `AND`, `OR`, `NOT` and parentheses. Texts stand in single or double quotes, names of columns with other
 * characters than letters in backticks.
 */
export function readFilterString(text: string, index: IndexDefinition): Condition {
  const parser = new Parser(readTokens(text), index);
  return parser.whole();
}

function readTokens(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (text.slice(TOKEN.lastIndex).trim() !== "") {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (!found) throw invalid(`'filter_string' cannot be read from here on: ${text.slice(at, at + 40).trim()}`);
    const [, word, name, single, double, number, sign] = found;
    if (word !== undefined) tokens.push({ kind: "word", text: word });
    else if (name !== undefined) tokens.push({ kind: "name", text: name.replaceAll("``", "`") });
    else if (number !== undefined) tokens.push({ kind: "number", text: number });
    else if (sign !== undefined) tokens.push({ kind: "sign", text: sign });
    else tokens.push({ kind: "text", text: unquoted(single ?? double ?? "", single === undefined ? '"' : "'") });
  }
  return tokens;
}

const unquoted = (text: string, quote: string) => text.replaceAll(quote + quote, quote).replace(/\\(.)/gs, "$1");

/** Recursive descent: OR, then AND, then NOT, then one comparison. */
class Parser {
  readonly #tokens: Token[];
  readonly #index: IndexDefinition;
  #at = 0;
  #depth = 0;

  constructor(tokens: Token[], index: IndexDefinition) {
    this.#tokens = tokens;
    this.#index = index;
  }

  whole(): Condition {
    const condition = this.#or();
    if (this.#next.kind !== "end") throw this.#unexpected("AND, OR or the end");
    return condition;
  }

  #or(): Condition {
    const parts = [this.#and()];
    while (this.#take("OR")) parts.push(this.#and());
    return parts.length === 1 ? parts[0]! : any(parts);
  }

  #and(): Condition {
    const parts = [this.#not()];
    while (this.#take("AND")) parts.push(this.#not());
    return parts.length === 1 ? parts[0]! : all(parts);
  }

  #not(): Condition {
    if (++this.#depth > MAX_DEPTH) throw invalid(`'filter_string' is nested more than ${MAX_DEPTH} levels deep.`);
    try {
      if (this.#take("NOT")) return negated(this.#not());
      if (!this.#take("(")) return this.#comparison();
      const inner = this.#or();
      this.#expect(")");
      return inner;
    } finally {
      this.#depth--;
    }
  }

  #comparison(): Condition {
    if (this.#next.kind === "word" && this.#next.text.toLowerCase() === "array_contains") return this.#arrayContains();
    const column = this.#column();
    if (this.#take("IS")) {
      const not = this.#take("NOT");
      this.#expect("NULL");
      const condition = isNull(column, this.#index);
      return not ? negated(condition) : condition;
    }
    const not = this.#take("NOT");
    const condition = this.#test(column, not);
    return not ? negated(condition) : condition;
  }

  #test(column: string, afterNot: boolean): Condition {
    if (this.#take("IN")) return oneOf(column, this.#list(), this.#index);
    if (this.#take("LIKE")) return like(column, [this.#literal()], this.#index);
    if (this.#take("BETWEEN")) {
      const low = compare(column, ">=", this.#literal(), this.#index);
      this.#expect("AND");
      return all([low, compare(column, "<=", this.#literal(), this.#index)]);
    }
    if (afterNot) throw this.#unexpected("IN, LIKE or BETWEEN");
    const operator = this.#advance();
    if (operator.kind !== "sign") throw this.#unexpected(`an operator after '${column}'`, operator);
    switch (operator.text) {
      case "=":
      case "==":
        return oneOf(column, [this.#literal()], this.#index);
      case "!=":
      case "<>":
        return negated(oneOf(column, [this.#literal()], this.#index));
      case "<":
      case "<=":
      case ">":
      case ">=":
        return compare(column, operator.text, this.#literal(), this.#index);
      default:
        throw this.#unexpected(`an operator after '${column}'`, operator);
    }
  }

  #arrayContains(): Condition {
    this.#advance();
    this.#expect("(");
    const column = this.#column();
    this.#expect(",");
    const value = this.#literal();
    this.#expect(")");
    return contains(column, value, this.#index);
  }

  #list(): unknown[] {
    this.#expect("(");
    const values = [this.#literal()];
    while (this.#take(",")) values.push(this.#literal());
    this.#expect(")");
    return values;
  }

  #column(): string {
    const token = this.#advance();
    if (token.kind !== "word" && token.kind !== "name") throw this.#unexpected("the name of a column", token);
    return token.text;
  }

  #literal(): string | number | boolean {
    const token = this.#advance();
    if (token.kind === "text") return token.text;
    if (token.kind === "number") return Number(token.text);
    const word = token.kind === "word" ? token.text.toUpperCase() : "";
    if (word === "TRUE" || word === "FALSE") return word === "TRUE";
    if ((word === "DATE" || word === "TIMESTAMP") && this.#next.kind === "text") return this.#advance().text;
    throw this.#unexpected("a value", token);
  }

  get #next(): Token {
    return this.#tokens[this.#at] ?? { kind: "end", text: "the end" };
  }

  #advance(): Token {
    const token = this.#next;
    this.#at++;
    return token;
  }

  /** Goes past a keyword or sign if it is the next token. */
  #take(text: string): boolean {
    const { kind, text: found } = this.#next;
    if ((kind !== "word" && kind !== "sign") || found.toUpperCase() !== text) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw this.#unexpected(text);
  }

  #unexpected(wanted: string, token: Token = this.#next) {
    return invalid(`'filter_string' has '${token.text}' where ${wanted} is expected.`);
  }
}

const negated = ({ sql, values }: Condition): Condition => ({ sql: `NOT (${sql})`, values });
