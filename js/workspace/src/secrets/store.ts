import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { Database } from "../database.js";
import { ApiError, invalid, missing } from "../http/errors.js";

/** Bytes of one secret. */
const MAX_VALUE = 128 << 10;

/** Secrets by scope and key, in a file that only its owner may read. They are not encrypted. */
export class SecretStore {
  readonly #db: Database;

  constructor(data: string) {
    const file = join(data, "secrets.db");
    mkdirSync(data, { recursive: true });
    // SQLite gives its other files the permissions of this one.
    closeSync(openSync(file, "a", 0o600));
    this.#db = new Database(file, `
      PRAGMA foreign_keys = ON;
      CREATE TABLE IF NOT EXISTS scopes (name TEXT PRIMARY KEY);
      CREATE TABLE IF NOT EXISTS secrets (scope TEXT NOT NULL REFERENCES scopes (name) ON DELETE CASCADE, key TEXT NOT NULL,
        value TEXT NOT NULL, updated INTEGER NOT NULL, PRIMARY KEY (scope, key));`);
  }

  createScope(name: string): void {
    checkName("scope", name);
    if (this.#hasScope(name)) throw new ApiError(400, "RESOURCE_ALREADY_EXISTS", `Scope ${name} already exists!`);
    this.#db.run("INSERT INTO scopes VALUES (?)", [name]);
  }

  deleteScope(name: string): void {
    this.#checkScope(name);
    this.#db.run("DELETE FROM scopes WHERE name = ?", [name]);
  }

  scopes(): string[] {
    return this.#db.all<{ name: string }>("SELECT name FROM scopes ORDER BY name").map(({ name }) => name);
  }

  put(scope: string, key: string, value: Buffer): void {
    this.#checkScope(scope);
    checkName("key", key);
    if (value.length > MAX_VALUE) throw invalid(`A secret has at most ${MAX_VALUE} bytes; this one has ${value.length}.`);
    this.#db.run("INSERT OR REPLACE INTO secrets VALUES (?, ?, ?, ?)", [scope, key, value.toString("base64"), Date.now()]);
  }

  /** The value in base64. */
  get(scope: string, key: string): string {
    this.#checkScope(scope);
    const [found] = this.#db.all<{ value: string }>("SELECT value FROM secrets WHERE scope = ? AND key = ?", [scope, key]);
    if (!found) throw missing(`Secret ${key} does not exist in scope ${scope}.`);
    return found.value;
  }

  delete(scope: string, key: string): void {
    this.get(scope, key);
    this.#db.run("DELETE FROM secrets WHERE scope = ? AND key = ?", [scope, key]);
  }

  list(scope: string): Array<{ key: string; last_updated_timestamp: number }> {
    this.#checkScope(scope);
    return this.#db.all("SELECT key, updated AS last_updated_timestamp FROM secrets WHERE scope = ? ORDER BY key", [scope]);
  }

  close(): void {
    this.#db.close();
  }

  #checkScope(name: string): void {
    if (!this.#hasScope(name)) throw missing(`Scope ${name} does not exist!`);
  }

  #hasScope(name: string): boolean {
    return this.#db.all("SELECT 1 FROM scopes WHERE name = ?", [name]).length > 0;
  }
}

function checkName(field: string, name: string): void {
  if (!/^[\w\-.@ ]{1,128}$/.test(name)) throw invalid(`'${field}' must have 1 to 128 letters, digits, and -_.@, not '${name}'.`);
}
