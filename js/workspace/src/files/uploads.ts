import { randomUUID } from "node:crypto";
import { createReadStream, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { invalid, missing } from "../http/errors.js";
import { writeTemporary } from "./disk.js";
import type { Files } from "./files.js";

/** Milliseconds after which an upload that was never completed is forgotten, at the next start. */
const FORGOTTEN = 7 * 24 * 3600_000;
const MAX_PARTS = 10_000;

export interface Part {
  part_number: number;
  etag: string;
}

/**
 * Uploads in parts. Each is a folder of its own until it is completed, so that one that a restart interrupted goes on, and
 * readers never see it.
 */
export class Uploads {
  readonly #files: Files;

  constructor(files: Files) {
    this.#files = files;
    for (const name of readdirSync(files.temporary)) {
      const folder = join(files.temporary, name);
      if (Date.now() - statSync(folder).mtimeMs > FORGOTTEN) rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Begins an upload and returns the token of its session. */
  async begin(path: string, overwrite: boolean): Promise<string> {
    await this.#files.checkFree(path, overwrite);
    const session = randomUUID();
    await mkdir(join(this.#files.temporary, session));
    writeFileSync(join(this.#files.temporary, session, "upload.json"), JSON.stringify({ path, overwrite }));
    return session;
  }

  /** Stores one part, in the place of an earlier try; returns its ETag. */
  async writePart(path: string, session: string, part: number, bytes: AsyncIterable<Uint8Array>): Promise<string> {
    const { folder } = this.open(path, session);
    const written = await writeTemporary(folder, bytes);
    for (const earlier of partFiles(folder, part)) await rm(join(folder, earlier));
    await rename(written.path, join(folder, `${part}-${written.md5}`));
    return `"${written.md5}"`;
  }

  /** Joins the parts to the file. They stay if that fails, so that it can be tried again. */
  async complete(path: string, session: string, parts: Part[]): Promise<void> {
    const { folder, overwrite } = this.open(path, session);
    if (parts.length === 0) throw invalid("'parts' must name at least one part.");
    const places = parts.map(({ part_number, etag }) => join(folder, `${part_number}-${etag.replaceAll('"', "")}`));
    const lost = places.findIndex((place) => !existsSync(place));
    if (lost >= 0) throw invalid(`Part ${parts[lost]?.part_number} of the upload of '${path}' was not received with that ETag.`);
    await this.#files.publish(await writeTemporary(this.#files.temporary, joined(places)), path, overwrite);
    await rm(folder, { recursive: true });
  }

  async abort(path: string, session: string): Promise<void> {
    await rm(this.open(path, session).folder, { recursive: true });
  }

  /** The folder of a session. Throws a 404 if there is none of that token for that path. */
  open(path: string, session: string): { folder: string; overwrite: boolean } {
    const folder = join(this.#files.temporary, session);
    if (/^[0-9a-f-]{36}$/.test(session) && existsSync(folder)) {
      const upload = JSON.parse(readFileSync(join(folder, "upload.json"), "utf8")) as { path: string; overwrite: boolean };
      if (upload.path === path) return { folder, overwrite: upload.overwrite };
    }
    throw missing(`There is no upload of '${path}' with this session token: it was completed, aborted, or never begun.`);
  }
}

/** Reads the number of a part. */
export function partNumber(value: number): number {
  if (value < 1 || value > MAX_PARTS) throw invalid(`A part number is from 1 to ${MAX_PARTS}, not ${value}.`);
  return value;
}

const partFiles = (folder: string, part: number) => readdirSync(folder).filter((name) => name.startsWith(`${part}-`));

async function* joined(places: string[]): AsyncGenerator<Uint8Array> {
  for (const place of places) yield* createReadStream(place) as AsyncIterable<Uint8Array>;
}
