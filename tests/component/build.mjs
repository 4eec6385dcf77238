// Builds the component: the core with its WIT door as a core module, then the component of WASI 0.2 around it, then the
// JavaScript that lets Node call it. Everything lands in build/component.
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { componentNew, transpile } from '@bytecodealliance/jco';

const root = fileURLToPath(new URL('../..', import.meta.url));
const out = `${root}/build/component`;
const target = process.env.CARGO_TARGET_DIR ?? `${root}/target`;

execFileSync('cargo', ['build', '--quiet', '--release', '--lib', '--target', 'wasm32-unknown-unknown', '--features', 'component'], { cwd: root, stdio: 'inherit' });
const core = await readFile(`${target}/wasm32-unknown-unknown/release/lakelet.wasm`);
const component = await componentNew(core);
const { files } = await transpile(component, { name: 'lakelet' });
await mkdir(out, { recursive: true });
await writeFile(`${out}/lakelet.component.wasm`, component);
for (const [name, bytes] of Object.entries(files)) {
  const path = `${out}/${name}`;
  await mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true });
  await writeFile(path, bytes);
}
console.log(`component: ${(component.length / 1024).toFixed(0)} KiB in build/component`);
