// Builds the component: the core with its WIT door as a core module, then the component of WASI 0.2 around it, then the
// JavaScript that lets Node call it. Everything lands in build/component.
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transpileBytes } from '@bytecodealliance/jco-transpile';
import { componentNew } from '@bytecodealliance/jco-transpile/wasm-tools';

const root = fileURLToPath(new URL('../..', import.meta.url));
const out = `${root}/build/component`;
const target = process.env.CARGO_TARGET_DIR ?? `${root}/target`;

execFileSync('cargo', ['build', '--quiet', '--release', '--lib', '--target', 'wasm32-unknown-unknown', '--features', 'component'], { cwd: root, stdio: 'inherit' });
const built = `${target}/wasm32-unknown-unknown/release/lakelet.wasm`;
await mkdir(out, { recursive: true });
// No --all-features: it writes compact imports, which runtimes refuse.
execFileSync('npx', ['wasm-opt', '-Oz', built, '-o', `${out}/core.wasm`], { cwd: root, stdio: 'inherit' });
const core = await readFile(`${out}/core.wasm`);
const component = await componentNew(core);
const { files, imports } = await transpileBytes(component, { name: 'lakelet' });
if (imports.length > 0) throw new Error(`the library world needs nothing from its host, but the component imports ${imports.join(', ')}`);
await writeFile(`${out}/lakelet.component.wasm`, component);
for (const [name, bytes] of Object.entries(files)) {
  const path = `${out}/${name}`;
  await mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true });
  await writeFile(path, bytes);
}
console.log(`component: ${(component.length / 1024).toFixed(0)} KiB in build/component`);
