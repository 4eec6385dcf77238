import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, type Stats } from "node:fs";
import { readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { ApiError, invalid } from "../http/errors.js";
import { makeFolder, publish, syncFolder, writeTemporary } from "../files/disk.js";
import { placeBelow, segmentsOf } from "../files/place.js";
import { type Language, LANGUAGES } from "./source.js";

export interface WorkspaceObject {
  path: string;
  object_type: "NOTEBOOK" | "FILE" | "DIRECTORY";
  object_id: number;
  resource_id: string;
  language?: Language;
  /** Bytes; files only. */
  size?: number;
  /** Milliseconds since 1970; not of directories. */
  created_at?: number;
  modified_at?: number;
}

/** What a notebook's file is called on disk, behind its name: a file of the workspace may have any other name. */
const suffix = (language: Language) => `.notebook.${LANGUAGES[language].extension}`;
const SUFFIXES = (Object.keys(LANGUAGES) as Language[]).map((language) => [language, suffix(language)] as const);

/**
 * The folders, notebooks and files of a workspace, as files below `<data>/workspace-files`: a notebook `n` in Python is
 * `n.notebook.py`, in Databricks' source format. `/Workspace/x` is the same as `/x`.
 */
export class WorkspaceTree {
  /** The folder of all. */
  readonly root: string;
  readonly #temporary: string;

  /** `users` get their home folders; `temporary` is a folder for what is being written. */
  constructor(data: string, temporary: string, users: string[]) {
    this.root = join(data, "workspace-files");
    this.#temporary = temporary;
    for (const folder of ["Shared", ...users.map((user) => `Users/${user}`)]) mkdirSync(join(this.root, folder), { recursive: true });
  }

  /** The object at a path. Throws a 404 if there is none. */
  async get(path: string): Promise<WorkspaceObject> {
    return (await this.#find(path)).object;
  }

  /** What is at a path, or nothing. */
  async find(path: string): Promise<WorkspaceObject | undefined> {
    return this.get(path).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    });
  }

  /** The content of a file, or the source of a notebook. */
  async read(path: string): Promise<{ object: WorkspaceObject; bytes: Buffer }> {
    const { object, place } = await this.#find(path);
    if (object.object_type === "DIRECTORY") throw invalid(`'${path}' is a directory: the local workspace reads single notebooks and files.`);
    return { object, bytes: await readFile(place) };
  }

  /** Where an object is on disk. */
  async place(path: string): Promise<string> {
    return (await this.#find(path)).place;
  }

  /** What is in a folder, by name; a file or notebook lists itself. */
  async list(path: string): Promise<WorkspaceObject[]> {
    const { object, place } = await this.#find(path);
    if (object.object_type !== "DIRECTORY") return [object];
    const names = (await readdir(place)).sort();
    return Promise.all(names.map(async (name) => describe(posix.join(object.path, name), await stat(join(place, name)))));
  }

  /** Writes a notebook (source) or, without a language, a file. */
  async write(path: string, language: Language | undefined, bytes: Uint8Array, overwrite: boolean): Promise<void> {
    const clean = normal(path);
    if (clean === "/") throw invalid("'path' must name an object, not the root.");
    if (language === undefined && SUFFIXES.some(([, end]) => clean.endsWith(end))) {
      throw invalid(`The local workspace keeps notebooks in files named *${suffix("PYTHON")} and the like; give the file another name.`);
    }
    const parent = await this.find(posix.dirname(clean));
    if (parent?.object_type !== "DIRECTORY") {
      throw new ApiError(404, "RESOURCE_DOES_NOT_EXIST", `The parent folder (${posix.dirname(clean)}) does not exist. Make it with /api/2.0/workspace/mkdirs.`);
    }
    const found = await this.find(clean);
    if (found && (found.object_type === "DIRECTORY" || found.language !== language)) {
      throw taken(`(${path}) is a ${found.language ?? ""} ${found.object_type} already. Delete it first.`.replace("  ", " "));
    }
    if (found && !overwrite) throw taken(`Path (${path}) already exists. Pass overwrite=true to replace it.`);
    const place = this.#place(language === undefined ? clean : clean + suffix(language));
    const written = await writeTemporary(this.#temporary, chunks(bytes));
    await publish(written, place, overwrite).catch((error: NodeJS.ErrnoException) => {
      throw error.code === "EEXIST" ? taken(`Path (${path}) already exists. Pass overwrite=true to replace it.`) : error;
    });
  }

  /** Creates a folder and those above it. */
  async makeDirectories(path: string): Promise<void> {
    const segments = segmentsOf(normal(path));
    for (let i = 1; i <= segments.length; i++) {
      const above = `/${segments.slice(0, i).join("/")}`;
      const found = await this.find(above);
      if (found && found.object_type !== "DIRECTORY") throw taken(`(${above}) is a ${found.object_type} already.`);
    }
    await makeFolder(this.#place(normal(path)));
  }

  /** Deletes an object; a folder that is not empty only if `recursive`, and then all of it at once. */
  async remove(path: string, recursive: boolean): Promise<void> {
    const { object, place } = await this.#find(path);
    if (object.path === "/") throw invalid("The root cannot be deleted.");
    if (object.object_type === "DIRECTORY" && !recursive && (await readdir(place)).length > 0) {
      throw new ApiError(400, "DIRECTORY_NOT_EMPTY", `Folder (${path}) is not empty. Pass recursive=true to delete all of it.`);
    }
    const gone = join(this.#temporary, `${randomUUID()}.tmp`);
    await rename(place, gone);
    await syncFolder(dirname(place));
    await rm(gone, { recursive: true, force: true });
  }

  #place(path: string): string {
    return placeBelow(this.root, path === "/" ? [] : segmentsOf(path));
  }

  async #find(path: string): Promise<{ object: WorkspaceObject; place: string }> {
    const clean = normal(path);
    const plain = this.#place(clean);
    for (const end of ["", ...SUFFIXES.map(([, end]) => end)]) {
      const stats = await stat(plain + end).catch(() => undefined);
      // The name of a notebook's file is not a path of the workspace.
      if (stats && (end !== "" || !SUFFIXES.some(([, known]) => clean.endsWith(known)))) {
        return { object: describe(clean + end, stats), place: plain + end };
      }
    }
    throw new ApiError(404, "RESOURCE_DOES_NOT_EXIST", `Path (${path}) doesn't exist.`);
  }
}

/** A path without `/Workspace` in front and `/` at the end. */
function normal(path: string): string {
  const clean = path.replace(/^\/Workspace(?=\/|$)/, "").replace(/\/$/, "");
  if (!path.startsWith("/")) throw invalid(`'path' must be absolute, such as /Users/me/notebook, not '${path}'.`);
  return clean === "" ? "/" : clean;
}

/** The object of a file on disk. Its id is made of its path, so that it is the same after a restart. */
function describe(file: string, stats: Stats): WorkspaceObject {
  const notebook = stats.isDirectory() ? undefined : SUFFIXES.find(([, end]) => file.endsWith(end));
  const path = notebook ? file.slice(0, -notebook[1].length) : file;
  const object_id = createHash("sha256").update(path).digest().readUIntBE(0, 6);
  const about = { path, object_id, resource_id: String(object_id) };
  if (stats.isDirectory()) return { ...about, object_type: "DIRECTORY" };
  const times = { created_at: Math.floor(stats.birthtimeMs), modified_at: Math.floor(stats.mtimeMs) };
  if (notebook) return { ...about, object_type: "NOTEBOOK", language: notebook[0], ...times };
  return { ...about, object_type: "FILE", size: stats.size, ...times };
}

const taken = (message: string) => new ApiError(400, "RESOURCE_ALREADY_EXISTS", message);

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
