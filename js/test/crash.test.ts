import assert from 'node:assert/strict';
import { test } from 'node:test';

import { init, LakeletError, predict, signature } from 'lakelet';

import { reply } from './support.js';

interface Inside {
  calling<T>(call: (core: { buffer(length: number): number }) => T): T;
}

const inside = async () => (await import(new URL('../../dist/core.js', import.meta.url).href)) as Inside;

test('after a panic nothing waits, and every call says why', async () => {
  await init();
  const { calling } = await inside();
  const crashed = (error: unknown) => {
    assert.ok(error instanceof LakeletError);
    assert.equal(error.code, 'crashed');
    assert.match(error.message, /has stopped working: .*capacity overflow/s);
    return true;
  };
  const waiting = predict('question -> answer').run({ question: '?' }, { lm: () => new Promise<string>(() => {}) });
  await new Promise((resolve) => setTimeout(resolve, 10));

  assert.throws(() => calling((core) => core.buffer(-1)), crashed);
  assert.throws(() => signature('question -> answer'), crashed);
  await assert.rejects(waiting, crashed);
});

test('the next call starts anew, with what was made before', async () => {
  await init();
  const { calling } = await inside();
  const lm = () => reply({ answer: 'yes' });
  const asked = { question: '?' };
  const cache = new Map<string, string>();
  const [plain, changed, made] = [predict('question -> answer'), predict('question -> answer'), signature('question -> answer')];
  await plain.run(asked, { lm, cache });
  changed.instructions = 'Answer.';

  assert.throws(() => calling((core) => core.buffer(-1)), { code: 'crashed' });
  assert.deepEqual(await plain.run(asked, { lm, cache }), { answer: 'yes' });
  // What only the core knew is lost, and says so.
  await assert.rejects(changed.run(asked, { lm }), { code: 'crashed', message: /was made before/ });
  assert.throws(() => made.fields, { code: 'crashed', message: /was made before/ });
});

test('what ends after the crash disturbs nobody', async () => {
  await init();
  const { calling } = await inside();
  let end = (_: string): void => {};
  const late = predict('question -> answer').run({ question: '?' }, { lm: () => new Promise<string>((resolve) => (end = resolve)), timeout: 50 });
  const soon = predict('question -> answer').run({ question: '?' }, { lm: () => new Promise<string>(() => {}) });
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.throws(() => calling((core) => core.buffer(-1)), { code: 'crashed' });
  await Promise.all([late, soon].map((call) => assert.rejects(call, { code: 'crashed' })));
  await init();
  end(reply({ answer: 'late' }));
  await new Promise((resolve) => setTimeout(resolve, 60)); // the timer of the first call runs out
  assert.deepEqual(await predict('question -> answer').run({ question: '?' }, { lm: () => reply({ answer: 'yes' }) }), { answer: 'yes' });
});
