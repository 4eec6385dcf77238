// A small Worker in workerd: what it keeps in the Cache API, and how it goes on when the core has crashed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startDatabricks } from './databricks.mjs';
import { bundle } from './isolate.mjs';
import { startStores } from './stores.mjs';
import { until } from './waiting.mjs';

let fixture, databricks, stores, isolate;

before(async () => {
  [fixture, databricks, stores] = await Promise.all([bundle('fixture'), startDatabricks(), startStores()]);
  isolate = await fixture.start({ databricks, stores, secrets: { DATABRICKS_TOKEN: 'dapi-the-secret' } });
});

after(async () => {
  await isolate?.close();
  await fixture?.remove();
  databricks?.close();
  stores?.close();
});

async function ask(question) {
  const response = await fetch(`${isolate.url}/api/programs/qa`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'cf-connecting-ip': question },
    body: JSON.stringify({ inputs: { question } }),
  });
  const { prediction, error_code } = await response.json();
  return prediction?.answer ?? error_code;
}

test('answers are kept in the Cache API', async () => {
  await ask('one');
  await until(() => stores.cached.size === 1);
  assert.deepEqual([await ask('one'), await ask('two')], Array(2).fill('Parents get 26 weeks of paid leave.'));
  assert.equal(databricks.received.length, 2);
  await until(() => stores.cached.size === 2);
  for (const [address, text] of stores.cached) {
    assert.match(address, /\/[0-9a-f]{64}$/);
    assert.match(text.toString(), /cache-control: max-age=86400/i);
  }
});

test('a crash of the core ends what is under way, and nothing that comes after', async () => {
  let goOn;
  databricks.model = () => new Promise((resolve) => (goOn = resolve));
  const underWay = ask('three');
  await until(() => databricks.received.length === 3);
  databricks.model = () => {};
  assert.equal(await ask('crash'), 'INTERNAL_ERROR');
  assert.equal(await underWay, 'INTERNAL_ERROR');
  assert.equal(await ask('four'), 'Parents get 26 weeks of paid leave.');
  goOn(); // what the crashed core had asked for is answered now
  assert.equal(await ask('crash later'), 'INTERNAL_ERROR');
  assert.equal(await ask('three'), 'Parents get 26 weeks of paid leave.');
  assert.equal(isolate.log.filter((line) => line.includes('"code":"crashed"')).length, 3);
  assert.ok(!isolate.log.some((line) => line.includes('dapi-the-secret')));
});
