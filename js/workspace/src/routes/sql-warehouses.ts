import { missing, notImplemented } from "../http/errors.js";
import type { Call, Reply, Route } from "../http/router.js";
import type { SqlEngine } from "../sql/engine.js";

const BASE = "/api/2.0/sql/warehouses";

/** Id of the warehouse of every local workspace. */
export const WAREHOUSE_ID = "local";

/** SQL warehouses: there is one, which is the SQL engine. A statement starts it if it is stopped. */
export class SqlWarehouseRoutes {
  readonly #engine: SqlEngine;

  constructor(engine: SqlEngine) {
    this.#engine = engine;
  }

  routes(): Route[] {
    const onlyOne = (): Reply => {
      throw notImplemented(`The local workspace has one warehouse, '${WAREHOUSE_ID}', which is the SQL engine: it can be started and stopped.`);
    };
    return [
      { method: "GET", path: BASE, handler: (call) => ({ json: { warehouses: [this.#describe(call)] } }) },
      { method: "POST", path: BASE, handler: onlyOne },
      { method: "GET", path: `${BASE}/:id`, handler: known((call) => ({ json: this.#describe(call) })) },
      { method: "DELETE", path: `${BASE}/:id`, handler: known(onlyOne) },
      { method: "POST", path: `${BASE}/:id/edit`, handler: known(onlyOne) },
      { method: "POST", path: `${BASE}/:id/start`, handler: known(() => this.#start()) },
      { method: "POST", path: `${BASE}/:id/stop`, handler: known(() => this.#stop()) },
    ];
  }

  async #start(): Promise<Reply> {
    await this.#engine.kind();
    // It answers at once, as Databricks does; the state tells how far it is, and the next statement why it did not start.
    this.#engine.start().catch(() => {});
    return { json: {} };
  }

  /** Statements that run fail, as on Databricks. */
  async #stop(): Promise<Reply> {
    await this.#engine.stop();
    return { json: {} };
  }

  #describe({ origin, user }: Call): object {
    const { hostname, port } = new URL(origin);
    const { state } = this.#engine;
    return {
      id: WAREHOUSE_ID,
      name: "Local warehouse",
      state,
      cluster_size: "2X-Small",
      warehouse_type: "PRO",
      enable_serverless_compute: false,
      enable_photon: false,
      auto_stop_mins: 0,
      min_num_clusters: 1,
      max_num_clusters: 1,
      num_clusters: state === "RUNNING" ? 1 : 0,
      num_active_sessions: this.#engine.working,
      creator_name: user,
      spot_instance_policy: "COST_OPTIMIZED",
      channel: { name: "CHANNEL_NAME_CURRENT" },
      health: { status: "HEALTHY" },
      odbc_params: { hostname, path: `/sql/1.0/warehouses/${WAREHOUSE_ID}`, port: Number(port || 80), protocol: "http" },
    };
  }
}

const known =
  (handler: (call: Call) => Reply | Promise<Reply>) =>
  (call: Call): Reply | Promise<Reply> => {
    const id = call.params["id"];
    if (id !== WAREHOUSE_ID) throw missing(`SQL warehouse ${id} does not exist. The warehouse of this workspace is '${WAREHOUSE_ID}'.`);
    return handler(call);
  };
