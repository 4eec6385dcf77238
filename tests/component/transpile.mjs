// Makes dist/, the component as JavaScript by which Node calls it. What is up to date is left as it is.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transpileBytes } from '@bytecodealliance/jco-transpile';
import { COMPONENT } from './component.mjs';

const dist = fileURLToPath(new URL('dist', import.meta.url));
const entry = statSync(join(dist, 'lakelet.js'), { throwIfNoEntry: false });
if (!entry || entry.mtimeMs < statSync(COMPONENT).mtimeMs) {
  rmSync(dist, { recursive: true, force: true });
  const { files } = await transpileBytes(readFileSync(COMPONENT), { name: 'lakelet' });
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(dist, name)), { recursive: true });
    writeFileSync(join(dist, name), bytes);
  }
}
