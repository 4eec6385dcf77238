// The optimizers in workerd.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startModel } from '../support/model.mjs';
import { FOUND } from '../support/search.js';
import { bundle } from './isolate.mjs';
import { startStores } from './stores.mjs';

test('a Worker optimizes a program', async (t) => {
  const [worker, model, stores] = await Promise.all([bundle('optimizing'), startModel(), startStores()]);
  t.after(() => (model.close(), stores.close(), worker.remove()));
  const isolate = await worker.start({ databricks: model, stores, secrets: { DATABRICKS_TOKEN: 'dapi-the-secret' } });
  t.after(isolate.close);
  const response = await fetch(isolate.url);
  assert.equal(response.status, 200, isolate.log.join('\n'));
  assert.deepEqual(await response.json(), FOUND);
  assert.ok(model.asked.length > 0);
});
