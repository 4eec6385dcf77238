// The optimizers in workerd.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';

import { startModel } from '../support/model.mjs';
import { FOUND } from '../support/search.js';
import { bundle } from './isolate.mjs';
import { startStores } from './stores.mjs';

const MODULES = { optimizing: ['lakelet.wasm', 'optimize.wasm'], 'optimizing-slim': ['optimize.wasm'] };

for (const [folder, modules] of Object.entries(MODULES)) {
  test(`a Worker optimizes a program with ${modules.join(' and ')}`, async (t) => {
    const [worker, model, stores] = await Promise.all([bundle(folder), startModel(), startStores()]);
    t.after(() => (model.close(), stores.close(), worker.remove()));
    const bundled = (await readdir(worker.folder)).filter((file) => file.endsWith('.wasm')).map((file) => file.replace(/^\w+-/, ''));
    assert.deepEqual(bundled.sort(), modules);
    const isolate = await worker.start({ databricks: model, stores, secrets: { DATABRICKS_TOKEN: 'dapi-the-secret' } });
    t.after(isolate.close);
    const response = await fetch(isolate.url);
    assert.equal(response.status, 200, isolate.log.join('\n'));
    assert.deepEqual(await response.json(), FOUND);
    assert.ok(model.asked.length > 0);
  });
}
