// One call from options, variables and profiles to a workspace with its model and retriever.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { configure, LakeletError, predict, retrieve, Workspace } from 'lakelet';
import { configureDatabricks, type DatabricksOptions } from 'lakelet/databricks';
import { complete, json, reply, serve, type Server } from './support.js';

const qa = predict('question -> answer');

/** A workspace that answers every question, and finds one passage. */
function answering(t: TestContext): Promise<Server> {
  return serve(t, ({ url }, response) => {
    if (url.endsWith('/oidc/v1/token')) return json(response, 200, { access_token: 'traded', expires_in: 3600 });
    if (!url.endsWith('/query')) return complete(response, reply({ answer: 'yes' }));
    const columns = ['chunk', 'body', 'headline', 'score'].map((name) => ({ name }));
    json(response, 200, { manifest: { columns }, result: { data_array: [['a', 'About leave.', 'Leave', 0.5]] } });
  });
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'lakelet-configure-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** How a call that was configured like this authenticates. */
async function bearer(server: Server, options: DatabricksOptions): Promise<string | undefined> {
  const { workspace } = await configureDatabricks({ retries: 0, ...options });
  await qa.run({ question: '?' }, { lm: workspace.lm('chat'), cache: false });
  return server.received.at(-1)?.headers.authorization;
}

async function refused(options: DatabricksOptions): Promise<LakeletError> {
  const error: unknown = await configureDatabricks(options).then(() => assert.fail('it was configured'), (error: unknown) => error);
  assert.ok(error instanceof LakeletError, String(error));
  assert.equal(error.code, 'config');
  assert.ok(error.hint);
  return error;
}

test('an environment names a workspace with the model and the retriever that programs use', async (t) => {
  const server = await answering(t);
  const { workspace, lm, rm, host, authType, warehouseId } = await configureDatabricks({
    environment: {
      DATABRICKS_HOST: `${server.url}/`,
      DATABRICKS_TOKEN: 'dapi-test',
      DATABRICKS_WAREHOUSE_ID: 'abc',
      DATABRICKS_WORKSPACE_ID: '123',
      LAKELET_CHAT_ENDPOINT: 'chat',
      LAKELET_INDEX: 'main.rag.docs',
      LAKELET_COLUMNS: 'id=chunk,text=body,title=headline',
      LAKELET_QUERY_TYPE: 'ANN',
    },
    lmOptions: { temperature: 0, max_tokens: 1000 },
  });
  t.after(() => configure({ workspace: undefined, lm: undefined, rm: undefined } as object));
  assert.deepEqual([host, authType, warehouseId, lm?.name, rm?.name], [server.url, 'pat', 'abc', 'chat', 'main.rag.docs']);
  assert.ok(workspace instanceof Workspace);

  assert.deepEqual(await qa.run({ question: '?' }), { answer: 'yes' });
  assert.deepEqual(await retrieve({ k: 1 }).run({ query: 'leave' }), { passages: ['About leave.'] });
  const [chat, query] = server.received;
  assert.deepEqual([chat?.url, chat?.body['temperature'], chat?.body['max_tokens']], ['/serving-endpoints/chat/invocations', 0, 1000]);
  assert.equal(query?.url, '/api/2.0/vector-search/indexes/main.rag.docs/query');
  assert.deepEqual([query?.body['columns'], query?.body['query_type']], [['chunk', 'body', 'headline'], 'ANN']);
  for (const { headers } of server.received) {
    assert.deepEqual([headers.authorization, headers['x-databricks-workspace-id']], ['Bearer dapi-test', '123']);
  }
});

test('options come before variables, and variables before a profile', async (t) => {
  const server = await answering(t);
  const configFile = join(folder(t), 'profiles');
  writeFileSync(configFile, `[DEFAULT]\nhost = ${server.url}\ntoken = of-default\n[DEV]\nhost = ${server.url}\ntoken = of-dev\n`);
  const by = (options: DatabricksOptions) => bearer(server, { environment: {}, configFile, ...options });
  assert.equal(await by({}), 'Bearer of-default');
  assert.equal(await by({ profile: 'DEV' }), 'Bearer of-dev');
  assert.equal(await by({ environment: { DATABRICKS_CONFIG_PROFILE: 'DEV' } }), 'Bearer of-dev');
  assert.equal(await by({ environment: { DATABRICKS_TOKEN: 'of-variable' }, profile: 'DEV' }), 'Bearer of-variable');
  assert.equal(await by({ environment: { DATABRICKS_TOKEN: 'of-variable' }, profile: 'DEV', token: 'of-option' }), 'Bearer of-option');
  assert.equal((await configureDatabricks({ environment: {}, configFile, profile: 'DEV' })).profile, 'DEV');
});

test('tokens come from files, and from the tools of others', async (t) => {
  const server = await answering(t);
  const home = folder(t);
  const write = (name: string, text: string) => (writeFileSync(join(home, name), text), join(home, name));
  const host = { DATABRICKS_HOST: server.url };

  const token = write('token', 'e.y.J\n');
  assert.equal(await bearer(server, { environment: { ...host, DATABRICKS_OIDC_TOKEN_FILEPATH: token } }), 'Bearer traded');

  write('model-dependencies-oauth-token', JSON.stringify({ OAUTH_TOKEN: [{ oauthTokenValue: 'of-the-container' }] }));
  const serving = { IS_IN_DB_MODEL_SERVING_ENV: 'true', SERVING_CREDENTIALS_DIR: home };
  assert.equal(await bearer(server, { environment: { ...host, ...serving } }), 'Bearer of-the-container');

  const said = JSON.stringify({ access_token: 'of-the-tool', expiry: new Date(Date.now() + 3_600_000).toISOString() });
  const tool = write('databricks', `#!/bin/sh\n[ "$*" = "auth token --host ${server.url}" ] && echo '${said}'\n`);
  chmodSync(tool, 0o700);
  const cli = { ...host, DATABRICKS_AUTH_TYPE: 'databricks-cli' };
  assert.equal(await bearer(server, { environment: { ...cli, DATABRICKS_CLI_PATH: tool } }), 'Bearer of-the-tool');
  await assert.rejects(bearer(server, { environment: { ...cli, DATABRICKS_CLI_PATH: join(home, 'none') } }), /is not installed/);
  await assert.rejects(bearer(server, { environment: { ...cli, DATABRICKS_CLI_PATH: '/bin/false' } }), /gives no token/);
});

test("another issuer's token is read again for each exchange", async (t) => {
  const traded: (string | null)[] = [];
  const fetch = async (input: string, { body }: RequestInit) => {
    if (!input.endsWith('/oidc/v1/token')) return Response.json({ data: [{ index: 0, embedding: [1] }] });
    traded.push(new URLSearchParams(new TextDecoder().decode(body as Uint8Array)).get('subject_token'));
    return Response.json({ access_token: 'traded', expires_in: 0 });
  };
  const environment: Record<string, string> = { DATABRICKS_HOST: 'https://lake.example', DATABRICKS_OIDC_TOKEN: 'first' };
  const inVariable = (await configureDatabricks({ environment, fetch })).workspace.embedder('e');
  await inVariable(['x']);
  environment['DATABRICKS_OIDC_TOKEN'] = 'second';
  await inVariable(['x']);

  const oidcTokenFilepath = join(folder(t), 'token');
  writeFileSync(oidcTokenFilepath, 'third\n');
  const inFile = (await configureDatabricks({ environment: {}, host: 'https://lake.example', oidcTokenFilepath, fetch })).workspace.embedder('e');
  await inFile(['x']);
  writeFileSync(oidcTokenFilepath, 'fourth\n');
  await inFile(['x']);
  assert.deepEqual(traded, ['first', 'second', 'third', 'fourth']);
  rmSync(oidcTokenFilepath);
  await assert.rejects(inFile(['x']), { code: 'auth', message: /there is no token in/ });
});

test('a function of the caller gives the tokens', async (t) => {
  const server = await answering(t);
  const tokens = ['one', { token: 'two', expiresInMs: 3_600_000 }, 'three'];
  const workspace = new Workspace({ host: server.url, token: async () => tokens.shift() ?? '', retries: 0 });
  const ask = () => qa.run({ question: '?' }, { lm: workspace.lm('chat'), cache: false });
  for (let call = 0; call < 3; call++) await ask();
  assert.deepEqual(server.received.map(({ headers }) => headers.authorization), ['Bearer one', 'Bearer two', 'Bearer two']);

  const failing = new Workspace({ host: server.url, token: () => Promise.reject(new LakeletError('nobody is signed in', { code: 'auth' })) });
  await assert.rejects(qa.run({ question: '?' }, { lm: failing.lm('chat') }), { code: 'auth', message: 'nobody is signed in' });
  const empty = new Workspace({ host: server.url, token: () => '' });
  await assert.rejects(qa.run({ question: '?' }, { lm: empty.lm('chat') }), { code: 'auth' });
});

test('calls in the name of a user carry the token of that user', async (t) => {
  const server = await answering(t);
  const databricks = await configureDatabricks({ environment: { DATABRICKS_HOST: server.url, DATABRICKS_TOKEN: 'of-the-app' }, lm: 'chat' });
  await qa.run({ question: '?' }, databricks.onBehalfOf('of-ada'));
  await qa.run({ question: '?' }, databricks.onBehalfOf('of-bob')); // and is not given the answer that was kept for Ada
  await qa.run({ question: '?' }, { lm: databricks.lm ?? '' });
  assert.deepEqual(server.received.map(({ headers }) => headers.authorization), ['Bearer of-ada', 'Bearer of-bob', 'Bearer of-the-app']);
});

test('what is missing or wrong is named, and no secret with it', async (t) => {
  const configFile = join(folder(t), 'profiles');
  const host = { DATABRICKS_HOST: 'https://lake.example' };
  assert.match((await refused({ environment: {}, configFile })).message, /DATABRICKS_HOST is not set/);
  assert.equal((await refused({ environment: host })).field, 'DATABRICKS_TOKEN');
  assert.equal((await refused({ environment: { ...host, DATABRICKS_CLIENT_ID: 'id' } })).field, 'DATABRICKS_CLIENT_SECRET');
  const both = { ...host, DATABRICKS_TOKEN: 'secret-1', DATABRICKS_CLIENT_ID: 'id', DATABRICKS_CLIENT_SECRET: 'secret-2' };
  assert.match((await refused({ environment: both })).message, /more than one authorization method configured: oauth and pat\n/);
  assert.match((await refused({ environment: { ...host, DATABRICKS_AUTH_TYPE: 'azure-cli' } })).message, /does not authenticate by `azure-cli`/);
  assert.equal((await refused({ environment: { DATABRICKS_HOST: 'http://lake.example', DATABRICKS_TOKEN: 'secret-1' } })).field, 'DATABRICKS_HOST');
  assert.equal((await refused({ environment: {}, configFile, profile: 'X' })).field, 'DATABRICKS_CONFIG_PROFILE');
  writeFileSync(configFile, '[X]\nsecret-3\n');
  const unreadable = await refused({ environment: {}, configFile, profile: 'X' });
  assert.match(unreadable.message, /profiles, line 2/);
  for (const error of [unreadable, await refused({ environment: both })]) assert.doesNotMatch(`${error.message}${error.hint}`, /secret-\d/);
});
