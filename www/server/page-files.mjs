// The files of the page's build.
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

/**
 * Reads the build.
 *
 * @param {string} folder
 * @returns {Promise<Map<string, Uint8Array>>} the files by the path that they are asked for
 */
export async function readPage(folder) {
  const files = new Map();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(`/${relative(folder, path).split(sep).join('/')}`, await readFile(path));
  }
  if (!files.has('/index.html')) throw new Error(`There is no page in ${folder}. Build it: npm run build --workspace lakelet-www`);
  return files;
}
