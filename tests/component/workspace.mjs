// The scripted workspace of `endpoint.mjs`, and programs on it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { programs, signatures } from './dist/lakelet.js';

/** What runs get unless a test says otherwise: no cache. */
export const FRESH = { cache: false };

/** Starts the scripted workspace. */
export async function startEndpoint() {
  const server = spawn(process.execPath, [fileURLToPath(new URL('endpoint.mjs', import.meta.url))], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = await once(server.stdout, 'data');
  const host = `http://127.0.0.1:${String(port).trim()}`;
  return {
    host,
    /** A workspace whose one model is the endpoint of that name. */
    model(endpoint, { tries = 2, credential = { tag: 'token', val: 'dapi-for-tests' } } = {}) {
      const workspace = programs.Workspace.open({ host, credential, tries });
      workspace.addModel('model', endpoint, undefined);
      return workspace;
    },
    seen: async () => (await fetch(`${host}/seen`)).json(),
    reset: () => fetch(`${host}/reset`),
    stop: () => server.kill(),
  };
}

/** A predictor of a signature. */
export const predict = (signature, options) => programs.Program.predict(signatures.Signature.parse(signature, undefined), options);

/** Inputs as they travel. */
export const inputs = (fields) => JSON.stringify(fields);

/** All events of a stream. */
export function* events(stream) {
  for (let event; (event = stream.blockingGetNext()); ) yield event;
}

/** What a call fails with. */
export function failure(call) {
  try {
    call();
  } catch (error) {
    return error.payload ?? error;
  }
  throw new Error('it did not fail');
}
