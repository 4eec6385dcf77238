// The component in Wasmtime, from Python.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { COMPONENT } from './transpile.mjs';
import { startEndpoint } from './workspace.mjs';

const python = `${process.env.LAKELET_CACHE || `${homedir()}/.cache/lakelet`}/peers/bin/python`;
const skip = !existsSync(python) && `there is no ${python}: run .ci/setup test`;

test('the component in Wasmtime', { skip, timeout: 120_000 }, async () => {
  const endpoint = await startEndpoint();
  try {
    await promisify(execFile)(python, [fileURLToPath(new URL('wasmtime_test.py', import.meta.url))], { env: { ENDPOINT: endpoint.host, COMPONENT } });
  } catch (error) {
    throw new Error(error.stderr || error.message);
  } finally {
    endpoint.stop();
  }
});
