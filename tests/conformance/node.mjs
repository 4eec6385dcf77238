// Runs recorded cases through WebAssembly in Node: node tests/conformance/node.mjs DIR
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { buildSuite, main } from './harness.mjs';

await main(async (files) => {
  const built = buildSuite();
  const { initSync, run_case_file } = await import(pathToFileURL(join(built, 'conformance.js')).href);
  initSync({ module: readFileSync(join(built, 'conformance_bg.wasm')) });
  return files.map((text) => run_case_file(text));
});
