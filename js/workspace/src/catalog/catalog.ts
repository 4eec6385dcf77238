import { join } from "node:path";
import type { Volumes } from "../files/volumes.js";
import { ApiError, invalid } from "../http/errors.js";
import { functionFields, type SqlEngine } from "../sql/engine.js";
import { CatalogStore, doesNotExist, type Securable } from "./store.js";
import { tableInfo, type TableInfo } from "./table-info.js";

/** Schemas that are not to be dropped, and catalogs: clients count on them. */
const KEPT = ["main", "system", "main.default"];

/**
 * Unity Catalog: what the store has, with the tables of the SQL engine and the folders of volumes, kept in step.
 *
 * The store is written first when something is made, and last when it goes, so that a killed process leaves nothing that the
 * catalog does not know of; what is missing below it is made again by the next start.
 */
export class Catalog {
  readonly store: CatalogStore;
  readonly #engine: SqlEngine;
  readonly #volumes: Volumes;
  readonly #storage: string;

  constructor(store: CatalogStore, engine: SqlEngine, volumes: Volumes, data: string) {
    this.store = store;
    this.#engine = engine;
    this.#volumes = volumes;
    this.#storage = `file://${join(data, "sql")}`;
    for (const { catalog_name, schema_name, name } of store.all("volume")) volumes.create(String(catalog_name), String(schema_name), name);
  }

  async createCatalog(name: string, fields: Record<string, unknown>, user: string): Promise<Securable> {
    if (/__/.test(name)) throw invalid("The name of a catalog must not have '__' in it: the local workspace joins names by it.");
    const catalog = this.store.create("catalog", [], name, fields, user);
    await this.createSchema(catalog.name, "default", { comment: "Default schema" }, user);
    return catalog;
  }

  async dropCatalog(name: string, force: boolean): Promise<void> {
    const catalog = this.store.get("catalog", name);
    this.#refuseKept(catalog.full_name);
    const schemas = this.store.list("schema", catalog.name);
    if (!force && schemas.some((schema) => schema.name !== "default")) {
      throw notEmpty("Catalog", catalog.full_name, `${schemas.length} schema(s)`);
    }
    for (const schema of schemas) await this.#emptySchema(schema, force);
    await this.#engine.follow("drop_catalog", { catalog: catalog.name });
    this.store.delete("catalog", catalog.full_name);
  }

  async createSchema(catalog: string, name: string, fields: Record<string, unknown>, user: string): Promise<Securable> {
    const schema = this.store.create("schema", [catalog], name, fields, user);
    try {
      await this.#engine.follow("create_schema", { catalog: schema["catalog_name"], schema: schema.name });
    } catch (error) {
      this.store.delete("schema", schema.full_name);
      throw error;
    }
    return schema;
  }

  async dropSchema(fullName: string, cascade: boolean): Promise<void> {
    const schema = this.store.get("schema", fullName);
    this.#refuseKept(schema.full_name);
    await this.#emptySchema(schema, cascade);
    this.store.delete("schema", schema.full_name);
  }

  async #emptySchema({ full_name, catalog_name, name }: Securable, cascade: boolean): Promise<void> {
    const catalog = String(catalog_name);
    const volumes = this.store.list("volume", full_name);
    if (!cascade) {
      const tables = await this.#engine.tables(catalog, name);
      const functions = this.store.list("function", full_name);
      const parts = [`${tables.length} table(s)`, `${volumes.length} volume(s)`, `${functions.length} function(s)`].filter((part) => !part.startsWith("0 "));
      if (parts.length > 0) throw notEmpty("Schema", full_name, parts.join(", "));
    }
    await this.#engine.follow("drop_schema", { catalog, schema: name });
    for (const volume of volumes) this.#volumes.drop(catalog, name, volume.name);
  }

  createVolume(catalog: string, schema: string, name: string, fields: Record<string, unknown>, user: string): Securable {
    const volume = this.store.create("volume", [catalog, schema], name, fields, user);
    const parts = [String(volume["catalog_name"]), String(volume["schema_name"]), volume.name] as const;
    this.#volumes.create(...parts);
    return this.store.update("volume", volume.full_name, { storage_location: `file://${this.#volumes.folder(...parts)}` }, user);
  }

  dropVolume(fullName: string): void {
    const { full_name, catalog_name, schema_name, name } = this.store.get("volume", fullName);
    this.#volumes.drop(String(catalog_name), String(schema_name), name);
    this.store.delete("volume", full_name);
  }

  async createFunction(parents: [string, string], name: string, fields: Record<string, unknown>, user: string, replace: boolean): Promise<Securable> {
    const fullName = [...parents, name].join(".").toLowerCase();
    const old = replace ? this.store.find("function", fullName) : undefined;
    const info = old ? this.store.update("function", fullName, fields, user) : this.store.create("function", parents, name, fields, user);
    try {
      await this.#engine.follow("create_function", functionFields(info));
    } catch (error) {
      if (old) this.store.update("function", fullName, old, user);
      else this.store.delete("function", fullName);
      throw error;
    }
    return info;
  }

  async dropFunction(fullName: string): Promise<void> {
    const { full_name, catalog_name, schema_name, name } = this.store.get("function", fullName);
    await this.#engine.follow("drop_function", { catalog: catalog_name, schema: schema_name, name });
    this.store.delete("function", full_name);
  }

  /** Tables and views of a schema, by name. Throws a 404 if there is no such schema. */
  async tables(catalog: string, schema: string): Promise<TableInfo[]> {
    this.store.get("catalog", catalog);
    const { name, catalog_name } = this.store.get("schema", `${catalog}.${schema}`);
    return (await this.#engine.tables(String(catalog_name), name)).map((table) => tableInfo(table, this.#storage));
  }

  async findTable(fullName: string): Promise<TableInfo | undefined> {
    const [catalog = "", schema = "", name = "", ...rest] = fullName.toLowerCase().split(".");
    if (name === "" || rest.length > 0) throw invalid(`'${fullName}' is not the full name of a table: it has three parts, <catalog>.<schema>.<table>.`);
    if (!this.store.find("schema", `${catalog}.${schema}`)) return undefined;
    const table = await this.#engine.table(catalog, schema, name);
    return table && tableInfo(table, this.#storage);
  }

  /** Throws a 404 if there is no such table. */
  async table(fullName: string): Promise<TableInfo> {
    const table = await this.findTable(fullName);
    if (!table) throw doesNotExist("table", fullName);
    return table;
  }

  #refuseKept(name: string): void {
    if (KEPT.includes(name)) throw new ApiError(400, "INVALID_STATE", `'${name}' belongs to the workspace and cannot be deleted.`);
  }
}

const notEmpty = (kind: string, name: string, what: string) =>
  new ApiError(400, "INVALID_STATE", `${kind} '${name}' is not empty: it has ${what}. Delete them first, or force it (CASCADE).`);
