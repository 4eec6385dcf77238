// Where the assistant runs: workerd with the Worker of examples/worker as wrangler bundles it, or Wasmtime with the component.
import { execFileSync, spawn } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { componentNew } from '@bytecodealliance/jco-transpile/wasm-tools';

import { startWasmtime } from '../../www/server/wasmtime.mjs';
import { bundleWorker, embed, startWorkerd } from '../../www/server/workerd.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const NETWORK = { name: 'network', network: { allow: ['private', 'local'] } };
const PLAIN = { compatibilityDate: '2026-11-01' };

/** The Worker as it is deployed: a folder with its bundle, and its part of workerd's configuration. */
export async function openWorker() {
  const folder = await mkdtemp(join(tmpdir(), 'lakelet-bench-'));
  return { folder, ...(await bundleWorker(here('../../examples/worker'), folder)), close: () => rm(folder, { recursive: true }) };
}

/** Starts the Worker in as many isolates as asked for; the header `x-isolate` chooses one. */
export function startWorker({ folder, close: _, ...worker }, host, isolates = 0) {
  const bindings = [
    { name: 'DATABRICKS_HOST', text: host },
    { name: 'DATABRICKS_CLIENT_ID', text: 'bench' },
    { name: 'DATABRICKS_CLIENT_SECRET', text: 'scripted' },
    { name: 'LAKELET_CHAT_ENDPOINT', text: 'scripted' },
    { name: 'LAKELET_INDEX', text: 'main.bench.docs' },
    { name: 'LAKELET_COLUMNS', json: '{"id":"id","text":"text","title":"title","document":"document","heading":"heading"}' },
    { name: 'LAKELET_QUERY_TYPE', text: 'HYBRID' },
    { name: 'LAKELET_BELIEVE_THE_PAGE', text: 'yes' },
  ];
  const service = (name) => ({ name, worker: { ...worker, bindings, globalOutbound: 'network' } });
  if (isolates === 0) return run(folder, [service('main')]);
  const names = Array.from({ length: isolates }, (_, i) => `isolate${i}`);
  const front = 'export default { fetch: (request, env) => env[request.headers.get("x-isolate")].fetch(request) };';
  return run(folder, [...names.map(service), { name: 'main', worker: { ...plain(front), bindings: names.map((name) => ({ name, service: name })) } }]);
}

/** Starts a Worker that does nothing. */
export const startEmptyWorker = ({ folder }) => run(folder, [{ name: 'main', worker: plain('export default { fetch: () => new Response("ok") };') }]);

/** Starts by-hand.mjs. */
export async function startByHand({ folder }, host) {
  await copyFile(here('by-hand.mjs'), join(folder, 'by-hand.mjs'));
  const modules = [{ name: 'by-hand.mjs', esModule: embed('by-hand.mjs') }];
  return run(folder, [{ name: 'main', worker: { ...PLAIN, modules, bindings: [{ name: 'DATABRICKS_HOST', text: host }], globalOutbound: 'network' } }]);
}

const plain = (script) => ({ ...PLAIN, modules: [{ name: 'index.mjs', esModule: { toCapnp: () => JSON.stringify(script) } }] });

function run(folder, services) {
  const sockets = [{ name: 'http', address: '127.0.0.1:0', http: {}, service: 'main' }];
  return startWorkerd(folder, { services: [NETWORK, ...services], sockets }, { onLine: quiet });
}

/** Audit lines are many; what went wrong is told. */
function quiet(line) {
  if (!/"status":200|NOSENTRY/.test(line)) console.error(line);
}

/** Starts the component in Wasmtime: one instance for each question. */
export function startComponent(path, host) {
  const environment = {
    DATABRICKS_HOST: host,
    DATABRICKS_TOKEN: 'scripted-token',
    LAKELET_CHAT_ENDPOINT: 'scripted',
    LAKELET_INDEX: 'main.bench.docs',
    LAKELET_QUERY_TYPE: 'HYBRID',
    LAKELET_BELIEVE_THE_PAGE: 'yes',
  };
  return startWasmtime(path, { environment, flags: MANY_AT_ONCE, onLine: quiet });
}

/** A question under way takes three of Wasmtime's core instances, of which there are 1,000 unless more are asked for. */
const MANY_AT_ONCE = ['-O', 'pooling-total-core-instances=3000', '-O', 'pooling-total-tables=3000'];

/** Builds the component that does nothing, and gives its path. */
export async function buildEmptyComponent() {
  const target = process.env.CARGO_TARGET_DIR ?? here('../../target');
  execFileSync('cargo', ['build', '--quiet', '--release', '--target', 'wasm32-unknown-unknown', '--target-dir', target], { cwd: here('empty'), stdio: 'inherit' });
  const built = join(target, 'wasm32-unknown-unknown', 'release', 'empty_component');
  await writeFile(`${built}.component.wasm`, await componentNew(await readFile(`${built}.wasm`)));
  return `${built}.component.wasm`;
}

/** Starts the component that does nothing. */
export const startEmptyComponent = (path) => startWasmtime(path, { onLine: quiet });

/** Starts the scripted workspace. */
export async function startEndpoint() {
  const server = spawn(process.execPath, [here('endpoint.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise((resolve) => createInterface(server.stdout).once('line', resolve));
  /** Follows another script, and gives what was counted under the last one. */
  const script = async (next) => (await fetch(`${url}/script`, { method: 'POST', body: JSON.stringify(next) })).json();
  return { url, pid: server.pid, script, close: () => server.kill() };
}
