// The component as JavaScript, by which Node calls it: in dist/, made again when the component has changed.
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transpileBytes } from '@bytecodealliance/jco-transpile';

/** What `make component` built. */
export const COMPONENT = fileURLToPath(new URL('../../build/component/lakelet.component.wasm', import.meta.url));

const dist = new URL('dist/', import.meta.url);
const timeOf = async (path) => (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;

/** Its exports. */
export async function load() {
  const entry = new URL('lakelet.js', dist);
  if ((await timeOf(entry)) < (await timeOf(COMPONENT))) {
    const { files } = await transpileBytes(await readFile(COMPONENT), { name: 'lakelet' });
    for (const [name, bytes] of Object.entries(files)) {
      const path = fileURLToPath(new URL(name, dist));
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
    }
  }
  return import(entry);
}
