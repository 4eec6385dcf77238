import { statSync } from "node:fs";
import type { CatalogStore } from "../catalog/store.js";
import type { Volumes } from "../files/volumes.js";
import { ApiError } from "../http/errors.js";
import type { EngineKind, FileView } from "./engine.js";
import { aiQueries } from "./text/ai-query.js";
import { identifierEdits } from "./text/identifier.js";
import { dottedNames, edit, nameAt, parseName, writeName, type DottedName, type Edit } from "./text/names.js";
import { is, quoteString, SqlError, syntaxError, type Token } from "./text/tokens.js";

/** The statement as it goes to the engine. */
export interface Prepared {
  statement: string;
  files: FileView[];
}

export interface PrepareOptions {
  store: CatalogStore;
  volumes: Volumes;
  /** The current catalog and schema. */
  catalog: string;
  schema: string;
  valueOf: (parameter: string) => string | null | undefined;
}

/** Words behind which the name of a table stands. */
const BEFORE_TABLES = ["FROM", "JOIN", "INTO", "TABLE", "UPDATE", "VIEW", "EXISTS", "USING", "OVERWRITE", "ON"];

/**
 * Writes a statement for an engine, and changes nothing else of it:
 *
 * - three-level names become names that the engine knows (Spark has one catalog, DuckDB databases called `c_<catalog>`)
 * - for DuckDB, `IDENTIFIER(...)` becomes what it stands for
 * - `read_files(...)` and paths below `/Volumes` become views of, and paths to, the files on disk
 */
export function prepare(text: string, tokens: Token[], kind: EngineKind, options: PrepareOptions): Prepared {
  const files = readFiles(tokens, options.volumes);
  const edits: Edit[] = [...files.edits, ...volumePaths(tokens, kind, options.volumes, files)];
  const taken = (name: { start: number }) => edits.some(({ start, end }) => name.start >= start && name.start < end);
  for (const { start, end, text: to } of identifierEdits(tokens, options.valueOf)) {
    const parts = parseName(to);
    const known = engineName(parts, kind, options, true);
    if (kind === "duckdb" || known !== parts) edits.push({ start, end, text: writeName(known) });
  }
  if (kind === "spark") edits.push(...pythonFunctions(tokens, options));
  for (const name of dottedNames(tokens)) {
    if (taken(name)) continue;
    const known = engineName(name.parts, kind, options, isTable(tokens, name));
    if (known !== name.parts) edits.push({ start: name.start, end: name.end, text: writeName(known) });
  }
  if (kind === "spark") edits.push(...deltaFormats(tokens), ...aiQueries(text, tokens));
  else edits.push(...doubledQuotes(text, tokens).filter((quote) => !taken(quote)));
  return { statement: edit(text, edits), files: files.views };
}

const isTable = (tokens: Token[], name: DottedName) => BEFORE_TABLES.some((word) => is(tokens[name.token - 1], word));

/** The schema of the engine's one catalog that holds a schema of ours: those of `main` have their own names there. */
export const sparkSchema = (catalog: string, schema: string) => (catalog === "main" ? schema : `${catalog}__${schema}`);

/** The name that the engine knows something by; the same list if it needs none of its own. */
function engineName(parts: string[], kind: EngineKind, { store, catalog }: PrepareOptions, table: boolean): string[] {
  const [first = "", second = "", ...rest] = parts;
  const [own, schema] = [first.toLowerCase() === "spark_catalog" ? "main" : first.toLowerCase(), second.toLowerCase()];
  if (rest.length > 0 && store.find("catalog", own)) {
    if (store.find("schema", `${own}.${schema}`)) {
      if (kind === "duckdb") return [`c_${own}`, schema, ...rest];
      return first.toLowerCase() === "spark_catalog" ? parts : ["spark_catalog", sparkSchema(own, schema), ...rest];
    }
    if (table) throw new SqlError("SCHEMA_NOT_FOUND", "42704", `The schema \`${first}\`.\`${second}\` cannot be found. Verify the spelling and correctness of the schema and catalog.`);
  }
  if (table && parts.length === 3 && !store.find("catalog", own)) {
    throw new SqlError("NO_SUCH_CATALOG_EXCEPTION", "42704", `Catalog '${first}' was not found. Please verify the spelling, or create it with CREATE CATALOG.`);
  }
  // Two levels are of the current catalog. That of `main` is the engine's own.
  if (table && parts.length === 2 && catalog !== "main" && store.find("schema", `${catalog}.${own}`)) {
    return kind === "duckdb" ? [`c_${catalog}`, own, second] : ["spark_catalog", sparkSchema(catalog, own), second];
  }
  return parts;
}

