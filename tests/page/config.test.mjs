// What the demo says of a configuration that cannot work, before it starts anything.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { readConfig } from '../../www/server/config.mjs';

const REMOTE = { DATABRICKS_HOST: 'https://adb-1.azuredatabricks.net', DATABRICKS_TOKEN: 'dapi', LAKELET_CHAT_ENDPOINT: 'chat', LAKELET_INDEX: 'main.rag.docs' };

test('without a host the local workspace is used', async () => {
  const { host, chatEndpoint, index, model, port, edge } = await readConfig({});
  assert.deepEqual({ host, chatEndpoint, index, model, port, edge }, { host: undefined, chatEndpoint: 'local-chat', index: 'main.default.handbook', model: 'qwen-1.5b', port: 8080, edge: 'node' });
});

test('a file is read, and the environment wins', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lakelet-config-'));
  const LAKELET_CONFIG = join(folder, 'demo.json');
  await writeFile(LAKELET_CONFIG, JSON.stringify({ host: 'adb-1.azuredatabricks.net', token: 'dapi', chatEndpoint: 'one', index: 'main.rag.docs', columns: { id: 'chunk' } }));
  const config = await readConfig({ LAKELET_CONFIG, LAKELET_CHAT_ENDPOINT: 'two', PORT: '0' });
  assert.deepEqual([config.token, config.chatEndpoint, config.port], ['dapi', 'two', 0]);
  assert.deepEqual(config.columns, { id: 'chunk', text: 'text', title: 'title', document: 'document', heading: 'heading' });
  await writeFile(LAKELET_CONFIG, '{"colums": {}}');
  await assert.rejects(readConfig({ LAKELET_CONFIG }), /there is no setting "colums"/);
  await rm(folder, { recursive: true });
});

test('what cannot work says what to set', async () => {
  const cases = [
    [{ ...REMOTE, DATABRICKS_HOST: 'https://adb 1' }, /DATABRICKS_HOST is not an address/],
    [{ ...REMOTE, DATABRICKS_TOKEN: '' }, /either DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID/],
    [{ ...REMOTE, DATABRICKS_CLIENT_ID: 'id', DATABRICKS_CLIENT_SECRET: 'secret' }, /either DATABRICKS_TOKEN, or/],
    [{ ...REMOTE, DATABRICKS_CLIENT_ID: 'id' }, /go together/],
    [{ ...REMOTE, LAKELET_CHAT_ENDPOINT: '' }, /LAKELET_CHAT_ENDPOINT is needed/],
    [{ ...REMOTE, LAKELET_INDEX: '' }, /LAKELET_INDEX is needed/],
    [{ ...REMOTE, LAKELET_DOCUMENTS: 'docs' }, /LAKELET_DOCUMENTS is for the local workspace/],
    [{ LAKELET_COLUMNS: 'body=content' }, /"body" is not/],
    [{ LAKELET_COLUMNS: 'text' }, /has no column/],
    [{ LAKELET_OVERLAY: '/no/such/file' }, /LAKELET_OVERLAY: \/no\/such\/file cannot be read/],
    [{ EDGE: 'moon' }, /EDGE must be one of node, worker, component, not "moon"/],
    [{ PORT: '80a' }, /PORT must be a whole number/],
  ];
  for (const [environment, message] of cases) await assert.rejects(readConfig(environment), message);
});
