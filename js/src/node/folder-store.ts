/** A store on the disk. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * A folder that keeps texts, each in a file of its own: for `checkpoint` and `cache` of a call. A file is written aside and moved into place, so
 * that there is all of it or nothing, whenever the process ends and whoever else uses the folder. Only its owner can read what is in it.
 *
 * ```ts
 * const { program } = await optimizer.compile(qa, { trainset, checkpoint: { store: new FolderStore('checkpoints'), job: 'qa' } });
 * ```
 */
export class FolderStore {
  readonly folder: string;

  /** @param folder it is made when the first text is kept. */
  constructor(folder: string) {
    this.folder = folder;
  }

  /** The text that is kept under a key; `undefined` when there is none. */
  async get(key: string): Promise<string | undefined> {
    try {
      return await readFile(this.#path(key), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Keeps a text. */
  async set(key: string, text: string): Promise<void> {
    const path = this.#path(key);
    const aside = `${path}.${randomBytes(6).toString('hex')}`;
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFile(aside, text, { mode: 0o600, flag: 'wx' });
      await rename(aside, path);
    } catch (error) {
      await rm(aside, { force: true });
      throw error;
    }
  }

  /** Keys may be of any length and hold what no name of a file can. */
  #path(key: string): string {
    const name = createHash('sha256').update(key).digest('hex');
    return join(this.folder, name.slice(0, 2), name.slice(2));
  }
}
