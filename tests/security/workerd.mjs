// Runs worker.mjs in workerd.
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'rolldown';

import { embed, startWorkerd } from '../../www/server/workerd.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The module is imported compiled, under a name that workerd is given. */
const wasm = { name: 'wasm', resolveId: (source) => (source.endsWith('.wasm') ? { id: './lakelet.wasm', external: true } : undefined) };

/** Starts it over a workspace; `onLine` is told of what it logs. */
export async function openWorker({ host, token, onLine }) {
  const folder = await mkdtemp(join(tmpdir(), 'lakelet-security-'));
  try {
    await build({ input: here('worker.mjs'), plugins: [wasm], resolve: { conditionNames: ['workerd', 'import', 'default'] },
      output: { file: join(folder, 'worker.mjs') }, logLevel: 'warn' });
    await copyFile(here('../../js/wasm/lakelet.wasm'), join(folder, 'lakelet.wasm'));
    const worker = {
      modules: [{ name: 'worker.mjs', esModule: embed('worker.mjs') }, { name: 'lakelet.wasm', wasm: embed('lakelet.wasm') }],
      bindings: [{ name: 'DATABRICKS_HOST', text: host }, { name: 'LAKELET_CHAT_ENDPOINT', text: 'chat' },
        { name: 'DATABRICKS_TOKEN', fromEnvironment: 'DATABRICKS_TOKEN' }],
      compatibilityDate: '2026-11-01',
      globalOutbound: 'network',
    };
    const services = [{ name: 'network', network: { allow: ['local', 'private', 'public'] } }, { name: 'worker', worker }];
    const sockets = [{ name: 'http', address: '127.0.0.1:0', http: {}, service: 'worker' }];
    return await startWorkerd(folder, { services, sockets }, { secrets: { DATABRICKS_TOKEN: token }, onLine });
  } finally {
    await rm(folder, { recursive: true });
  }
}
