// The table of attacks against the gateway of the component, in Wasmtime.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { startWasmtime } from '../../www/server/wasmtime.mjs';
import { TOKEN } from './gateway.mjs';
import { defend } from './runner.mjs';
import { throughSocket } from './senders.mjs';
import { openUpstream } from './upstream.mjs';

const COMPONENT = fileURLToPath(new URL('../../build/component/lakelet-server.component.wasm', import.meta.url));
const skip = spawnSync('wasmtime', ['--version']).error && 'there is no wasmtime: run .ci/setup test';
/** Answers with what it was given, and asks no model. */
const PROGRAM = JSON.stringify({
  lakelet: 1,
  name: 'assistant',
  inputs: { question: 'str', role: "Literal['employee', 'hr']" },
  steps: { answer: { do: 'join', values: ['question', 'role'] } },
  outputs: { answer: 'answer.text' },
});

async function open(t) {
  const upstream = await openUpstream();
  t.after(upstream.close);
  const log = [];
  const environment = { DATABRICKS_HOST: upstream.url, DATABRICKS_TOKEN: TOKEN, LAKELET_CHAT_ENDPOINT: 'chat', LAKELET_PROGRAM: PROGRAM,
    LAKELET_USER_HEADERS: 'role=x-forwarded-role,id=x-forwarded-user' };
  const { url, close } = await startWasmtime(COMPONENT, { environment, onLine: (line) => log.push(line) });
  t.after(close);
  t.after(() => assert.ok(!log.join('\n').includes(TOKEN)));
  return { origin: url, relays: false, received: upstream.received, secrets: [TOKEN, upstream.url], ...throughSocket(url) };
}

defend('the gateway as a component', async (t) => {
  const { exchange, ...door } = await open(t);
  return { ...door, signedIn: ['x-forwarded-role', 'employee\r\nX-Forwarded-User: ada'] };
}, { skip });

test('a component answers nobody whom the sign-in in front has not named, and named once', { skip }, async (t) => {
  const { exchange, origin } = await open(t);
  const body = '{"inputs":{"question":"Why?"},"user":{"role":"hr","id":"admin"}}';
  const { host } = new URL(origin);
  const ask = (...headers) => exchange(Buffer.from(['POST /api/programs/assistant HTTP/1.1', `Host: ${host}`,
    'Content-Type: application/json', `Content-Length: ${body.length}`, 'Connection: close', ...headers, '', body].join('\r\n')));
  const id = 'X-Forwarded-User: ada';
  for (const headers of [[], [id], ['X-Forwarded-Role: hr'], ['X-Forwarded-Role: ', id],
    ['X-Forwarded-Role: employee', 'X-Forwarded-Role: hr', id], ['X_Forwarded_Role: hr', id], ['Cookie: x-forwarded-role=hr', id]]) {
    assert.equal((await ask(...headers)).status, 401, `${headers}`);
  }
  for (const role of ['admin', 'employee, hr', 'HR', 'employee OR hr']) assert.equal((await ask(`X-Forwarded-Role: ${role}`, id)).status,
    400, role);
  const { status, text } = await ask('X-Forwarded-Role: employee', id);
  assert.equal(status, 200);
  assert.match(text, /employee/);
  assert.ok(!text.includes('admin'));
});
