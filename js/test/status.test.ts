import assert from 'node:assert/strict';
import { test } from 'node:test';

import { withStatus, type ProgramEvent, type StatusMessages } from 'lakelet';

const tool = (step: string): ProgramEvent => ({ type: 'started', id: 0, parent: null, step, kind: 'tool', atMs: 0 });

async function* events(): AsyncGenerator<ProgramEvent> {
  yield { ...tool('plan'), kind: 'predict' } as ProgramEvent;
  yield tool('search');
  yield tool('finish');
}

async function messages(words?: StatusMessages): Promise<string[]> {
  const found: string[] = [];
  for await (const event of withStatus(events(), words)) if (event.type === 'status') found.push(event.message);
  return found;
}

test('tools have DSPy\'s words, and what is given replaces them', async () => {
  assert.deepEqual(await messages(), ['Calling tool search...']);
  assert.deepEqual(await messages({ moduleStart: (step) => `Now: ${step}`, toolStart: () => undefined }), ['Now: plan']);
});
