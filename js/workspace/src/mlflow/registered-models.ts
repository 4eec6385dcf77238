import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { ApiError, exists, invalid, missing } from "../http/errors.js";
import { placeBelow, segmentsOf } from "../files/place.js";

export interface RegisteredModel {
  name: string;
  description: string;
  /** Milliseconds since 1970. */
  created: number;
  updated: number;
  owner: string;
  aliases: { alias: string; version: string }[];
  tags: Tag[];
}

export interface ModelVersion {
  name: string;
  version: number;
  description: string;
  created: number;
  updated: number;
  owner: string;
  /** Where the files were logged first. */
  source: string;
  run: string;
  /** The logged model that it was made of. */
  model: string;
  ready: boolean;
  aliases: string[];
  tags: Tag[];
}

export interface Tag {
  key: string;
  value: string;
}

/** What a new version is made of. */
export type VersionSource = Pick<ModelVersion, "description" | "owner" | "source" | "run" | "model">;

/**
 * Models registered in Unity Catalog, in one SQLite file, with the files of each version in a folder: `/Models/<catalog>/<schema>/<model>/<version>`
 * of the Files API is `<data>/models/<catalog>/<schema>/<model>/<version>`.
 *
 * Every change is one transaction. A version is there when its record is; its files count once it is finalized.
 */
export class RegisteredModels {
  readonly #db: Database.Database;
  readonly #folder: string;

