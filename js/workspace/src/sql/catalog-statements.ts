import type { Catalog } from "../catalog/catalog.js";
import { doesNotExist, type Kind } from "../catalog/store.js";
import { ApiError } from "../http/errors.js";
import { createFunction } from "./create-function.js";
import { describe, show, type Rows } from "./show-statements.js";
import { grantStatement } from "./grant-statements.js";
import { nameAt } from "./text/names.js";
import { is, syntaxError, type Token } from "./text/tokens.js";

export interface Context {
  catalog: Catalog;
  currentCatalog: string;
  currentSchema: string;
  user: string;
}

/** Reads a statement from left to right. */
export class Reader {
  readonly tokens: Token[];
  at = 0;

  constructor(tokens: Token[]) {
    this.tokens = tokens;
  }

  /** Steps over words if they come next, all of them in this order. */
  take(...words: string[]): boolean {
    if (!words.every((word, i) => is(this.tokens[this.at + i], word))) return false;
    this.at += words.length;
    return true;
  }

  /** Steps over one of several words and returns it. */
  takeOne(...words: string[]): string | undefined {
    return words.find((word) => this.take(word));
  }

  expect(...words: string[]): void {
    if (!this.take(...words)) throw syntaxError(this.next, `${words.join(" ")} is expected here`);
  }

  get next(): string {
    return this.tokens[this.at]?.value ?? "end of input";
  }

  get done(): boolean {
    return this.at >= this.tokens.length;
  }

  name(): string[] {
    const name = nameAt(this.tokens, this.at);
    if (!name) throw syntaxError(this.next, "a name is expected here");
    this.at += 2 * name.parts.length - 1;
    return name.parts;
  }

  string(): string {
    const token = this.tokens[this.at];
    if (token?.kind !== "string") throw syntaxError(this.next, "a text in quotes is expected here");
    this.at++;
    return token.value;
  }

  end(): void {
    if (!this.done) throw syntaxError(this.next);
  }
}

const NOTHING: Rows = { columns: [], rows: [] };

/** Full names of `levels` parts, the current catalog and schema standing for what is left out. */
export function fullName(parts: string[], levels: number, { currentCatalog, currentSchema }: Context): string {
  if (parts.length > levels) throw syntaxError(parts.join("."), `the name has more than ${levels} part(s)`);
  const before = [currentCatalog, currentSchema].slice(0, levels - 1).slice(0, levels - parts.length);
  return [...before, ...parts].join(".").toLowerCase().replace(/^spark_catalog(?=\.|$)/, "main");
}

/** Answers a statement about the catalog; undefined if it is for the engine. */
export async function catalogStatement(tokens: Token[], text: string, context: Context): Promise<Rows | undefined> {
  const reader = new Reader(tokens);
  const verb = reader.takeOne("SHOW", "DESCRIBE", "DESC", "CREATE", "DROP", "COMMENT", "USE", "GRANT", "REVOKE");
  switch (verb) {
    case "SHOW":
      return show(reader, context);
    case "DESCRIBE":
    case "DESC":
      return describe(reader, context);
    case "CREATE":
      return create(reader, text, context);
    case "DROP":
      return drop(reader, context);
    case "COMMENT":
      return comment(reader, context);
    case "USE":
      return use(reader, context);
    case "GRANT":
    case "REVOKE":
      return grantStatement(verb, reader, context);
    default:
      return undefined;
  }
}

const KINDS: Record<string, { kind: Kind; levels: number }> = {
  CATALOG: { kind: "catalog", levels: 1 },
  SCHEMA: { kind: "schema", levels: 2 },
  DATABASE: { kind: "schema", levels: 2 },
  VOLUME: { kind: "volume", levels: 3 },
  FUNCTION: { kind: "function", levels: 3 },
};

/** The kind of object that a statement names next, if it is one of the store's. */
export function takeKind(reader: Reader): { kind: Kind; levels: number } | undefined {
  const word = reader.takeOne(...Object.keys(KINDS));
  return word === undefined ? undefined : KINDS[word];
}

