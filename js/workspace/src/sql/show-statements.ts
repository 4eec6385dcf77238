import { describeType } from "../catalog/types.js";
import type { TableInfo } from "../catalog/table-info.js";
import { fullName, takeKind, type Context, type Reader } from "./catalog-statements.js";
import { writeName } from "./text/names.js";
import { quoteString } from "./text/tokens.js";

/** A small result, made here. */
export interface Rows {
  columns: string[];
  rows: Array<Array<string | null>>;
}

/** `SHOW ...`; undefined for what is not about the catalog. */
export async function show(reader: Reader, context: Context): Promise<Rows | undefined> {
  const { catalog } = context;
  const { store } = catalog;
  if (reader.take("CATALOGS")) return listed(reader, ["catalog"], store.list("catalog", "").map(({ name }) => [name]));
  if (reader.takeOne("SCHEMAS", "DATABASES")) {
    const [name = context.currentCatalog] = inName(reader) ?? [];
    store.get("catalog", name);
    return listed(reader, ["databaseName"], store.list("schema", name).map((schema) => [schema.name]));
  }
  const views = reader.take("VIEWS");
  if (views || reader.take("TABLES")) {
    const schema = schemaName(inName(reader), context);
    const tables = await catalog.tables(...schema);
    const shown = tables.filter(({ table_type }) => !views || table_type === "VIEW").map(({ name }) => [schema[1], name, "false"]);
    return listed(reader, views ? ["namespace", "viewName", "isTemporary"] : ["database", "tableName", "isTemporary"], shown, 1);
  }
  if (reader.take("VOLUMES")) {
    const schema = schemaName(inName(reader), context);
    return listed(reader, ["database", "volume_name"], store.list("volume", schema.join(".")).map(({ name }) => [schema[1], name]), 1);
  }
  if (reader.take("USER", "FUNCTIONS")) {
    const schema = schemaName(inName(reader), context);
    return listed(reader, ["function"], store.list("function", schema.join(".")).map(({ full_name }) => [full_name]));
  }
  if (reader.take("COLUMNS")) {
    const table = await catalog.table(fullName(inName(reader) ?? reader.name(), 3, context));
    return listed(reader, ["col_name"], table.columns.map(({ name }) => [name]));
  }
  if (reader.take("TBLPROPERTIES")) return tableProperties(reader, context);
  if (reader.take("CREATE", "TABLE")) {
    const table = await catalog.table(fullName(reader.name(), 3, context));
    reader.end();
    return { columns: ["createtab_stmt"], rows: [[createStatement(table)]] };
  }
  if (reader.take("GRANTS")) {
    reader.expect("ON");
    const found = takeKind(reader);
    if (!found) reader.take("TABLE");
    const { kind, levels } = found ?? { kind: "table", levels: 3 };
    const name = fullName(reader.name(), levels, context);
    const rows = [...store.grants(`${kind}:${name}`)].flatMap(([principal, privileges]) =>
      privileges.map((privilege) => [principal, privilege.replaceAll("_", " "), kind.toUpperCase(), name]),
    );
    return { columns: ["Principal", "ActionType", "ObjectType", "ObjectKey"], rows };
  }
  return undefined;
}

const inName = (reader: Reader): string[] | undefined => (reader.takeOne("FROM", "IN") ? reader.name() : undefined);

function schemaName(parts: string[] | undefined, context: Context): [string, string] {
  const [catalog = "", schema = ""] = fullName(parts ?? [context.currentSchema], 2, context).split(".");
  return [catalog, schema];
}

/** The rows whose name fits the pattern of the statement: `*` stands for any text, `|` for or. */
function listed(reader: Reader, columns: string[], rows: string[][], column = 0): Rows {
  reader.take("LIKE");
  const pattern = reader.done ? "*" : reader.string();
  reader.end();
  const escaped = pattern.split("|").map((part) => part.replace(/[.+?^${}()[\]\\]/g, "\\$&").replaceAll("*", ".*"));
  const fits = new RegExp(`^(?:${escaped.join("|")})$`, "i");
  return { columns, rows: rows.filter((row) => fits.test(row[column] ?? "")) };
}

async function tableProperties(reader: Reader, context: Context): Promise<Rows> {
  const { properties } = await context.catalog.table(fullName(reader.name(), 3, context));
  const columns = ["key", "value"];
  if (!reader.take("(")) return { columns, rows: Object.entries(properties) };
  const key = reader.tokens[reader.at]?.kind === "string" ? reader.string() : reader.name().join(".");
  reader.expect(")");
  return { columns, rows: key in properties ? [[key, properties[key] ?? ""]] : [] };
}

function createStatement(table: TableInfo): string {
  const name = writeName(table.full_name.split("."));
  const comment = table.comment === undefined ? "" : `\nCOMMENT ${quoteString(table.comment)}`;
  if (table.view_definition !== undefined) return `CREATE VIEW ${name}${comment}\nAS ${table.view_definition}`;
  const columns = table.columns.map(({ name: column, type_text, nullable, comment: text }) => {
    const note = text === undefined ? "" : ` COMMENT ${quoteString(text)}`;
    return `  ${writeName([column])} ${describeType(type_text).type_text}${nullable ? "" : " NOT NULL"}${note}`;
  });
  const properties = Object.entries(table.properties).map(([key, value]) => `  ${quoteString(key)} = ${quoteString(value)}`);
  const list = properties.length === 0 ? "" : `\nTBLPROPERTIES (\n${properties.join(",\n")})`;
  return `CREATE TABLE ${name} (\n${columns.join(",\n")})\nUSING delta${comment}${list}`;
}

/** `DESCRIBE ...`; undefined for queries and for what the catalog does not describe. */
export async function describe(reader: Reader, context: Context): Promise<Rows | undefined> {
  const { catalog } = context;
  const found = takeKind(reader);
  if (found) {
    reader.take("EXTENDED");
    const info = catalog.store.get(found.kind, fullName(reader.name(), found.levels, context));
    reader.end();
    const rows = Object.entries(info).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]);
    return { columns: ["info_name", "info_value"], rows };
  }
  if (reader.takeOne("QUERY", "SELECT", "WITH", "HISTORY", "DETAIL", "VALUES", "FROM")) return undefined;
  reader.take("TABLE");
  const extended = reader.takeOne("EXTENDED", "FORMATTED") !== undefined;
  const table = await catalog.table(fullName(reader.name(), 3, context));
  reader.end();
  const rows: Rows["rows"] = table.columns.map(({ name, type_text, comment }) => [name, type_text, comment ?? null]);
  if (extended) {
    rows.push(["", "", ""], ["# Detailed Table Information", "", ""]);
    const details = { Catalog: table.catalog_name, Database: table.schema_name, Table: table.name, Owner: table.owner };
    const more = { "Created Time": new Date(table.created_at).toISOString(), Type: table.table_type, Provider: table.data_source_format, Comment: table.comment };
    for (const [key, value] of Object.entries({ ...details, ...more })) if (value !== undefined) rows.push([key, value, ""]);
    const properties = Object.entries(table.properties).map(([key, value]) => `${key}=${value}`);
    rows.push(["Table Properties", `[${properties.join(",")}]`, ""]);
  }
  return { columns: ["col_name", "data_type", "comment"], rows };
}
