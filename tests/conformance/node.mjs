// Runs a folder of recorded cases through WebAssembly in Node, and reports as the native runner: node tests/conformance/node.mjs DIR
import { readFileSync } from 'node:fs';

import { buildWeb, root } from '../runtimes/build.mjs';
import { caseFiles } from '../runtimes/suite.mjs';

const folder = process.argv[2];
if (!folder) {
  console.error('usage: node tests/conformance/node.mjs DIR');
  process.exit(2);
}
buildWeb();
const { cases, initSync } = await import('../../build/runtimes/web/suite.js');
initSync({ module: readFileSync(`${root}build/runtimes/web/suite_bg.wasm`) });
const results = caseFiles(folder).flatMap((text) => JSON.parse(cases(text)));
const failed = results.filter(([, , problem]) => problem !== null);
for (const [id, operation, problem] of failed) console.log(`${id} ${operation}: ${problem}`);
console.log(`${results.length - failed.length} passed, ${failed.length} failed`);
if (failed.length > 0) process.exitCode = 1;
