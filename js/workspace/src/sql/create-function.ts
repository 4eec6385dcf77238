import { fieldJson, describeType } from "../catalog/types.js";
import type { Context, Reader } from "./catalog-statements.js";
import { is, syntaxError } from "./text/tokens.js";

/**
 * The rest of `CREATE FUNCTION name`, from its parameters on:
 * https://docs.databricks.com/sql/language-manual/sql-ref-syntax-ddl-create-sql-function
 */
export async function createFunction(reader: Reader, text: string, name: string, replace: boolean, context: Context): Promise<void> {
  const parameters = columns(reader, text);
  reader.expect("RETURNS");
  const isTable = reader.take("TABLE");
  const returned = isTable ? columns(reader, text) : [];
  const type = isTable ? "TABLE_TYPE" : typeText(reader, text);
  const fields: Record<string, unknown> = {
    input_params: { parameters },
    data_type: isTable ? "TABLE_TYPE" : describeType(type).type_name,
    full_data_type: isTable ? `(${returned.map((column) => `${column["name"]} ${column["type_text"]}`).join(", ")})` : type,
    ...(isTable && { return_params: { parameters: returned } }),
    parameter_style: "S",
    sql_data_access: "CONTAINS_SQL",
    security_type: "DEFINER",
    specific_name: name.split(".").at(-1),
    is_deterministic: true,
    routine_body: "SQL",
  };
  while (!reader.take("RETURN")) {
    if (reader.take("COMMENT")) fields["comment"] = reader.string();
    else if (reader.take("LANGUAGE")) {
      const [language = ""] = reader.name();
      if (language.toUpperCase() !== "SQL") Object.assign(fields, { external_language: language.toUpperCase(), routine_body: "EXTERNAL" });
    } else if (reader.take("NOT", "DETERMINISTIC")) fields["is_deterministic"] = false;
    else if (reader.take("DETERMINISTIC") || reader.take("CONTAINS", "SQL")) continue;
    else if (reader.take("READS", "SQL", "DATA")) fields["sql_data_access"] = "READS_SQL_DATA";
    else if (reader.take("AS")) {
      fields["routine_definition"] = reader.string();
      break;
    } else throw syntaxError(reader.next, "RETURN with an expression is expected here");
  }
  fields["routine_definition"] ??= text.slice(reader.tokens[reader.at]?.start ?? text.length, reader.tokens.at(-1)?.end).trim();
  if (fields["routine_definition"] === "") throw syntaxError("end of input", "RETURN needs an expression");
  const [catalog = "", schema = "", own = ""] = name.split(".");
  await context.catalog.createFunction([catalog, schema], own, fields, context.user, replace);
}

/** `(name type [DEFAULT expression] [COMMENT 'text'], ...)` */
function columns(reader: Reader, text: string): Array<Record<string, unknown>> {
  const found: Array<Record<string, unknown>> = [];
  reader.expect("(");
  while (!reader.take(")")) {
    const name = reader.name().join(".");
    const type = typeText(reader, text);
    const column: Record<string, unknown> = { name, ...describeType(type), type_text: type, position: found.length, parameter_mode: "IN", parameter_type: "PARAM" };
    if (reader.take("DEFAULT")) column["parameter_default"] = upTo(reader, text, [",", ")", "COMMENT"]);
    if (reader.take("COMMENT")) column["comment"] = reader.string();
    column["type_json"] = fieldJson(name, type, true, column["comment"] as string | undefined);
    found.push(column);
    reader.take(",");
  }
  return found;
}

/** A type, in lower case as Unity Catalog writes it. */
const typeText = (reader: Reader, text: string) =>
  upTo(reader, text, [",", ")", "COMMENT", "DEFAULT", "RETURN", "LANGUAGE", "NOT", "DETERMINISTIC", "CONTAINS", "READS", "AS"]).toLowerCase();

/** The text up to one of these words that is in no brackets. */
function upTo(reader: Reader, text: string, words: string[]): string {
  const start = reader.tokens[reader.at];
  let end = start;
  let depth = 0;
  for (; !reader.done; reader.at++) {
    const token = reader.tokens[reader.at];
    if (depth === 0 && words.some((word) => is(token, word))) break;
    if (is(token, "(") || is(token, "<")) depth++;
    if (is(token, ")") || is(token, ">")) depth--;
    end = token;
  }
  if (start === undefined || end === undefined || reader.tokens[reader.at] === start) throw syntaxError(reader.next, "a type or expression is expected here");
  return text.slice(start.start, end.end);
}
