import { mkdirSync, readdirSync, rmSync, type Stats } from "node:fs";
import { lstat, open, readdir, rm, rmdir, stat, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ApiError, invalid } from "../http/errors.js";
import { artifactPlace, artifactsFolder } from "../mlflow/artifacts.js";
import type { RegisteredModels } from "../mlflow/registered-models.js";
import { makeFolder, publish, syncFolder, writeTemporary, type Written } from "./disk.js";
import { placeBelow, segmentsOf } from "./place.js";
import type { Volumes } from "./volumes.js";

export interface Entry {
  path: string;
  name: string;
  is_directory: boolean;
  /** Bytes; files only. */
  file_size?: number;
  /** Milliseconds since 1970; files only. */
  last_modified?: number;
}

const MAX_PAGE = 1000;

/**
 * The files that the Files API serves: those of volumes, MLflow's artifacts (`/WorkspaceInternal/Mlflow/Artifacts/…`), and
 * those of models registered in Unity Catalog (`/Models/…`). An upload is written beside them and then renamed, so that a
 * killed process leaves the old file or the new one, never a part of one.
 */
export class Files {
  /** Folder for what is being written, on the file system of the files. */
  readonly temporary: string;
  readonly #volumes: Volumes;
  readonly #models: RegisteredModels;
  readonly #artifacts: string;

  constructor(data: string, volumes: Volumes, models: RegisteredModels) {
    this.#volumes = volumes;
    this.#models = models;
    this.#artifacts = artifactsFolder(data);
    this.temporary = join(data, "uploads");
    mkdirSync(this.#artifacts, { recursive: true });
    mkdirSync(this.temporary, { recursive: true });
    for (const name of readdirSync(this.temporary)) {
      if (name.endsWith(".tmp")) rmSync(join(this.temporary, name), { recursive: true, force: true });
    }
  }

  /** Where a path is on disk. Throws a 400 or 404 for a path that the Files API does not serve. */
  place(path: string): string {
    const segments = segmentsOf(path);
    if (segments[0] === "WorkspaceInternal") return placeBelow(this.#artifacts, artifactPlace(segments));
    if (segments[0] === "Models") return this.#models.place(segments.slice(1));
    return this.#volumes.place(path);
  }

  /** Writes a whole file. Folders above it are made. */
  async write(path: string, bytes: AsyncIterable<Uint8Array>, overwrite: boolean): Promise<void> {
    await this.checkFree(path, overwrite);
    await this.publish(await writeTemporary(this.temporary, bytes), path, overwrite);
  }

  /** Refuses to write where a folder is, or a file without `overwrite`, before any bytes are read. */
  async checkFree(path: string, overwrite: boolean): Promise<void> {
    const found = await lstat(this.place(path)).catch(() => undefined);
    if (found?.isDirectory()) throw conflict(`'${path}' is a directory.`);
    if (found && !overwrite) throw conflict(`The file '${path}' exists already. Pass overwrite=true to replace it.`);
  }

  async publish(written: Written, path: string, overwrite: boolean): Promise<void> {
    await publish(written, this.place(path), overwrite).catch(explained(path));
  }

  /** Opens a file to read; what is read stays the same if the file is replaced meanwhile. The caller closes the handle. */
  async open(path: string): Promise<{ file: FileHandle; stats: Stats }> {
    const file = await open(this.place(path), "r").catch(explained(path));
    const stats = await file.stat();
    if (stats.isFile()) return { file, stats };
    await file.close();
    throw notFound(`'${path}' is a directory, not a file.`, "FILES_API_FILE_NOT_FOUND");
  }

  async remove(path: string): Promise<void> {
    const place = this.place(path);
    if ((await stat(place).catch(explained(path))).isDirectory()) throw invalid(`'${path}' is a directory.`);
    await rm(place).catch(explained(path));
    await syncFolder(dirname(place));
  }

  /** Creates a folder and those above it; one that is there stays as it is. */
  async makeDirectory(path: string): Promise<void> {
    await makeFolder(this.place(path)).catch(explained(path));
  }

  async checkDirectory(path: string): Promise<void> {
    const stats = await stat(this.place(path)).catch(explained(path, "FILES_API_DIRECTORY_IS_NOT_FOUND"));
    if (!stats.isDirectory()) throw notFound(`'${path}' is a file, not a directory.`, "FILES_API_DIRECTORY_IS_NOT_FOUND");
  }

  /** Deletes an empty folder. The volume itself is deleted through Unity Catalog. */
  async removeDirectory(path: string): Promise<void> {
    if (segmentsOf(path).length <= 4) throw invalid(`'${path}' is a volume: delete it with DROP VOLUME.`);
    await this.checkDirectory(path);
    const place = this.place(path);
    await rmdir(place).catch(explained(path));
    await syncFolder(dirname(place));
  }

  /** A page of what is in a folder, by name, after the entry `after`. */
  async list(path: string, size: number | undefined, after: string | undefined): Promise<{ contents: Entry[]; next?: string }> {
    await this.checkDirectory(path);
    const place = this.place(path);
    const names = (await readdir(place)).sort().filter((name) => after === undefined || name > after);
    const page = names.slice(0, Math.min(size || MAX_PAGE, MAX_PAGE));
    const contents: Entry[] = [];
    for (const name of page) {
      const stats = await stat(join(place, name)).catch(() => undefined);
      if (stats) contents.push(entry(`${path.replace(/\/$/, "")}/${name}`, name, stats));
    }
    return page.length < names.length ? { contents, next: page.at(-1) as string } : { contents };
  }
}

function entry(path: string, name: string, stats: Stats): Entry {
  if (stats.isDirectory()) return { path, name, is_directory: true };
  return { path, name, is_directory: false, file_size: stats.size, last_modified: Math.floor(stats.mtimeMs) };
}

const notFound = (message: string, reason: string) => new ApiError(404, "NOT_FOUND", message, { reason });
const conflict = (message: string) => new ApiError(409, "ALREADY_EXISTS", message, { reason: "FILES_API_ALREADY_EXISTS" });

/** Turns what the file system refuses into what the Files API answers. */
function explained(path: string, reason = "FILES_API_FILE_NOT_FOUND"): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    if (error.code === "ENOENT") throw notFound(`'${path}' does not exist.`, reason);
    if (error.code === "ENOTDIR" || error.code === "ELOOP") throw invalid(`'${path}' goes through a file that is no directory.`);
    if (error.code === "EEXIST" || error.code === "EISDIR") throw conflict(`'${path}' exists already.`);
    if (error.code === "ENOTEMPTY") {
      throw new ApiError(400, "INVALID_PARAMETER_VALUE", `The directory '${path}' is not empty.`, { reason: "FILES_API_DIRECTORY_IS_NOT_EMPTY" });
    }
    throw error;
  };
}
