import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { init, predict } from 'lakelet';

import { reply } from './support.js';

interface Inside {
  memory(): WebAssembly.Memory;
}

test('what a streamed call leaves in the core goes with its outputs', async () => {
  await init();
  const { memory } = (await import(new URL('../../dist/core.js', import.meta.url).href)) as Inside;
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const qa = predict('question -> answer');
  const question = 'x'.repeat(100_000);
  const lm = () => reply({ answer: 'yes' });
  const round = async () => {
    for (let call = 0; call < 20; call++) await qa.stream({ question }, { lm }).result;
    // What is found to be garbage is freed in a task of its own.
    for (let times = 0; times < 2; times++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return memory().buffer.byteLength;
  };
  const before = await round();
  for (let rounds = 0; rounds < 4; rounds++) await round();
  const grown = (await round()) - before;
  assert.ok(grown < 2 ** 21, `five rounds of 20 calls with 100 kB each have left ${grown} bytes`);
});
