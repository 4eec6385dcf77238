import { createHash, randomUUID } from "node:crypto";
import { link, mkdir, open, rename, rm, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A file that is written and on disk, but has no name that anybody knows yet. */
export interface Written {
  path: string;
  size: number;
  /** MD5 of the content in hex, as storage services give it as ETag. */
  md5: string;
}

/** Writes a new file in `folder` and waits until it is on disk. Nothing is left if that fails. */
export async function writeTemporary(folder: string, bytes: AsyncIterable<Uint8Array>): Promise<Written> {
  const path = join(folder, `${randomUUID()}.tmp`);
  const file = await open(path, "wx");
  const md5 = createHash("md5");
  let size = 0;
  try {
    for await (const chunk of bytes) {
      await file.writeFile(chunk);
      md5.update(chunk);
      size += chunk.length;
    }
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  return { path, size, md5: md5.digest("hex") };
}

/**
 * Gives a written file its place, whole or not at all, and waits until that is on disk too. Without `overwrite` it fails
 * with EEXIST where something is. The written file is gone afterwards in either case.
 */
export async function publish(written: Written, place: string, overwrite: boolean): Promise<void> {
  try {
    await makeFolder(dirname(place));
    if (overwrite) await rename(written.path, place);
    else await link(written.path, place);
    await syncFolder(dirname(place));
  } finally {
    await unlink(written.path).catch(() => {}); // Renamed files are not there any more.
  }
}

/** Creates a folder and those above it, and waits until they are on disk. */
export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

/** Waits until what a folder contains is on disk. Windows has no such call for folders. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
