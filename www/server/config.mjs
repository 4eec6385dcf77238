// What the demo is to run on: from the environment, or a JSON file that LAKELET_CONFIG names. The environment wins.
import { readFile } from 'node:fs/promises';

const VARIABLES = {
  host: 'DATABRICKS_HOST',
  token: 'DATABRICKS_TOKEN',
  clientId: 'DATABRICKS_CLIENT_ID',
  clientSecret: 'DATABRICKS_CLIENT_SECRET',
  chatEndpoint: 'LAKELET_CHAT_ENDPOINT',
  index: 'LAKELET_INDEX',
  columns: 'LAKELET_COLUMNS',
  queryType: 'LAKELET_QUERY_TYPE',
  overlay: 'LAKELET_OVERLAY',
  documents: 'LAKELET_DOCUMENTS',
  model: 'LAKELET_MODEL',
  data: 'LAKELET_DATA',
  port: 'PORT',
  edge: 'EDGE',
};

/** Where the gateway can run. */
const EDGES = ['node', 'worker', 'component'];

/** What a passage has, and the column of the index that holds it. */
const COLUMNS = { id: 'id', text: 'text', title: 'title', document: 'document', heading: 'heading' };

/**
 * The settings by name, with their defaults.
 *
 * @throws Error with a message for the person who starts the demo
 */
export async function readConfig(environment = process.env) {
  const file = environment.LAKELET_CONFIG ? await readJson(environment.LAKELET_CONFIG, 'LAKELET_CONFIG') : {};
  for (const name of Object.keys(file)) {
    if (!(name in VARIABLES)) throw new Error(`${environment.LAKELET_CONFIG}: there is no setting "${name}". Known are ${Object.keys(VARIABLES).join(', ')}.`);
  }
  const given = { ...file };
  for (const [name, variable] of Object.entries(VARIABLES)) {
    if (environment[variable]) given[name] = environment[variable];
  }
  const config = {
    ...given,
    columns: readColumns(given.columns),
    overlay: given.overlay && (await readJson(given.overlay, 'LAKELET_OVERLAY')),
    port: readPort(given.port ?? 8080),
    edge: readEdge(given.edge ?? 'node'),
  };
  return given.host ? remote(config) : local(config);
}

function remote(config) {
  const { host, token, clientId, clientSecret } = config;
  if (!URL.canParse(/^https?:\/\//.test(host) ? host : `https://${host}`)) throw new Error(`DATABRICKS_HOST is not an address: "${host}". Copy it from the browser, as in https://adb-1234567890123456.7.azuredatabricks.net`);
  if (Boolean(clientId) !== Boolean(clientSecret)) throw new Error('DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET go together: set both, or neither.');
  if (Boolean(token) === Boolean(clientId)) throw new Error('With DATABRICKS_HOST, set either DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET.');
  for (const name of ['chatEndpoint', 'index']) {
    if (!config[name]) throw new Error(`With DATABRICKS_HOST, ${VARIABLES[name]} is needed: the name of the ${name === 'index' ? 'Vector Search index, catalog.schema.index' : 'chat endpoint'}.`);
  }
  for (const name of ['documents', 'model', 'data']) {
    if (config[name]) throw new Error(`${VARIABLES[name]} is for the local workspace; DATABRICKS_HOST names another one. Unset one of them.`);
  }
  return { queryType: 'HYBRID', ...config };
}

function local(config) {
  return { chatEndpoint: 'local-chat', index: 'main.default.handbook', model: 'qwen-1.5b', queryType: 'ANN', ...config };
}

function readColumns(given = {}) {
  const named = typeof given === 'string' ? Object.fromEntries(given.split(',').map((pair) => pair.split('=').map((part) => part.trim()))) : given;
  for (const [name, column] of Object.entries(named)) {
    if (!(name in COLUMNS) || !column) throw new Error(`LAKELET_COLUMNS: write name=column, where the name is one of ${Object.keys(COLUMNS).join(', ')}; "${name}" is not, or has no column.`);
  }
  return { ...COLUMNS, ...named };
}

function readPort(text) {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Error(`PORT must be a whole number from 0 to 65535, not "${text}".`);
  return port;
}

function readEdge(name) {
  if (!EDGES.includes(name)) throw new Error(`EDGE must be one of ${EDGES.join(', ')}, not "${name}".`);
  return name;
}

async function readJson(path, setting) {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new Error(`${setting}: ${path} cannot be read as JSON: ${error.message}`);
  }
}
