import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { Database } from "../database.js";
import { ApiError, invalid } from "../http/errors.js";

/** What the store keeps. Tables and views are the SQL engine's, models the model registry's. */
export type Kind = "catalog" | "schema" | "volume" | "function";

/** An object of Unity Catalog with the fields that the REST API gives: names, owner, times (ms since 1970) and those of its kind. */
export interface Securable {
  name: string;
  full_name: string;
  owner: string;
  created_at: number;
  created_by: string;
  updated_at: number;
  updated_by: string;
  comment?: string;
  [field: string]: unknown;
}

/** Id of the metastore of every local workspace. */
export const METASTORE_ID = "00000000-0000-4000-8000-000000000001";

const title = (kind: Kind) => `${kind[0]?.toUpperCase()}${kind.slice(1)}`;

export const doesNotExist = (kind: string, name: string) =>
  new ApiError(404, `${kind.toUpperCase()}_DOES_NOT_EXIST`, `${kind[0]?.toUpperCase()}${kind.slice(1)} '${name}' does not exist.`);

/**
 * Names are in lower case, as Unity Catalog has them, and have no dot, slash or space:
 * https://docs.databricks.com/sql/language-manual/sql-ref-names
 */
export function checkedName(name: string): string {
  if (!/^[^\s./\x00-\x1f\x7f]{1,255}$/.test(name)) {
    throw invalid(`'${name}' is not a valid name: it has 1 to 255 characters, and no space, dot, slash or control character.`);
  }
  return name.toLowerCase();
}

/** Catalogs, schemas, volumes, functions and grants, in one SQLite file. */
export class CatalogStore {
  readonly #db: Database;

