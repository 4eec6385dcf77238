// Builds the suite for the runtimes of WebAssembly, into build/runtimes.
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { transpileBytes } from '@bytecodealliance/jco-transpile';
import { componentNew } from '@bytecodealliance/jco-transpile/wasm-tools';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const out = `${root}build/runtimes`;

const target = process.env.CARGO_TARGET_DIR ?? `${root}target`;

/** The path of the module that cargo builds of an example. */
function build(example, folder, ...features) {
  const args = ['build', '--quiet', '--release', '--target', 'wasm32-unknown-unknown', '--target-dir', folder, '--example', example, ...features];
  execFileSync('cargo', args, { cwd: root, stdio: 'inherit' });
  return `${folder}/wasm32-unknown-unknown/release/examples/${example.replace('-', '_')}.wasm`;
}

/** `web/suite.js` with `web/suite_bg.wasm`: the suite with the web door. */
export function buildWeb() {
  const built = build('suite-web', target, '--features', 'web');
  execFileSync('wasm-bindgen', ['--target', 'web', '--out-dir', `${out}/web`, '--out-name', 'suite', built], { stdio: 'inherit' });
}

/** `component/suite.wasm`, a component, and `component/suite.js`, which lets JavaScript call it. */
export async function buildComponent() {
  // A folder of its own: cargo keeps one build of the crate in each, and the features differ.
  const built = build('suite-component', `${target}/runtimes`);
  const component = await componentNew(await readFile(built));
  const { files } = await transpileBytes(component, { name: 'suite', map: { leave: '../../../tests/runtimes/guests/leave.mjs' } });
  await mkdir(`${out}/component`, { recursive: true });
  const all = Object.entries({ ...files, 'suite.wasm': component });
  await Promise.all(all.map(([name, bytes]) => writeFile(`${out}/component/${name}`, bytes)));
}
