import { createHash } from "node:crypto";
import type { EngineTable } from "../sql/engine.js";
import { METASTORE_ID } from "./store.js";
import { describeType, fieldJson } from "./types.js";

/** A table or view as the Unity Catalog API describes it. */
export type TableInfo = ReturnType<typeof tableInfo>;

export function tableInfo(table: EngineTable, storage: string) {
  const fullName = `${table.catalog}.${table.schema}.${table.name}`;
  const isView = table.type === "VIEW";
  return {
    name: table.name,
    catalog_name: table.catalog,
    schema_name: table.schema,
    full_name: fullName,
    table_type: table.type,
    // Managed tables are Delta tables to whoever reads them by SQL, whatever the engine keeps them in.
    ...(!isView && { data_source_format: "DELTA", storage_location: `${storage}/${table.catalog}/${table.schema}/${table.name}` }),
    columns: table.columns.map(({ name, type, nullable, comment }, position) => ({
      name,
      ...describeType(type),
      type_text: type,
      type_json: fieldJson(name, type, nullable, comment),
      position,
      nullable,
      ...(comment !== undefined && { comment }),
    })),
    ...(table.comment !== undefined && { comment: table.comment }),
    ...(table.definition !== undefined && { view_definition: table.definition }),
    properties: table.properties,
    owner: table.createdBy,
    created_at: table.created,
    created_by: table.createdBy,
    updated_at: table.committed,
    updated_by: table.createdBy,
    metastore_id: METASTORE_ID,
    table_id: tableId(fullName, table.created),
  };
}

/** An id that a table keeps, and that another one under its name does not get. */
function tableId(name: string, created: number): string {
  const hash = createHash("sha256").update(`${name} ${created}`).digest("hex");
  return [hash.slice(0, 8), hash.slice(8, 12), `4${hash.slice(13, 16)}`, `8${hash.slice(17, 20)}`, hash.slice(20, 32)].join("-");
}