  /** Opens the store in `directory`, and creates it, with the catalogs `main` (schema `default`) and `system`, where there is none. */
  constructor(directory: string) {
    this.#db = new Database(
      join(directory, "catalog.db"),
      `CREATE TABLE IF NOT EXISTS securables (kind TEXT NOT NULL, full_name TEXT NOT NULL, parent TEXT NOT NULL, info TEXT NOT NULL,
         PRIMARY KEY (kind, full_name));
       CREATE INDEX IF NOT EXISTS children ON securables (kind, parent, full_name);
       CREATE TABLE IF NOT EXISTS grants (securable TEXT NOT NULL, principal TEXT NOT NULL, privilege TEXT NOT NULL,
         PRIMARY KEY (securable, principal, privilege));`,
    );
    this.#db.transaction(() => {
      if (this.list("catalog", "").length > 0) return;
      const owner = "System user";
      this.create("catalog", [], "main", { comment: "The catalog of this workspace" }, owner);
      this.create("schema", ["main"], "default", { comment: "Default schema" }, owner);
      this.create("catalog", [], "system", { catalog_type: "SYSTEM_CATALOG" }, owner);
    });
  }

  close(): void {
    this.#db.close();
  }

  find(kind: Kind, fullName: string): Securable | undefined {
    const [row] = this.#db.all<{ info: string }>("SELECT info FROM securables WHERE kind = ? AND full_name = ?", [kind, fullName.toLowerCase()]);
    return row && (JSON.parse(row.info) as Securable);
  }

  /** Throws a 404 if there is none. */
  get(kind: Kind, fullName: string): Securable {
    const found = this.find(kind, fullName);
    if (!found) throw doesNotExist(kind, fullName);
    return found;
  }

  /** The objects of a kind right below a parent, by name; the parent of catalogs is "". */
  list(kind: Kind, parent: string): Securable[] {
    return this.#db
      .all<{ info: string }>("SELECT info FROM securables WHERE kind = ? AND parent = ? ORDER BY full_name", [kind, parent.toLowerCase()])
      .map(({ info }) => JSON.parse(info) as Securable);
  }

  /** All objects of a kind. */
  all(kind: Kind): Securable[] {
    return this.#db
      .all<{ info: string }>("SELECT info FROM securables WHERE kind = ? ORDER BY full_name", [kind])
      .map(({ info }) => JSON.parse(info) as Securable);
  }

  /** Throws a 404 if a parent is missing, and a 400 for a bad name and for one that is taken. */
  create(kind: Kind, parents: string[], name: string, fields: Record<string, unknown>, user: string): Securable {
    const own = checkedName(name);
    const [catalog, schema] = parents.map((parent) => parent.toLowerCase());
    if (catalog !== undefined) this.get("catalog", catalog);
    if (schema !== undefined) this.get("schema", `${catalog}.${schema}`);
    const fullName = [catalog, schema, own].filter((part) => part !== undefined).join(".");
    if (this.find(kind, fullName)) {
      throw new ApiError(400, `${kind.toUpperCase()}_ALREADY_EXISTS`, `${title(kind)} '${fullName}' already exists`);
    }
    const now = Date.now();
    const securable: Securable = {
      ...ownFields(kind),
      ...fields,
      name: own,
      full_name: fullName,
      ...(catalog !== undefined && { catalog_name: catalog }),
      ...(schema !== undefined && { schema_name: schema }),
      owner: user,
      metastore_id: METASTORE_ID,
      created_at: now,
      created_by: user,
      updated_at: now,
      updated_by: user,
    };
    this.#db.run("INSERT INTO securables VALUES (?, ?, ?, ?)", [kind, fullName, parents.join(".").toLowerCase(), JSON.stringify(securable)]);
    return securable;
  }

  /** Changes fields of an object; those that are undefined stay as they are. */
  update(kind: Kind, fullName: string, fields: Record<string, unknown>, user: string): Securable {
    const defined = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
    const changed: Securable = { ...this.get(kind, fullName), ...defined, updated_at: Date.now(), updated_by: user };
    this.#db.run("UPDATE securables SET info = ? WHERE kind = ? AND full_name = ?", [JSON.stringify(changed), kind, fullName.toLowerCase()]);
    return changed;
  }

  /** Deletes an object with all that is below it, and their grants. */
  delete(kind: Kind, fullName: string): void {
    const { full_name: name } = this.get(kind, fullName);
    this.#db.transaction(() => {
      const below = kind === "catalog" || kind === "schema" ? `${name}.` : "\n";
      this.#db.run("DELETE FROM securables WHERE (kind = ? AND full_name = ?) OR substr(full_name, 1, ?) = ?", [kind, name, below.length, below]);
      const securable = `${kind}:${name}`;
      this.#db.run("DELETE FROM grants WHERE securable = ? OR substr(securable, instr(securable, ':') + 1, ?) = ?", [securable, below.length, below]);
    });
  }

  // ---- grants

  /** Privileges by principal on an object named `<type>:<full name>`. */
  grants(securable: string): Map<string, string[]> {
    const rows = this.#db.all<{ principal: string; privilege: string }>(
      "SELECT principal, privilege FROM grants WHERE securable = ? ORDER BY principal, privilege",
      [securable],
    );
    const grants = new Map<string, string[]>();
    for (const { principal, privilege } of rows) grants.set(principal, [...(grants.get(principal) ?? []), privilege]);
    return grants;
  }

  /** Makes all changes, or none. */
  changeGrants(securable: string, changes: Array<{ principal: string; add: string[]; remove: string[] }>): void {
    this.#db.transaction(() => {
      for (const { principal, add, remove } of changes) {
        for (const privilege of remove) {
          this.#db.run("DELETE FROM grants WHERE securable = ? AND principal = ? AND privilege = ?", [securable, principal, privilege]);
        }
        for (const privilege of add) this.#db.run("INSERT OR IGNORE INTO grants VALUES (?, ?, ?)", [securable, principal, privilege]);
      }
    });
  }
}

/** The fields that every object of a kind has. */
function ownFields(kind: Kind): Record<string, unknown> {
  switch (kind) {
    case "catalog":
      return { catalog_type: "MANAGED_CATALOG", isolation_mode: "OPEN", securable_type: "CATALOG" };
    case "schema":
      return { catalog_type: "MANAGED_CATALOG", schema_id: randomUUID() };
    case "volume":
      return { volume_type: "MANAGED", volume_id: randomUUID() };
    case "function":
      return { function_id: randomUUID(), routine_body: "SQL", is_null_call: false };
  }
}
