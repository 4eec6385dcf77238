import assert from 'node:assert/strict';
import { test } from 'node:test';

import { init } from 'lakelet';

test('init can be called many times, and loads once', async () => {
  await Promise.all([init(), init()]);
  await init();
});
