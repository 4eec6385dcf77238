import assert from 'node:assert/strict';
import { test } from 'node:test';

import { init, LakeletError, predict } from 'lakelet';

interface Inside {
  calling<T>(call: (core: { buffer(length: number): number }) => T): T;
}

test('after a panic nothing waits, and every call says why', async () => {
  await init();
  const { calling } = (await import(new URL('../../dist/core.js', import.meta.url).href)) as Inside;
  const crashed = (error: unknown) => {
    assert.ok(error instanceof LakeletError);
    assert.equal(error.code, 'crashed');
    assert.match(error.message, /has stopped working: .*capacity overflow/s);
    return true;
  };
  const waiting = predict('question -> answer').run({ question: '?' }, { lm: () => new Promise<string>(() => {}) });
  await new Promise((resolve) => setTimeout(resolve, 10));

  assert.throws(() => calling((core) => core.buffer(-1)), crashed);
  await assert.rejects(waiting, crashed);
  await assert.rejects(predict('question -> answer').run({ question: '?' }), crashed);
});
