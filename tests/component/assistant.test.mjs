// The assistant in the component, on the local workspace with its small model: the same answer in Node and in Wasmtime.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { programs } from './dist/lakelet.js';
import { runPython, skip } from './python.mjs';
import { FRESH, events } from './workspace.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const QUESTION = 'Where do I get the key of a bicycle?';
const STEPS = ['complex_query', 'retrieve', 'generate_answer', 'security_checker', 'compliance_formatter'];
const TOKEN = 'dapi-for-tests';

let data, workspace, host, changes;
before(async () => {
  data = await mkdtemp(join(tmpdir(), 'lakelet-component-'));
  changes = await readFile(here('../page/overlay.json'), 'utf8');
  const options = ['--port', '0', '--model', 'smollm2', '--documents', here('../page/documents'), '--data', data, '--token', TOKEN];
  workspace = spawn(process.execPath, [here('../../js/workspace/bin/lakelet-workspace.js'), ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  await new Promise((resolve, reject) => {
    workspace.stderr.on('data', (text) => (log += text));
    workspace.stdout.on('data', (text) => {
      log += text;
      host = /Ready after .* at (\S+) /.exec(log)?.[1];
      if (host && log.includes('Documents are up to date')) resolve();
    });
    workspace.on('exit', (code) => reject(new Error(`the workspace ended with ${code}:\n${log}`)));
  });
});
after(async () => {
  const ended = new Promise((resolve) => workspace.on('exit', resolve));
  workspace.kill('SIGTERM');
  await ended;
  await rm(data, { recursive: true });
});

let answer;
test('in Node it plans, searches, answers, checks and formats', async () => {
  const connection = programs.Workspace.open({ host, credential: { tag: 'token', val: TOKEN } });
  connection.addModel('chat', 'local-chat');
  connection.addIndex('index', { name: 'main.default.handbook', columns: ['title', 'document', 'heading'], queryType: 'ann' });
  const assistant = programs.Program.readyMade('enterprise_assistant', changes);
  const stream = assistant.start(connection, JSON.stringify({ question: QUESTION, role: 'employee', region: 'EU' }), FRESH);
  const told = [...events(stream)];
  const finished = told.filter(({ tag }) => tag === 'finished').map(({ val }) => val.name);
  assert.deepEqual(STEPS.filter((step) => !finished.includes(step)), []);
  answer = JSON.parse(told.at(-1).val.fields);
  // The changes let the model answer by a sentence of the documents only.
  assert.ok((await readFile(here('../page/documents/bicycles.md'), 'utf8')).includes(answer.answer), answer.answer);
  assert.equal(answer.sources[0].title, 'Bicycles');
  assert.ok(stream.usage().totalTokens > 0n);
});

test('in Wasmtime it does the same, on the workspace of its environment', { skip }, async () => {
  const environment = { DATABRICKS_HOST: host, DATABRICKS_TOKEN: TOKEN, LAKELET_CHAT_ENDPOINT: 'local-chat', LAKELET_INDEX: 'main.default.handbook', LAKELET_QUERY_TYPE: 'ANN' };
  const told = (await runPython('assistant.py', { ...environment, QUESTION, CHANGES: changes })).trim().split('\n').map((line) => JSON.parse(line));
  const started = told.flatMap(({ step }) => step ?? []);
  assert.deepEqual(STEPS.filter((step) => !started.includes(step)), []);
  assert.equal(told.at(-1).fields.answer, answer.answer);
});