async function create(reader: Reader, text: string, context: Context): Promise<Rows | undefined> {
  const replace = reader.take("OR", "REPLACE");
  const external = reader.take("EXTERNAL");
  const found = takeKind(reader);
  if (!found) return undefined;
  const ifNotExists = reader.take("IF", "NOT", "EXISTS");
  const { catalog, user } = context;
  const name = fullName(reader.name(), found.levels, context);
  if (ifNotExists && catalog.store.find(found.kind, name)) return NOTHING;
  if (found.kind === "function") {
    await createFunction(reader, text, name, replace, context);
    return NOTHING;
  }
  if (external) throw new ApiError(400, "INVALID_PARAMETER_VALUE", "The local workspace has managed volumes only: leave EXTERNAL and LOCATION out.");
  const fields: Record<string, unknown> = {};
  while (!reader.done) {
    if (reader.take("COMMENT")) fields["comment"] = reader.string();
    else if (reader.take("WITH", "DBPROPERTIES") || reader.take("DBPROPERTIES")) fields["properties"] = pairs(reader);
    else throw syntaxError(reader.next, "COMMENT '...' may follow here");
  }
  const parts = name.split(".");
  const own = parts.pop() ?? "";
  if (found.kind === "catalog") await catalog.createCatalog(own, fields, user);
  else if (found.kind === "schema") await catalog.createSchema(parts[0] ?? "", own, fields, user);
  else catalog.createVolume(parts[0] ?? "", parts[1] ?? "", own, fields, user);
  return NOTHING;
}

/** `('key' = 'value', ...)` */
function pairs(reader: Reader): Record<string, string> {
  const properties: Record<string, string> = {};
  reader.expect("(");
  do {
    const key = reader.tokens[reader.at]?.kind === "string" ? reader.string() : reader.name().join(".");
    reader.take("=");
    properties[key] = reader.string();
  } while (reader.take(","));
  reader.expect(")");
  return properties;
}

async function drop(reader: Reader, context: Context): Promise<Rows | undefined> {
  const found = takeKind(reader);
  if (!found) return undefined;
  const ifExists = reader.take("IF", "EXISTS");
  const name = fullName(reader.name(), found.levels, context);
  const cascade = reader.takeOne("CASCADE", "RESTRICT") === "CASCADE";
  reader.end();
  const { catalog } = context;
  if (ifExists && !catalog.store.find(found.kind, name)) return NOTHING;
  if (found.kind === "catalog") await catalog.dropCatalog(name, cascade);
  else if (found.kind === "schema") await catalog.dropSchema(name, cascade);
  else if (found.kind === "volume") catalog.dropVolume(name);
  else await catalog.dropFunction(name);
  return NOTHING;
}

function comment(reader: Reader, context: Context): Rows | undefined {
  reader.expect("ON");
  const found = takeKind(reader);
  if (!found) return undefined;
  const name = fullName(reader.name(), found.levels, context);
  reader.expect("IS");
  const text = reader.take("NULL") ? "" : reader.string();
  reader.end();
  context.catalog.store.update(found.kind, name, { comment: text }, context.user);
  return NOTHING;
}

/** Each statement of the API has a session of its own, so that USE has nothing to do but to look whether the name is right. */
function use(reader: Reader, context: Context): Rows {
  const word = reader.takeOne("CATALOG", "SCHEMA", "DATABASE");
  const parts = reader.name();
  reader.end();
  const isCatalog = word === "CATALOG" || (word === undefined && parts.length === 1 && context.catalog.store.find("catalog", parts[0] ?? ""));
  const [kind, name] = isCatalog ? (["catalog", fullName(parts, 1, context)] as const) : (["schema", fullName(parts, 2, context)] as const);
  if (!context.catalog.store.find(kind, name)) throw doesNotExist(kind, name);
  return NOTHING;
}
