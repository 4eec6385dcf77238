// What a page loads for "a signature to a Databricks call": the bundled JavaScript of benches/app.mjs, and the wasm beside it.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'vite';

const entry = fileURLToPath(new URL('app.mjs', import.meta.url));
const { output } = await build({
  configFile: false,
  logLevel: 'silent',
  build: { write: false, target: 'es2022', assetsInlineLimit: 0, modulePreload: false, rollupOptions: { input: entry, preserveEntrySignatures: 'strict' } },
});
const wasm = await readFile(new URL('../js/wasm/lakelet.wasm', import.meta.url));
const script = Buffer.concat(output.filter((file) => file.type === 'chunk').map((file) => Buffer.from(file.code)));
const sizes = (bytes) => ({ raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotliCompressSync(bytes).length });
console.log(JSON.stringify({ wasm: sizes(wasm), script: sizes(script) }));
