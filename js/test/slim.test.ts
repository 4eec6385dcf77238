import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { init, LakeletError } from 'lakelet/slim';

test('slim says that it brings no module, and takes one', async () => {
  await assert.rejects(init(), (error: unknown) => {
    assert.ok(error instanceof LakeletError);
    assert.equal(error.code, 'config');
    assert.match(error.hint ?? '', /init\(fetch\(url\)\)/);
    return true;
  });
  await init(readFile(fileURLToPath(import.meta.resolve('lakelet/lakelet.wasm'))));
});
