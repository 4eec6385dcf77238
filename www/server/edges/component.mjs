// The edge as a component: the page with the gateway behind it, in one, under `wasmtime serve`. `www/component/build.mjs` makes it.
import { fileURLToPath } from 'node:url';

import { readable } from '../audit.mjs';
import { startWasmtime } from '../wasmtime.mjs';

const DEMO = fileURLToPath(new URL('../../../build/component/demo.component.wasm', import.meta.url));

/** As in `node.mjs`. */
export function startEdge(config, { say }) {
  return startWasmtime(DEMO, { port: config.port, environment: environmentOf(config), onLine: (line) => say(readable(line)) });
}

function environmentOf({ host, token, clientId, clientSecret, chatEndpoint, index, columns, queryType, overlay, timeoutMs }) {
  return {
    DATABRICKS_HOST: host,
    ...(token ? { DATABRICKS_TOKEN: token } : { DATABRICKS_CLIENT_ID: clientId, DATABRICKS_CLIENT_SECRET: clientSecret }),
    LAKELET_CHAT_ENDPOINT: chatEndpoint,
    LAKELET_INDEX: index,
    LAKELET_COLUMNS: Object.entries(columns).map(([name, column]) => `${name}=${column}`).join(),
    LAKELET_QUERY_TYPE: queryType,
    ...(overlay && { LAKELET_OVERLAY: JSON.stringify(overlay) }),
    LAKELET_BELIEVE_THE_PAGE: 'yes',
    LAKELET_TIMEOUT_MS: String(timeoutMs),
  };
}
