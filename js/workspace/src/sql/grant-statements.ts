import { checkPrivileges } from "../catalog/privileges.js";
import { fullName, takeKind, type Context, type Reader } from "./catalog-statements.js";
import type { Rows } from "./show-statements.js";

/** `GRANT privilege, ... ON type name TO principal` and `REVOKE ... FROM principal`. */
export async function grantStatement(verb: "GRANT" | "REVOKE", reader: Reader, context: Context): Promise<Rows> {
  const privileges: string[] = [];
  do {
    const words: string[] = [];
    while (!reader.done && !["ON", ","].includes(reader.next.toUpperCase())) {
      words.push(reader.next.toUpperCase());
      reader.at++;
    }
    privileges.push(words.join("_"));
  } while (reader.take(","));
  checkPrivileges(privileges);
  reader.expect("ON");
  const found = takeKind(reader);
  if (!found) reader.takeOne("TABLE", "VIEW");
  const { kind, levels } = found ?? { kind: "table" as const, levels: 3 };
  const name = fullName(reader.name(), levels, context);
  if (kind === "table") await context.catalog.table(name);
  else context.catalog.store.get(kind, name);
  reader.expect(verb === "GRANT" ? "TO" : "FROM");
  const principal = reader.tokens[reader.at]?.kind === "string" ? reader.string() : reader.name().join(".");
  reader.end();
  const change = verb === "GRANT" ? { add: privileges, remove: [] } : { add: [], remove: privileges };
  context.catalog.store.changeGrants(`${kind}:${name}`, [{ principal, ...change }]);
  return { columns: [], rows: [] };
}
