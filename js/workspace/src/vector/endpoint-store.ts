import { randomUUID } from "node:crypto";
import type { Database } from "../database.js";
import { exists, invalid, missing } from "../http/errors.js";

/** What a caller may set on an endpoint. */
export interface EndpointSettings {
  type: "STANDARD" | "STORAGE_OPTIMIZED";
  stopped?: boolean;
  targetQps?: number;
  budgetPolicy?: string;
  tags?: Array<{ key: string; value?: string }>;
  /** Milliseconds since 1970. */
  updated?: number;
}

export interface Endpoint extends EndpointSettings {
  name: string;
  id: string;
  /** Milliseconds since 1970. */
  created: number;
  indexes: number;
}

/** Databricks' limit on the endpoints of a workspace. */
const MAX_ENDPOINTS = 500;

/** The vector search endpoints: names that indexes are under. */
export class EndpointStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  create(name: string, settings: EndpointSettings): Endpoint {
    if (this.find(name)) throw exists(`Vector search endpoint ${name} already exists`);
    if (this.list().length >= MAX_ENDPOINTS) throw invalid(`A workspace has up to ${MAX_ENDPOINTS} vector search endpoints.`);
    this.#db.run("INSERT INTO endpoints (name, id, created, settings) VALUES (?, ?, ?, ?)", [
      name,
      randomUUID(),
      Date.now(),
      JSON.stringify(settings),
    ]);
    return this.get(name);
  }

  get(name: string): Endpoint {
    const found = this.find(name);
    if (!found) throw missing(`Vector search endpoint ${name} does not exist`);
    return found;
  }

  find(name: string): Endpoint | undefined {
    return this.list().find((endpoint) => endpoint.name === name);
  }

  list(): Endpoint[] {
    return this.#db
      .all<Omit<Endpoint, keyof EndpointSettings> & { settings: string }>(
        `SELECT name, id, created, settings, (SELECT count(*) FROM indexes WHERE endpoint = endpoints.name) AS indexes
         FROM endpoints ORDER BY name`,
      )
      .map(({ settings, ...endpoint }) => ({ type: "STANDARD", ...endpoint, ...(JSON.parse(settings) as Partial<EndpointSettings>) }));
  }

  change(name: string, change: Partial<EndpointSettings>): Endpoint {
    const { type, stopped, targetQps, budgetPolicy, tags } = this.get(name);
    const settings = { type, stopped, targetQps, budgetPolicy, tags, ...change, updated: Date.now() };
    this.#db.run("UPDATE endpoints SET settings = ? WHERE name = ?", [JSON.stringify(settings), name]);
    return this.get(name);
  }

  delete(name: string): void {
    const { indexes } = this.get(name);
    if (indexes > 0) throw invalid(`Vector search endpoint ${name} still has ${indexes} index(es): delete them first.`);
    this.#db.run("DELETE FROM endpoints WHERE name = ?", [name]);
  }
}
