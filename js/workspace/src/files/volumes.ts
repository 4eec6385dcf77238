import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { invalid, missing } from "../http/errors.js";
import { placeBelow, segmentsOf } from "./place.js";

/**
 * The files of Unity Catalog volumes: `/Volumes/<catalog>/<schema>/<volume>/…` is
 * `<data>/volumes/<catalog>/<schema>/<volume>/…`, with the three names in lower case as Unity Catalog has them. A volume
 * exists if its folder does.
 */
export class Volumes {
  /** The folder of all volumes. */
  readonly root: string;

  constructor(data: string) {
    this.root = join(data, "volumes");
    mkdirSync(this.root, { recursive: true });
  }

  /** The folder of a volume, whether it is there or not. */
  folder(catalog: string, schema: string, volume: string): string {
    const names = [catalog, schema, volume].map((name) => name.toLowerCase());
    return placeBelow(this.root, segmentsOf(`/${names.join("/")}`));
  }

  /** Creates the folder of a volume; one that is there stays as it is. */
  create(catalog: string, schema: string, volume: string): void {
    mkdirSync(this.folder(catalog, schema, volume), { recursive: true });
  }

  /** Deletes a volume with all its files. */
  drop(catalog: string, schema: string, volume: string): void {
    rmSync(this.folder(catalog, schema, volume), { recursive: true, force: true });
  }

  /** Where `/Volumes/<catalog>/<schema>/<volume>[/…]` is on disk. Throws a 400 for any other path, and a 404 if there is no such volume. */
  place(path: string): string {
    const [top, catalog, schema, volume, ...rest] = segmentsOf(path);
    if (top !== "Volumes" || catalog === undefined || schema === undefined || volume === undefined) {
      throw invalid(`'${path}' is not in a volume: paths are /Volumes/<catalog>/<schema>/<volume>/<path>.`);
    }
    const folder = this.folder(catalog, schema, volume);
    if (!existsSync(folder)) {
      throw missing(`Volume '${catalog}.${schema}.${volume}' does not exist. Create it with: CREATE VOLUME ${catalog}.${schema}.${volume}`);
    }
    return placeBelow(folder, rest);
  }
}