  constructor(data: string) {
    this.#folder = join(data, "models");
    mkdirSync(this.#folder, { recursive: true });
    this.#db = new Database(join(data, "models.db"));
    this.#db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA busy_timeout = 5000;
      PRAGMA foreign_keys = ON;
      CREATE TABLE IF NOT EXISTS models (name TEXT PRIMARY KEY, description TEXT NOT NULL, created INTEGER NOT NULL,
        updated INTEGER NOT NULL, owner TEXT NOT NULL, versions INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS versions (name TEXT NOT NULL REFERENCES models ON UPDATE CASCADE ON DELETE CASCADE, version INTEGER NOT NULL,
        description TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL, owner TEXT NOT NULL, source TEXT NOT NULL,
        run TEXT NOT NULL, model TEXT NOT NULL, ready INTEGER NOT NULL, PRIMARY KEY (name, version));
      CREATE TABLE IF NOT EXISTS aliases (name TEXT NOT NULL, alias TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (name, alias),
        FOREIGN KEY (name, version) REFERENCES versions ON UPDATE CASCADE ON DELETE CASCADE);
      CREATE TABLE IF NOT EXISTS tags (name TEXT NOT NULL REFERENCES models ON UPDATE CASCADE ON DELETE CASCADE,
        version INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name, version, key));`);
  }

  close(): void {
    this.#db.close();
  }

  /** Where a path below `/Models` is on disk: the version that it names must be there. */
  place([catalog = "", schema = "", model = "", version = "", ...rest]: string[]): string {
    this.version(`${catalog}.${schema}.${model}`, version);
    return placeBelow(this.#filesOf(`${catalog}.${schema}.${model}`, version), rest);
  }

  #filesOf(name: string, ...version: string[]): string {
    return placeBelow(this.#folder, [...segmentsOf(`/${name.toLowerCase().split(".").join("/")}`), ...version]);
  }

  // ---- models

  create(name: string, description: string, owner: string): RegisteredModel {
    const key = modelName(name);
    if (this.find(key)) throw exists(`Registered model '${key}' already exists.`);
    const now = Date.now();
    this.#run("INSERT INTO models VALUES (?, ?, ?, ?, ?, 0)", [key, description, now, now, owner]);
    return this.model(key);
  }

  model(name: string): RegisteredModel {
    const found = this.find(name);
    if (!found) throw missing(`Registered model '${name}' does not exist.`);
    return found;
  }

  find(name: string): RegisteredModel | undefined {
    return this.models().find((model) => model.name === name.toLowerCase());
  }

  /** All models, by name. */
  models(): RegisteredModel[] {
    const models = this.#all<Omit<RegisteredModel, "aliases" | "tags">>("SELECT name, description, created, updated, owner FROM models ORDER BY name");
    return models.map((model) => ({ ...model, aliases: this.#aliases(model.name), tags: this.#tags(model.name, 0) }));
  }

  update(name: string, change: { name?: string; description?: string }): RegisteredModel {
    const model = this.model(name);
    const renamed = change.name === undefined ? model.name : modelName(change.name);
    if (renamed !== model.name && this.find(renamed)) throw exists(`Registered model '${renamed}' already exists.`);
    if (renamed !== model.name && this.versions(name).length > 0) throw invalid(`Registered model '${name}' has versions, whose files bear its name: register them anew under '${renamed}'.`);
    this.#run("UPDATE models SET name = ?, description = ?, updated = ? WHERE name = ?", [renamed, change.description ?? model.description, Date.now(), model.name]);
    return this.model(renamed);
  }

  /** Deletes a model with its versions and their files. */
  delete(name: string): void {
    const model = this.model(name);
    this.#run("DELETE FROM models WHERE name = ?", [model.name]);
    rmSync(this.#filesOf(name), { recursive: true, force: true });
  }

  // ---- versions

  /** Adds a version, with an empty folder for its files. Numbers are never given twice. */
  addVersion(name: string, from: VersionSource): ModelVersion {
    const model = this.model(name);
    const version = this.#transaction(() => {
      this.#run("UPDATE models SET versions = versions + 1, updated = ? WHERE name = ?", [Date.now(), model.name]);
      const [{ versions } = { versions: 0 }] = this.#all<{ versions: number }>("SELECT versions FROM models WHERE name = ?", [model.name]);
      const files = this.#filesOf(name, String(versions));
      rmSync(files, { recursive: true, force: true });
      mkdirSync(files, { recursive: true });
      const { description, owner, source, run, model: logged } = from;
      const now = Date.now();
      this.#run("INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)", [model.name, versions, description, now, now, owner, source, run, logged]);
      return versions;
    });
    return this.version(name, String(version));
  }

  /** The files of a version are complete. They must be a model with a signature, as Unity Catalog wants it. */
  finalize(name: string, version: string): ModelVersion {
    const found = this.version(name, version);
    const path = join(this.#filesOf(name, version), "MLmodel");
    if (!existsSync(path)) throw new ApiError(400, "INVALID_STATE", `Version ${version} of '${name}' has no file MLmodel: upload its files before it is finalized.`);
    if (!/^signature:/m.test(readFileSync(path, "utf8"))) throw invalid(`Version ${version} of '${name}' has no signature: models in Unity Catalog need one.`);
    this.#run("UPDATE versions SET ready = 1, updated = ? WHERE name = ? AND version = ?", [Date.now(), found.name, found.version]);
    return this.version(name, version);
  }

  version(name: string, version: string): ModelVersion {
    const found = this.versions(name).find((one) => String(one.version) === version);
    if (!found) throw missing(`Version ${version} of registered model '${name}' does not exist.`);
    return found;
  }

  /** The versions of a model, newest first. */
  versions(name: string): ModelVersion[] {
    const model = this.model(name);
    const versions = this.#all<Omit<ModelVersion, "aliases" | "tags" | "ready"> & { ready: number }>(
      "SELECT * FROM versions WHERE name = ? ORDER BY version DESC",
      [model.name],
    );
    return versions.map((version) => ({
      ...version,
      ready: version.ready === 1,
      aliases: model.aliases.filter(({ version: number }) => number === String(version.version)).map(({ alias }) => alias),
      tags: this.#tags(model.name, version.version),
    }));
  }

  describeVersion(name: string, version: string, description: string): ModelVersion {
    const found = this.version(name, version);
    this.#run("UPDATE versions SET description = ?, updated = ? WHERE name = ? AND version = ?", [description, Date.now(), found.name, found.version]);
    return this.version(name, version);
  }

  deleteVersion(name: string, version: string): void {
    const found = this.version(name, version);
    this.#transaction(() => {
      this.#run("DELETE FROM versions WHERE name = ? AND version = ?", [found.name, found.version]);
      this.#run("DELETE FROM tags WHERE name = ? AND version = ?", [found.name, found.version]);
    });
    rmSync(this.#filesOf(name, version), { recursive: true, force: true });
  }

  // ---- aliases and tags

  setAlias(name: string, alias: string, version: string): void {
    const found = this.version(name, version);
    this.#run("INSERT INTO aliases VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version", [found.name, alias, found.version]);
  }

  removeAlias(name: string, alias: string): void {
    this.#run("DELETE FROM aliases WHERE name = ? AND alias = ?", [this.model(name).name, alias]);
  }

  versionOf(name: string, alias: string): ModelVersion {
    const found = this.model(name).aliases.find((one) => one.alias === alias);
    if (!found) throw missing(`Registered model '${name}' has no alias '${alias}'.`);
    return this.version(name, found.version);
  }

  /** Sets a tag of a model, or of one version. */
  setTag(name: string, version: string | undefined, { key, value }: Tag): void {
    this.#run("INSERT INTO tags VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", [...this.#tagged(name, version), key, value]);
  }

  removeTag(name: string, version: string | undefined, key: string): void {
    this.#run("DELETE FROM tags WHERE name = ? AND version = ? AND key = ?", [...this.#tagged(name, version), key]);
  }

  /** The columns of a tag that say what it belongs to; 0 stands for the model itself. */
  #tagged(name: string, version: string | undefined): [string, number] {
    return version === undefined ? [this.model(name).name, 0] : [this.model(name).name, this.version(name, version).version];
  }

  #aliases(name: string): RegisteredModel["aliases"] {
    return this.#all("SELECT alias, CAST(version AS TEXT) AS version FROM aliases WHERE name = ? ORDER BY alias", [name]);
  }

  #tags(name: string, version: number): Tag[] {
    return this.#all("SELECT key, value FROM tags WHERE name = ? AND version = ? ORDER BY key", [name, version]);
  }

  // ---- SQL

  #all<T>(sql: string, values: (string | number)[] = []): T[] {
    return this.#db.prepare(sql).all(values) as T[];
  }

  #run(sql: string, values: (string | number)[]): void {
    this.#db.prepare(sql).run(values);
  }

  #transaction<T>(work: () => T): T {
    return this.#db.transaction(work).immediate();
  }
}

/** The name of a model, in lower case as Unity Catalog has it. Throws a 400 unless it has three parts. */
function modelName(name: string): string {
  const parts = name.split(".");
  if (parts.length === 3 && parts.every((part) => /^[^\s./]+$/.test(part))) return name.toLowerCase();
  throw invalid(`'${name}' is not the name of a model in Unity Catalog: it has three parts, <catalog>.<schema>.<model>, without spaces, dots or slashes.`);
}
