import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { answerExactMatch, evaluate, init, Module, predict } from 'lakelet';

import { reply } from './support.js';

/** The core's memory. */
async function coreMemory(): Promise<WebAssembly.Memory> {
  await init();
  const inside = (await import(new URL('../../dist/core.js', import.meta.url).href)) as { memory(): WebAssembly.Memory };
  return inside.memory();
}

test('what a streamed call leaves in the core goes with its outputs', async () => {
  const memory = await coreMemory();
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
    return memory.buffer.byteLength;
  };
  const before = await round();
  for (let rounds = 0; rounds < 4; rounds++) await round();
  const grown = (await round()) - before;
  assert.ok(grown < 2 ** 21, `five rounds of 20 calls with 100 kB each have left ${grown} bytes`);
});

test('20,000 examples are evaluated in the memory of 1,000, when no results are kept', async () => {
  const memory = await coreMemory();
  class Asking extends Module<{ question: string }, { answer: string }> {
    qa = predict('question -> answer');
    forward({ question }: { question: string }) {
      return this.qa.run({ question });
    }
  }
  const program = new Asking();
  function* examples(count: number) {
    for (let i = 0; i < count; i++) yield { question: `${i} ${'x'.repeat(1000)}`, answer: 'yes' };
  }
  let asked = 0;
  const lm = () => {
    if (++asked % 50 === 0) throw new Error('busy');
    return reply({ answer: asked % 3 ? 'yes' : 'no' });
  };
  const after = async (devset: Iterable<{ question: string; answer: string }>) => {
    let rows = 0;
    const { failed } = await evaluate(program, {
      devset, inputs: ['question'], metric: answerExactMatch, lm, cache: false, maxErrors: 1000, keepResults: false, onRow: () => void rows++,
    });
    assert.deepEqual([rows, failed], [asked, Math.floor(asked / 50)]);
    asked = 0;
    return memory.buffer.byteLength;
  };
  const few = await after(examples(1000));
  assert.equal(await after(examples(20_000)), few);
  const some = await after([...examples(500)]);
  assert.equal(await after([...examples(2000)]), some);
});
