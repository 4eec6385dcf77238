// What the runs of the recorded cases inside WebAssembly share: the module, the case files, and the report.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Builds the suite with the web door, and gives the folder with `conformance.js` and `conformance_bg.wasm`. */
export function buildSuite() {
  const out = join(root, 'build', 'conformance');
  const build = ['build', '--quiet', '--release', '--example', 'conformance-web', '--target', 'wasm32-unknown-unknown', '--features', 'web'];
  execFileSync('cargo', build, { cwd: root, stdio: 'inherit' });
  const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target');
  const built = join(target, 'wasm32-unknown-unknown', 'release', 'examples', 'conformance_web.wasm');
  execFileSync('wasm-bindgen', ['--target', 'web', '--out-dir', out, '--out-name', 'conformance', built], { stdio: 'inherit' });
  return out;
}

/** The texts of the case files of a folder, in the order of their names. */
export function caseFiles(folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json')).sort();
  const files = names.map((name) => readFileSync(join(folder, name), 'utf8'));
  return files.filter((text) => Array.isArray(JSON.parse(text).cases));
}

/** Runs a folder as the command line says, and reports as the native runner does. `run` is given the texts of the files. */
export async function main(run) {
  const folder = process.argv[2];
  if (!folder) {
    console.error(`usage: node ${process.argv[1]} DIR`);
    process.exit(2);
  }
  const results = (await run(caseFiles(folder))).flatMap((text) => JSON.parse(text));
  const failed = results.filter(([, , problem]) => problem !== null);
  for (const [id, op, problem] of failed) console.log(`${id} ${op}: ${problem}`);
  console.log(`${results.length - failed.length} passed, ${failed.length} failed`);
  if (failed.length > 0) process.exitCode = 1;
}
