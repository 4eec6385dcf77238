import { nameAt } from "../sql/text/names.js";
import { is, tokenize, type Token } from "../sql/text/tokens.js";

/** What a pipeline's source defines. */
export interface Dataset {
  /** The parts of its name as written, without LIVE. */
  name: string[];
  /** Tables and published views are in the catalog; a temporary one is known within the pipeline only. */
  kind: "streaming table" | "materialized view" | "view" | "temporary view";
  /** The query, as written. */
  query: string;
  comment?: string;
  /** `(key = value, ...)`, as written. */
  properties?: string;
  columns: Array<{ name: string; type?: string }>;
  expectations: Expectation[];
  /** The file that defines it. */
  source: string;
}

/** A condition on rows: those that break it are counted, dropped, or fail the update. */
export interface Expectation {
  name: string;
  condition: string;
  otherwise: "ALLOW" | "DROP" | "FAIL";
}

/** What a source says that the local workspace cannot do, or that nobody can read. */
export class SourceError extends Error {}

/** Reads the datasets that a SQL source defines. `${key}` stands for a value of the pipeline's configuration. */
export function readDatasets(source: string, text: string, configuration: Record<string, string>): Dataset[] {
  const values = { ...configuration };
  return statements(substitute(source, text, values)).flatMap((tokens) => {
    const [first] = tokens.words;
    if (is(first, "SET")) return [];
    if (is(first, "CREATE")) return [new DefinitionReader(source, tokens).read()];
    throw new SourceError(`${source}: '${start(tokens)}' is not part of the local workspace's pipelines. They know CREATE OR REFRESH STREAMING TABLE, MATERIALIZED VIEW and VIEW … AS SELECT.`);
  });
}

interface Statement {
  text: string;
  words: Token[];
}

const start = ({ text, words }: Statement) => text.slice(words[0]?.start ?? 0, (words[2] ?? words.at(-1))?.end);

function statements(text: string): Statement[] {
  const all: Statement[] = [{ text, words: [] }];
  for (const token of tokenize(text)) {
    if (is(token, ";")) all.push({ text, words: [] });
    else all.at(-1)?.words.push(token);
  }
  return all.filter(({ words }) => words.length > 0);
}

/** `SET key = value` at the start of a line adds to the values for what follows. */
function substitute(source: string, text: string, values: Record<string, string>): string {
  for (const [, key = "", value = ""] of text.matchAll(/^\s*SET\s+([\w.]+)\s*=\s*([^;]*?)\s*;/gim)) values[key] = value.replace(/^'(.*)'$/, "$1");
  return text.replace(/\$\{([^}]+)\}/g, (_, key: string) => {
    const value = values[key.trim()];
    if (value === undefined) throw new SourceError(`${source}: \${${key}} has no value: set it in the pipeline's 'configuration'.`);
    return value;
  });
}

/** Reads one CREATE statement. */
class DefinitionReader {
  readonly #source: string;
  readonly #text: string;
  readonly #words: Token[];
  #at = 1;

  constructor(source: string, { text, words }: Statement) {
    this.#source = source;
    this.#text = text;
    this.#words = words;
  }

