// The recorded cases inside WebAssembly, in Node and in Chromium, do what the ledger says: node --test tests/conformance/
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const ledger = readFileSync(`${here}expected-failures.txt`, 'utf8').split('\n').filter((line) => line && !line.startsWith('#'));
const listed = new Set(ledger.map((line) => line.split(' ', 1)[0]));

for (const host of ['node', 'browser']) {
  test(`the same cases fail in ${host} as natively`, () => {
    const { stdout, stderr } = spawnSync(process.execPath, [`${here}${host}.mjs`, `${here}cases`], { encoding: 'utf8', maxBuffer: 1e8 });
    const lines = stdout.trimEnd().split('\n');
    assert.match(lines.pop() ?? '', /^\d+ passed, \d+ failed$/, stderr);
    const surprises = lines.filter((line) => {
      const [, id, op, problem] = /^(\S+) (\S+): (.*)$/.exec(line) ?? [];
      return !listed.has(id) && !(listed.has(`op:${op}`) && problem.startsWith('not built'));
    });
    assert.deepEqual(surprises, []);
    for (const id of listed) assert.ok(id.startsWith('op:') || lines.some((line) => line.startsWith(`${id} `)), `${id} is listed, and passes`);
  });
}
