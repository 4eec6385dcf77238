import { chmodSync } from "node:fs";
import { join } from "node:path";
import { Database } from "../database.js";
import type { EndpointConfig, Tag } from "./definition.js";
import type { GatewayConfig } from "./gateway.js";
import type { RateLimit } from "./rate-limits.js";
import type { Task } from "./served-model.js";

/** What is kept of an endpoint. Those of the workspace itself have no configuration here. */
export interface EndpointRecord {
  creator: string;
  /** Milliseconds since 1970. */
  created: number;
  updated: number;
  description?: string;
  tags: Tag[];
  /** The limits that were there before the AI Gateway. */
  rateLimits: RateLimit[];
  gateway?: GatewayConfig;
  /** What it is for; a registered model tells once it runs. */
  task?: Task;
  /** What it serves. */
  config?: EndpointConfig;
  /** What it is to serve, while that is being started. */
  pending?: EndpointConfig;
  /** Why the last change failed, if it did. */
  failure?: string;
}

/** Serving endpoints in a file that only its owner may read: credentials of external models may be among them. */
export class ServingStore {
  readonly #db: Database;

  constructor(data: string) {
    const file = join(data, "serving.db");
    this.#db = new Database(file, "CREATE TABLE IF NOT EXISTS endpoints (name TEXT PRIMARY KEY, record TEXT NOT NULL);");
    chmodSync(file, 0o600);
  }

  all(): Array<[name: string, record: EndpointRecord]> {
    const rows = this.#db.all<{ name: string; record: string }>("SELECT name, record FROM endpoints ORDER BY name");
    return rows.map(({ name, record }) => [name, JSON.parse(record) as EndpointRecord]);
  }

  put(name: string, record: EndpointRecord): void {
    this.#db.run("INSERT OR REPLACE INTO endpoints VALUES (?, ?)", [name, JSON.stringify(record)]);
  }

  delete(name: string): void {
    this.#db.run("DELETE FROM endpoints WHERE name = ?", [name]);
  }

  close(): void {
    this.#db.close();
  }
}
