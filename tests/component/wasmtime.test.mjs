// The component in Wasmtime, from Python.
import { test } from 'node:test';
import { runPython, skip } from './python.mjs';
import { startEndpoint } from './workspace.mjs';

test('the component in Wasmtime', { skip }, async () => {
  const endpoint = await startEndpoint();
  try {
    await runPython('wasmtime_test.py', { ENDPOINT: endpoint.host });
  } finally {
    endpoint.stop();
  }
});
