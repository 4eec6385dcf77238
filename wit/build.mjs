/**
 * Builds the components, each of a world of this folder: the core with that door as a core module, and the component of WASI 0.2 around it.
 *
 *   node wit/build.mjs            build/component/lakelet.component.wasm, of the world `library`
 *   node wit/build.mjs server     build/component/lakelet-server.component.wasm, of the world `server`
 *
 * What is up to date is left as it is.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { componentNew } from '@bytecodealliance/jco-transpile/wasm-tools';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, 'build', 'component');
const [name, feature] = process.argv[2] === 'server' ? ['lakelet-server', 'server'] : ['lakelet', 'component'];
const final = join(out, `${name}.component.wasm`);

const run = (command, ...args) => execFileSync(command, args, { cwd: root, stdio: 'inherit' });

// A folder of its own for each: cargo keeps one build of the crate in a folder, and the features differ.
const target = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), feature);
run('cargo', 'build', '--quiet', '--release', '--lib', '--target', 'wasm32-unknown-unknown', '--target-dir', target, '--features', feature);
const built = join(target, 'wasm32-unknown-unknown', 'release', 'lakelet.wasm');
// What was made of this very file carries its time.
const { atime, mtime } = statSync(built);
if (statSync(final, { throwIfNoEntry: false })?.mtime.getTime() !== mtime.getTime()) {
  mkdirSync(out, { recursive: true });
  // No --all-features: it writes compact imports, which runtimes refuse.
  const core = join(out, `${name}.core.wasm`);
  run('npx', 'wasm-opt', '-Oz', '--converge', built, '-o', core);
  writeFileSync(final, await componentNew(readFileSync(core)));
  rmSync(core);
  utimesSync(final, atime, mtime);
}
const component = readFileSync(final);
console.log(`${name}: ${component.length} bytes, ${gzipSync(component, { level: 9 }).length} in gzip, in build/component`);
