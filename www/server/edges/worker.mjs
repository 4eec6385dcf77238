// The edge as a Cloudflare Worker: `examples/worker` in workerd, behind `worker-front.mjs`.
import { copyFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { readable } from '../audit.mjs';
import { readPage } from '../page-files.mjs';
import { bundleWorker, embed, startWorkerd } from '../workerd.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** As in `node.mjs`. */
export async function startEdge(config, { say }) {
  const folder = await mkdtemp(join(tmpdir(), 'lakelet-worker-'));
  try {
    const { modules, ...compatible } = await bundleWorker(here('../../../examples/worker'), folder);
    const secrets = secretsOf(config);
    const services = [
      { name: 'network', network: { allow: ['public', 'private', 'local'], tlsOptions: { trustBrowserCas: true } } },
      { name: 'worker', worker: { modules, ...compatible, bindings: [...bindings(config), ...fromEnvironment(secrets)], globalOutbound: 'network' } },
      { name: 'front', worker: { modules: await frontModules(folder), ...compatible, bindings: await pageBindings(config.page, folder) } },
    ];
    const sockets = [{ name: 'http', address: `127.0.0.1:${config.port}`, http: {}, service: 'front' }];
    return await startWorkerd(folder, { services, sockets }, { secrets, onLine: (line) => say(readable(line)) });
  } finally {
    await rm(folder, { recursive: true });
  }
}

function secretsOf({ token, clientId, clientSecret }) {
  return token ? { DATABRICKS_TOKEN: token } : { DATABRICKS_CLIENT_ID: clientId, DATABRICKS_CLIENT_SECRET: clientSecret };
}

const fromEnvironment = (secrets) => Object.keys(secrets).map((name) => ({ name, fromEnvironment: name }));

function bindings({ host, chatEndpoint, index, columns, queryType, overlay }) {
  return [
    { name: 'DATABRICKS_HOST', text: host },
    { name: 'LAKELET_CHAT_ENDPOINT', text: chatEndpoint },
    { name: 'LAKELET_INDEX', text: index },
    { name: 'LAKELET_COLUMNS', json: JSON.stringify(columns) },
    { name: 'LAKELET_QUERY_TYPE', text: queryType },
    ...(overlay ? [{ name: 'LAKELET_OVERLAY', json: JSON.stringify(overlay) }] : []),
    { name: 'LAKELET_BELIEVE_THE_PAGE', text: 'yes' },
  ];
}

async function frontModules(folder) {
  await copyFile(here('worker-front.mjs'), join(folder, 'worker-front.mjs'));
  await copyFile(here('../page.mjs'), join(folder, 'page.mjs'));
  return ['worker-front.mjs', 'page.mjs'].map((name) => ({ name, esModule: embed(name) }));
}

async function pageBindings(page, folder) {
  await cp(page, join(folder, 'page'), { recursive: true });
  const paths = [...(await readPage(page)).keys()];
  return [
    { name: 'WORKER', service: 'worker' },
    { name: 'PATHS', json: JSON.stringify(paths) },
    ...paths.map((path) => ({ name: path, data: embed(`page${path}`) })),
  ];
}
