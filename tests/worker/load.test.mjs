// A hundred questions at once while one call in ten fails: every one is answered, and with its own answer. benches/edge.mjs measures the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FAULTS } from '../../benches/edge/endpoint.mjs';
import { openWorker, startEndpoint, startWorker } from '../../benches/edge/hosts.mjs';
import { load } from '../../benches/edge/measure.mjs';

test('every question is answered while one call in ten fails', { timeout: 120_000 }, async (t) => {
  const worker = await openWorker();
  t.after(worker.close);
  const endpoint = await startEndpoint();
  t.after(endpoint.close);
  const host = await startWorker(worker, endpoint.url);
  t.after(host.close);
  const script = { modelMs: 20, searchMs: 5, faults: FAULTS, rate: 0.1 };
  const { questions, answered, faults, failures } = await load(host, endpoint, { script, readers: 100, rounds: 1, idealMs: 65 });
  assert.deepEqual([questions, answered, failures], [100, 100, []]);
  assert.ok(faults > 20, `only ${faults} calls failed`);
});