/** What messages of an engine say of its own names, as they are in the catalog. */
export function catalogNames(message: string, kind: EngineKind): string {
  if (kind === "duckdb") return message.replace(/\bc_(?=\w+[.`"])/g, "");
  return message
    .replace(/(`?)spark_catalog\1\.(`?)(\w+?)__(\w+)\2/g, "$1$3$1.$2$4$2")
    .replace(/(`?)spark_catalog\1(?=\.)/g, "$1main$1");
}

/** A quote that is written twice stands for one, where the translator takes it for two texts side by side. */
function doubledQuotes(text: string, tokens: Token[]): Edit[] {
  return tokens
    .filter(({ kind, start, end }) => kind === "string" && /^(?:'[^]*''|"[^]*"")[^]*.$/.test(text.slice(start, end)) && end - start > 2)
    .map(({ start, end, value }) => ({ start, end, text: quoteString(value) }));
}

/** Calls of functions in Python, which Spark knows by names of one part. */
function pythonFunctions(tokens: Token[], { store, catalog, schema }: PrepareOptions): Edit[] {
  const functions = store.all("function").filter(({ external_language }) => String(external_language).toUpperCase() === "PYTHON");
  if (functions.length === 0) return [];
  const edits: Edit[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const name = is(tokens[at - 1], ".") ? undefined : nameAt(tokens, at);
    if (!name || name.parts.length > 3 || !is(tokens[at + 2 * name.parts.length - 1], "(")) continue;
    const full = [catalog, schema].slice(0, 3 - name.parts.length).concat(name.parts).join(".").toLowerCase();
    const found = functions.find(({ full_name }) => full_name === full);
    if (found) edits.push({ start: name.start, end: name.end, text: `lakelet_python_${found.full_name.replace(/[.-]/g, "_")}` });
  }
  return edits;
}

/** Tables are kept as Parquet where Databricks keeps Delta tables, whose format is an extension of Spark that is not there. */
function deltaFormats(tokens: Token[]): Edit[] {
  if (!is(tokens[0], "CREATE") && !is(tokens[0], "REPLACE")) return [];
  return tokens
    .filter((token, i) => is(token, "DELTA") && is(tokens[i - 1], "USING"))
    .map(({ start, end }) => ({ start, end, text: "PARQUET" }));
}

// ---- files

interface ReadFiles {
  views: FileView[];
  edits: Edit[];
  /** Tokens that are in calls of read_files. */
  tokens: Set<Token>;
}

/** The calls of `read_files('path', option => value ...)`, each of which becomes a view: https://docs.databricks.com/sql/language-manual/functions/read_files */
function readFiles(tokens: Token[], volumes: Volumes): ReadFiles {
  const found: ReadFiles = { views: [], edits: [], tokens: new Set() };
  for (const [at, token] of tokens.entries()) {
    if (!is(token, "READ_FILES") || !is(tokens[at + 1], "(")) continue;
    const close = tokens.findIndex((other, i) => i > at && is(other, ")"));
    const path = tokens[at + 2];
    if (close < 0 || path?.kind !== "string") throw syntaxError("read_files", "its first argument is the path in quotes, such as read_files('/Volumes/main/default/raw')");
    const options: Record<string, string> = {};
    for (let i = at + 3; i < close; i += 4) {
      const [comma, name, arrow, value] = tokens.slice(i, i + 4);
      if (!is(comma, ",") || name === undefined || !is(arrow, "=>") || value === undefined || value.kind === "sign") {
        throw syntaxError(name?.value ?? "read_files", "options are written name => value");
      }
      options[name.value] = value.value;
    }
    const view = `lakelet_files_${found.views.length}`;
    found.views.push({ view, path: onDisk(path.value, volumes), options });
    found.edits.push({ start: token.start, end: tokens[close]?.end ?? token.end, text: view });
    for (const inside of tokens.slice(at, close + 1)) found.tokens.add(inside);
  }
  return found;
}

const FORMATS = ["PARQUET", "CSV", "JSON", "TEXT", "ORC", "BINARYFILE"];

/** Paths below /Volumes where SQL takes a path: "format.`path`", LOCATION 'path', DIRECTORY 'path'. There are no others. */
function volumePaths(tokens: Token[], kind: EngineKind, volumes: Volumes, files: ReadFiles): Edit[] {
  const edits: Edit[] = [];
  for (const [at, token] of tokens.entries()) {
    if (files.tokens.has(token)) continue;
    const format = tokens[at - 2];
    const isTable = BEFORE_TABLES.some((word) => is(tokens[at - 3], word)) || is(tokens[at - 3], ",");
    if (isTable && token.kind === "name" && /^\/|:/.test(token.value) && is(tokens[at - 1], ".") && format !== undefined && FORMATS.includes(format.value.toUpperCase())) {
      if (kind === "spark") {
        edits.push({ start: token.start, end: token.end, text: `\`${onDisk(token.value, volumes)}\`` });
      } else {
        const view = `lakelet_files_${files.views.length}`;
        files.views.push({ view, path: onDisk(token.value, volumes), options: { format: format.value, ...(is(format, "CSV") && { header: "false" }) } });
        edits.push({ start: format.start, end: token.end, text: view });
      }
    } else if (token.kind === "string" && ["LOCATION", "DIRECTORY"].some((word) => is(tokens[at - 1], word))) {
      edits.push({ start: token.start, end: token.end, text: quoteString(onDisk(token.value, volumes, false)) });
    }
  }
  return edits;
}

/** Where a path below /Volumes is on disk. */
function onDisk(path: string, volumes: Volumes, mustExist = true): string {
  try {
    const place = volumes.place(path.replace(/^dbfs:/, ""));
    if (mustExist && !/[*?[{]/.test(path)) statSync(place);
    return place;
  } catch (error) {
    const why = error instanceof ApiError ? error.message : `there is nothing at ${path}`;
    throw new SqlError("PATH_NOT_FOUND", "42K03", `Path does not exist: ${why}.`);
  }
}

/** The table that a statement changes, as it is named there; nothing if it changes none. */
export function writtenTable(tokens: Token[]): string[] | undefined {
  const skip = (at: number, ...words: string[]) => {
    let next = at;
    while (words.some((word) => is(tokens[next], word))) next++;
    return next;
  };
  const first = tokens[0]?.value.toUpperCase() ?? "";
  const starts: Record<string, string[]> = {
    INSERT: ["INTO", "OVERWRITE", "TABLE"],
    UPDATE: [],
    DELETE: ["FROM"],
    MERGE: ["WITH", "SCHEMA", "EVOLUTION", "INTO"],
    TRUNCATE: ["TABLE"],
    COPY: ["INTO"],
    ALTER: ["TABLE", "VIEW"],
    DROP: ["TABLE", "VIEW", "IF", "EXISTS"],
    CREATE: ["OR", "REPLACE", "EXTERNAL", "TABLE", "VIEW", "MATERIALIZED", "IF", "NOT", "EXISTS"],
    REPLACE: ["TABLE"],
  };
  const words = starts[first];
  return words && nameAt(tokens, skip(1, ...words))?.parts;
}
