import { Catalog } from "../catalog/catalog.js";
import { CatalogStore } from "../catalog/store.js";
import type { Volumes } from "../files/volumes.js";
import type { Route } from "../http/router.js";
import { SqlWarehouseRoutes } from "../routes/sql-warehouses.js";
import { SqlRoutes } from "../routes/sql.js";
import { UnityCatalogRoutes } from "../routes/unity-catalog.js";
import { UnityGrantsRoutes } from "../routes/unity-grants.js";
import { SqlEngine, type EngineOptions } from "./engine.js";
import { StatementRunner } from "./runner.js";
import { Statements } from "./statements.js";
import { Tables } from "./tables.js";

export interface SqlOptions extends Omit<EngineOptions, "store" | "volumes"> {
  volumes: Volumes;
  log: (line: string) => void;
}

/** SQL and Unity Catalog of a workspace. */
export interface Sql {
  catalog: Catalog;
  tables: Tables;
  runner: StatementRunner;
  statements: Statements;
  routes: Route[];
  close(): Promise<void>;
}

/** Opens the parts that SQL and Unity Catalog are made of. The engine starts with the first statement. */
export function openSql({ volumes, log, ...options }: SqlOptions): Sql {
  const store = new CatalogStore(options.data);
  const engine = new SqlEngine({ ...options, store, volumes: volumes.root });
  const catalog = new Catalog(store, engine, volumes, options.data);
  const runner = new StatementRunner(engine, catalog, volumes);
  const statements = new Statements(options.data, runner, log);
  const tables = new Tables(engine, catalog, runner, options.data);
  return {
    catalog,
    tables,
    runner,
    statements,
    routes: [
      ...new SqlRoutes(statements).routes(),
      ...new SqlWarehouseRoutes(engine).routes(),
      ...new UnityCatalogRoutes(catalog, tables).routes(),
      ...new UnityGrantsRoutes(catalog).routes(),
      // Not of Databricks: how tasks of jobs get their Spark session.
      { method: "POST", path: "/local/spark-connect", handler: async () => ({ json: await engine.connect() }) },
    ],
    async close() {
      await statements.close();
      await engine.stop();
      store.close();
    },
  };
}
