// A Worker in workerd, with everything that it can be bound to.
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { bundleWorker, embed, startWorkerd } from '../../www/server/workerd.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Bundles the Worker in a folder. @returns what starts isolates of it */
export async function bundle(path) {
  const folder = await mkdtemp(join(tmpdir(), 'lakelet-worker-test-'));
  const worker = await bundleWorker(here(path), folder);
  await copyFile(here('limiter.js'), join(folder, 'limiter.js'));
  return {
    folder,
    start: (around) => start(folder, worker, around),
    remove: () => rm(folder, { recursive: true }),
  };
}

/** @param around where the workspace and the stores are; `secrets` of the Worker; `variables`, more of them */
async function start(folder, worker, { databricks, stores, secrets, variables = {} }) {
  const bindings = [
    { name: 'DATABRICKS_HOST', text: databricks.url },
    { name: 'LAKELET_CHAT_ENDPOINT', text: 'chat' },
    { name: 'LAKELET_INDEX', text: 'main.default.handbook' },
    { name: 'LAKELET_COLUMNS', json: JSON.stringify({ id: 'id', text: 'text', title: 'title', document: 'document', heading: 'heading' }) },
    { name: 'LAKELET_QUERY_TYPE', text: 'ANN' },
    { name: 'RATE_LIMITER', service: { name: 'limiter', entrypoint: 'Limiter' } },
    { name: 'CACHE', kvNamespace: 'stores' },
    ...Object.entries(variables).map(([name, text]) => ({ name, text })),
    ...Object.keys(secrets).map((name) => ({ name, fromEnvironment: name })),
  ];
  const { modules: _, ...compatible } = worker;
  const services = [
    { name: 'network', network: { allow: ['local'] } },
    { name: 'stores', external: { address: stores.address, http: {} } },
    { name: 'limiter', worker: { ...compatible, modules: [{ name: 'limiter.js', esModule: embed('limiter.js') }] } },
    { name: 'worker', worker: { ...worker, bindings, globalOutbound: 'network', cacheApiOutbound: 'stores' } },
  ];
  const log = [];
  const sockets = [{ name: 'http', address: '127.0.0.1:0', http: {}, service: 'worker' }];
  const { url, close } = await startWorkerd(folder, { services, sockets }, { secrets, onLine: (line) => log.push(line) });
  return { url, log, close };
}
