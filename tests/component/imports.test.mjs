// What the component asks of its host: nothing that is not needed.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { componentWit } from '@bytecodealliance/jco-transpile/wasm-tools';
import { COMPONENT } from './component.mjs';

const wit = await componentWit(await readFile(COMPONENT));
const [world] = /world root \{[^}]*\}/.exec(wit);
const named = (keyword) => [...world.matchAll(new RegExp(`${keyword} (\\S+);`, 'g'))].map(([, name]) => name).sort();

test('it imports HTTP, clocks, chance and the environment, and what their types need', () => {
  assert.deepEqual(named('import'), [
    'wasi:cli/environment@0.2.0',
    'wasi:clocks/monotonic-clock@0.2.0',
    'wasi:clocks/wall-clock@0.2.0',
    'wasi:http/outgoing-handler@0.2.0',
    'wasi:http/types@0.2.0',
    'wasi:io/error@0.2.0',
    'wasi:io/poll@0.2.0',
    'wasi:io/streams@0.2.0',
    'wasi:random/random@0.2.0',
  ]);
});

test('it exports the interfaces of the package', () => {
  const own = ['adapters', 'databricks', 'events', 'metrics', 'programs', 'signatures', 'types'];
  assert.deepEqual(named('export'), own.map((name) => `lakelet:programs/${name}@0.1.0`));
});
