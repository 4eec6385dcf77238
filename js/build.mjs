/**
 * Builds the package: Rust to WebAssembly, its glue, and the TypeScript around it; then prints what a page has to load.
 *
 *   node build.mjs          as published
 *   node build.mjs --dev    faster, larger: no wasm-opt, and a debug build of the core
 *   node build.mjs --ts     the TypeScript alone
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';

import { build } from 'rolldown';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const flags = new Set(process.argv.slice(2));
for (const flag of flags) {
  if (!['--dev', '--ts'].includes(flag)) throw new Error(`unknown option ${flag}; known are --dev and --ts`);
}

/**
 * The modules: the core with its programs, the same with the optimizers, and the platform's services. What each may weigh in gzip is what it
 * weighed, and 2 %.
 */
const MODULES = [
  { name: 'lakelet', feature: 'web', budget: 591_000 },
  { name: 'optimize', feature: 'optimize', budget: 746_500 },
  { name: 'databricks', feature: 'databricks', budget: 465_000 },
];

/** Papa Parse as an ECMAScript module: what the bundler would wrap it in would be another file, which every page would load. */
const PAPA_AS_MODULE = {
  name: 'papaparse',
  transform: {
    filter: { id: /papaparse\.js$/ },
    handler: (code) => `const module = { exports: {} }, exports = module.exports;\n${code}\nexport default module.exports;`,
  },
};

if (!flags.has('--ts')) for (const module of MODULES) buildModule(module, flags.has('--dev'));
await buildScripts();
printSizes();

function buildModule({ name, feature }, dev) {
  const profile = dev ? 'debug' : 'release';
  // A folder of its own for the others: cargo keeps one build of the crate in a folder, and the features differ.
  const folder = process.env.CARGO_TARGET_DIR ?? join(root, 'target');
  const target = feature === 'web' ? folder : join(folder, feature);
  run('cargo', ['build', '--lib', '--target', 'wasm32-unknown-unknown', '--target-dir', target, '--features', feature, ...(dev ? [] : ['--release'])], root);
  const built = join(target, 'wasm32-unknown-unknown', profile, 'lakelet.wasm');
  const out = join(here, 'wasm');
  const final = join(out, `${name}.wasm`);
  // What was made of this very file carries its time.
  const { atime, mtime } = statSync(built);
  if (statSync(final, { throwIfNoEntry: false })?.mtime.getTime() === mtime.getTime()) return;
  mkdirSync(out, { recursive: true });
  run('wasm-bindgen', [
    '--target', 'web', '--out-dir', out, '--out-name', name, '--encode-into', 'always', '--omit-default-module-path',
    '--experimental-reset-state-function', // a core that has crashed is replaced
    built,
  ]);
  const bound = join(out, `${name}_bg.wasm`);
  // Never with --all-features: it writes encodings that today's engines refuse. The module names the features that it uses.
  if (dev) renameSync(bound, final);
  else {
    const optimize = [tool('binaryen', 'bin/wasm-opt')];
    run(process.execPath, [...optimize, '-Oz', '--converge', '--debuginfo', bound, '-o', bound]);
    // What is alike has names that are alike; next to each other it compresses better. The names stay behind.
    run(process.execPath, [...optimize, '--reorder-functions-by-name', bound, '-o', final]);
    rmSync(bound);
  }
  rmSync(join(out, `${name}_bg.wasm.d.ts`));
  utimesSync(final, atime, mtime);
}

/**
 * Declarations as the sources lie, and scripts in few files: each one more would be another request of a page without a bundler,
 * and half a millisecond in Node.
 */
async function buildScripts() {
  const out = join(here, 'dist');
  rmSync(out, { recursive: true, force: true });
  run(process.execPath, [tool('typescript', 'bin/tsc'), '-p', here, '--emitDeclarationOnly']);
  const entries = ['entry/browser', 'entry/node', 'entry/slim', 'entry/workerd', 'gateway/index', 'gateway/node', 'worker/index', 'core', 'data/index', 'node/index', 'cli/index',
    'entry/optimize/browser', 'entry/optimize/node', 'entry/optimize/slim', 'entry/optimize/workerd',
    'entry/databricks/browser', 'entry/databricks/node', 'entry/databricks/slim', 'entry/databricks/workerd'];
  await build({
    input: Object.fromEntries(entries.map((name) => [name, join(here, 'src', `${name}.ts`)])),
    external: [/^node:/, /^lakelet(\/|$)/, /\.wasm$/],
    platform: 'neutral',
    resolve: { mainFields: ['main'] },
    transform: { define: { PAPA_BROWSER_CONTEXT: 'true' } }, // what Papa Parse has for streams of Node is left out
    plugins: [PAPA_AS_MODULE],
    logLevel: 'warn',
    output: { dir: out, chunkFileNames: 'shared/[name].js' },
  });
  writeAssistant();
  for (const file of ['LICENSE', 'NOTICE']) copyFileSync(join(root, file), join(here, file));
}

/** The ready-made pipeline documents, as a module: only who imports it pays for it. */
function writeAssistant() {
  const from = join(root, 'src', 'assistant');
  let code = '', types = "import type { PipelineDocument } from './pipeline.js';\n";
  for (const file of readdirSync(from).filter((name) => name.endsWith('.json')).sort()) {
    const name = file.replace('.json', '').replace(/_(.)/g, (_, letter) => letter.toUpperCase());
    const document = JSON.parse(readFileSync(join(from, file), 'utf8'));
    code += `export const ${name} = ${JSON.stringify(document)};\n`;
    types += `\n/** ${document.description} */\nexport declare const ${name}: PipelineDocument;\n`;
  }
  writeFileSync(join(here, 'dist', 'assistant.js'), code);
  writeFileSync(join(here, 'dist', 'assistant.d.ts'), types);
}

function printSizes() {
  const files = MODULES.flatMap(({ name }) => [`wasm/${name}.wasm`, `wasm/${name}.js`]);
  console.log('bytes                    raw      gzip    brotli');
  for (const name of files) {
    const bytes = readFileSync(join(here, name));
    const sizes = [bytes, gzipSync(bytes, { level: 9 }), brotliCompressSync(bytes)];
    console.log(name.padEnd(18) + sizes.map((of) => String(of.length).padStart(10)).join(''));
    const budget = MODULES.find((module) => name === `wasm/${module.name}.wasm`)?.budget;
    if (flags.size === 0 && sizes[1].length > budget) {
      throw new Error(`${name} is over its budget of ${budget} bytes in gzip: make it smaller, or raise the budget on purpose`);
    }
  }
}

function tool(pkg, script) {
  return join(dirname(createRequire(import.meta.url).resolve(`${pkg}/package.json`)), script);
}

function run(command, args, cwd = here) {
  try {
    execFileSync(command, args, { cwd, stdio: 'inherit' });
  } catch (error) {
    if (error.code === 'ENOENT') throw new Error(`${command} was not found: run \`make setup\` in the root of the repository`);
    process.exit(error.status ?? 1);
  }
}