  read(): Dataset {
    if (this.#take("OR") && !this.#take("REFRESH") && !this.#take("REPLACE")) this.#fail();
    const isPrivate = this.#takeAny("PRIVATE", "TEMPORARY", "TEMP");
    const isStreaming = this.#take("STREAMING");
    const isLive = this.#take("LIVE");
    const kind = this.#kind(isPrivate, isStreaming, isLive);
    if (this.#take("IF")) this.#expect("NOT", "EXISTS");
    const name = this.#name();
    const { columns, expectations } = this.#take("(") ? this.#specification() : { columns: [], expectations: [] };
    const clauses = this.#clauses();
    const query = this.#text.slice(this.#words[this.#at]?.start, this.#words.at(-1)?.end);
    return { name, kind, query, ...clauses, columns, expectations, source: this.#source };
  }

  #kind(isPrivate: boolean, isStreaming: boolean, isLive: boolean): Dataset["kind"] {
    const tables = isPrivate ? "temporary view" : isStreaming ? "streaming table" : "materialized view";
    if (this.#take("TABLE")) {
      if (!isStreaming && !isLive) throw new SourceError(`${this.#source}: a pipeline defines STREAMING TABLE or MATERIALIZED VIEW, not TABLE.`);
      return tables;
    }
    if (this.#take("MATERIALIZED")) {
      this.#expect("VIEW");
      return tables;
    }
    if (this.#take("VIEW")) return isPrivate || isLive ? "temporary view" : "view";
    throw this.#fail();
  }

  #name(): string[] {
    const name = nameAt(this.#words, this.#at);
    if (!name) throw this.#fail();
    this.#at = name.token + 2 * name.parts.length - 1;
    return name.parts[0]?.toUpperCase() === "LIVE" ? name.parts.slice(1) : name.parts;
  }

  /** What stands in the parentheses behind the name: columns and constraints. */
  #specification(): Pick<Dataset, "columns" | "expectations"> {
    const columns: Dataset["columns"] = [];
    const expectations: Expectation[] = [];
    for (const item of this.#items()) {
      if (!is(item[0], "CONSTRAINT")) columns.push(this.#column(item));
      else if (is(item[2], "EXPECT")) expectations.push(this.#expectation(item));
      // Keys say something of the rows, and change none of them.
    }
    return { columns, expectations };
  }

  #column([name, ...rest]: Token[]): Dataset["columns"][number] {
    const end = rest.findIndex((token, i) => ["NOT", "COMMENT", "GENERATED", "DEFAULT", "MASK", "PRIMARY", "CONSTRAINT"].some((word) => is(token, word)) && i > 0);
    const type = end < 0 ? rest : rest.slice(0, end);
    if (!name) throw this.#fail();
    if (type.length === 0 || is(type[0], "COMMENT")) return { name: name.value };
    return { name: name.value, type: this.#text.slice(type[0]?.start, type.at(-1)?.end) };
  }

  /** `CONSTRAINT name EXPECT (condition) [ON VIOLATION DROP ROW | FAIL UPDATE]`. */
  #expectation(item: Token[]): Expectation {
    const violation = item.findIndex((token, i) => is(token, "VIOLATION") && is(item[i - 1], "ON"));
    const close = item.findLastIndex((token, i) => is(token, ")") && (violation < 0 || i < violation));
    const action = violation < 0 ? "ALLOW" : (item[violation + 1]?.value.toUpperCase() ?? "");
    if (!is(item[3], "(") || close < 0 || !["ALLOW", "DROP", "FAIL"].includes(action)) {
      throw new SourceError(`${this.#source}: an expectation is CONSTRAINT name EXPECT (condition) [ON VIOLATION DROP ROW | FAIL UPDATE].`);
    }
    const condition = this.#text.slice(item[4]?.start, item[close - 1]?.end);
    return { name: item[1]?.value ?? "", condition, otherwise: action as Expectation["otherwise"] };
  }

  /** The items between parentheses, up to and with the one that closes them. */
  #items(): Token[][] {
    const items: Token[][] = [[]];
    for (let depth = 1; this.#at < this.#words.length; this.#at++) {
      const token = this.#words[this.#at] as Token;
      // In a column's type they are brackets, and in a condition comparisons.
      const isType = !is(items.at(-1)?.[0], "CONSTRAINT");
      if (is(token, "(") || (isType && is(token, "<"))) depth++;
      if (is(token, ")") || (isType && is(token, ">"))) depth--;
      if (depth === 0) {
        this.#at++;
        return items;
      }
      if (depth === 1 && is(token, ",")) items.push([]);
      else items.at(-1)?.push(token);
    }
    throw this.#fail();
  }

  /** COMMENT and TBLPROPERTIES; what only lays out files (PARTITIONED BY, CLUSTER BY, …) is passed over. Ends behind AS. */
  #clauses(): Pick<Dataset, "comment" | "properties"> {
    const clauses: Pick<Dataset, "comment" | "properties"> = {};
    while (this.#at < this.#words.length) {
      if (this.#take("AS")) return clauses;
      const token = this.#words[this.#at++] as Token;
      if (is(token, "COMMENT")) clauses.comment = this.#words[this.#at++]?.value ?? "";
      else if (is(token, "(")) {
        const isProperties = is(this.#words[this.#at - 2], "TBLPROPERTIES");
        const from = token.start;
        this.#items();
        if (isProperties) clauses.properties = this.#text.slice(from, this.#words[this.#at - 1]?.end);
      }
    }
    throw new SourceError(`${this.#source}: the definition of ${this.#words[2]?.value} has no query: end it with AS SELECT …. Flows (CREATE FLOW, AUTO CDC) are not part of the local workspace.`);
  }

  #take(word: string): boolean {
    if (!is(this.#words[this.#at], word)) return false;
    this.#at++;
    return true;
  }

  #takeAny(...words: string[]): boolean {
    return words.some((word) => this.#take(word));
  }

  #expect(...words: string[]): void {
    for (const word of words) if (!this.#take(word)) this.#fail();
  }

  #fail(): never {
    const near = this.#words[this.#at] ?? this.#words.at(-1);
    throw new SourceError(`${this.#source}: cannot read the definition at '${this.#text.slice(near?.start, (near?.start ?? 0) + 30)}'.`);
  }
}
