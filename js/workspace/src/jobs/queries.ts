import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { Database } from "../database.js";
import { missing } from "../http/errors.js";

/** A query that is kept by name, in the fields of the Queries API. */
export interface SavedQuery {
  id: string;
  display_name: string;
  query_text: string;
  warehouse_id?: string;
  catalog?: string;
  schema?: string;
  description?: string;
  parent_path?: string;
  tags?: string[];
  owner_user_name: string;
  last_modifier_user_name: string;
  /** RFC 3339. */
  create_time: string;
  update_time: string;
  lifecycle_state: "ACTIVE";
}

/** What its owner writes. */
export type QueryText = Pick<SavedQuery, "display_name" | "query_text" | "warehouse_id" | "catalog" | "schema" | "description" | "parent_path" | "tags">;

/** Saved queries, which SQL tasks name by their id. */
export class SavedQueries {
  readonly #db: Database;

  constructor(data: string) {
    this.#db = new Database(join(data, "queries.db"), "CREATE TABLE IF NOT EXISTS queries (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, query TEXT NOT NULL);");
  }

  create(text: QueryText, user: string): SavedQuery {
    const now = new Date().toISOString();
    const query: SavedQuery = { id: randomUUID(), ...text, owner_user_name: user, last_modifier_user_name: user, create_time: now, update_time: now, lifecycle_state: "ACTIVE" };
    this.#db.run("INSERT INTO queries (id, query) VALUES (?, ?)", [query.id, JSON.stringify(query)]);
    return query;
  }

  /** Throws a 404 if there is none. */
  get(id: string): SavedQuery {
    const [found] = this.#db.all<{ query: string }>("SELECT query FROM queries WHERE id = ?", [id]);
    if (!found) throw missing(`Query ${id} does not exist.`);
    return JSON.parse(found.query) as SavedQuery;
  }

  /** Newest first. */
  list(offset: number, limit: number): SavedQuery[] {
    return this.#db.all<{ query: string }>("SELECT query FROM queries ORDER BY number DESC LIMIT ? OFFSET ?", [limit, offset]).map(({ query }) => JSON.parse(query) as SavedQuery);
  }

  update(id: string, changes: Partial<QueryText>, user: string): SavedQuery {
    const query = { ...this.get(id), ...changes, last_modifier_user_name: user, update_time: new Date().toISOString() };
    this.#db.run("UPDATE queries SET query = ? WHERE id = ?", [JSON.stringify(query), id]);
    return query;
  }

  delete(id: string): void {
    this.get(id);
    this.#db.run("DELETE FROM queries WHERE id = ?", [id]);
  }

  close(): void {
    this.#db.close();
  }
}
