// Operations of a workspace through the component, on the local workspace and its SQL engine.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { databricks, programs } from './dist/lakelet.js';
import { skip } from './python.mjs';
import { failure } from './workspace.mjs';

const TOKEN = 'dapi-for-tests';
const python = `${process.env.LAKELET_CACHE || `${homedir()}/.cache/lakelet`}/peers/bin/python`;

let data, server, workspace;
before(async () => {
  data = await mkdtemp(join(tmpdir(), 'lakelet-component-'));
  const options = ['--port', '0', '--model', 'smollm2', '--no-documents', '--sql', 'duckdb', '--data', data, '--token', TOKEN];
  // A process of its own: a component that waits blocks the thread of its host.
  server = spawn(process.execPath, [fileURLToPath(new URL('../../js/workspace/bin/lakelet-workspace.js', import.meta.url)), ...options], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, LAKELET_PYTHON: python } });
  const host = await new Promise((resolve, reject) => {
    let log = '';
    server.stdout.on('data', (text) => {
      const url = /Ready after .* at (\S+) /.exec((log += text))?.[1];
      if (url) resolve(url);
    });
    server.on('exit', (code) => reject(new Error(`the workspace ended with ${code}:\n${log}`)));
  });
  workspace = programs.Workspace.open({ host, credential: { tag: 'token', val: TOKEN } });
});
after(async () => {
  const ended = new Promise((resolve) => server.on('exit', resolve));
  server.kill('SIGTERM');
  await ended;
  await rm(data, { recursive: true });
});

const call = (operation, given = {}, content = new Uint8Array()) => databricks.call(workspace, operation, JSON.stringify(given), content);
const NOTHING = 'SELECT 1 AS n WHERE 1 = 0';

test('a statement runs on the warehouse, with its parameters', { skip }, () => {
  const given = { warehouse_id: 'local', statement: 'SELECT :n AS n, :word AS word', parameters: [{ name: 'n', type: 'INT', value: '7' }, { name: 'word', value: "it's" }] };
  const outcome = call('sql.execute', given);
  assert.equal(outcome.tag, 'json');
  assert.deepEqual(JSON.parse(outcome.val).records, [{ n: 7, word: "it's" }]);
  assert.deepEqual(JSON.parse(call('sql.execute', { warehouse_id: 'local', statement: NOTHING }).val).rows, []);
});

test('what is refused or wrong is told as every error of the component', { skip }, () => {
  const refused = failure(() => call('sql.execute', { warehouse_id: 'local', statement: 'SELECT * FROM no_such_table' }));
  assert.equal(refused.code, 'not-found');
  assert.match(refused.message, /no_such_table/);
  assert.deepEqual([failure(() => call('sql.execute')).field, failure(() => call('sql.nothing', { warehouse_id: 'local' })).code], ['warehouse_id', 'unsupported']);
});
