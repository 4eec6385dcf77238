// Python with the package `wasmtime`, where `.ci/setup test` has put it.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { COMPONENT } from './component.mjs';

const python = `${process.env.LAKELET_CACHE || `${homedir()}/.cache/lakelet`}/peers/bin/python`;

/** Why tests with Python are skipped, if they are. */
export const skip = !existsSync(python) && `there is no ${python}: run .ci/setup test`;

/** Runs a script of this folder; gives what it prints. */
export async function runPython(script, environment) {
  const run = promisify(execFile);
  try {
    const { stdout } = await run(python, [fileURLToPath(new URL(script, import.meta.url))], { env: { PYTHONDONTWRITEBYTECODE: '1', ...environment, COMPONENT }, timeout: 120_000 });
    return stdout;
  } catch (error) {
    throw new Error(error.stderr || error.message);
  }
}
