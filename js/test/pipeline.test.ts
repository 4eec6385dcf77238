import assert from 'node:assert/strict';
import { test } from 'node:test';

import { enterpriseAssistant } from 'lakelet/assistant';
import { createGateway } from 'lakelet/gateway';
import { configure, inspect, LakeletError, pipeline, Workspace } from 'lakelet';

import { complete, json, reply, serve, stream, type Received } from './support.js';

const PASSAGE = 'Employees get fourteen weeks of parental leave.';
const INPUTS = { question: 'How many weeks of parental leave do I get?', role: 'employee', region: 'EU', department: 'Sales' };

/** Fills every output that a prompt asks for. */
function answer(request: Received, approved: string): string {
  const asked = String(request.body.messages?.at(-1)?.content).split('Respond with')[1] ?? '';
  const names = [...asked.matchAll(/\[\[ ## (\w+) ## \]\]/g)].map(([, name]) => String(name)).filter((name) => name !== 'completed');
  const values: Record<string, string> = { is_approved: approved, security_issues: '[]', answer: `${PASSAGE} [1]`, formatted_answer: `${PASSAGE} [1]` };
  return reply(Object.fromEntries(names.map((name) => [name, values[name] ?? `the ${name}`])));
}

async function workspace(t: Parameters<typeof serve>[0], approved = 'True') {
  const server = await serve(t, (request, response) => {
    if (request.url.startsWith('/api/2.0/vector-search/')) {
      const columns = request.body['columns'] as string[];
      const row = columns.map((name) => ({ id: 'leave-1', text: PASSAGE, title: 'Leave' })[name] ?? '');
      return json(response, 200, {
        manifest: { column_count: columns.length + 1, columns: [...columns, 'score'].map((name) => ({ name })) },
        result: { row_count: 1, data_array: [[...row, 0.9]] },
      });
    }
    const text = answer(request, approved);
    return request.body.stream ? stream(response, [text.slice(0, 20), text.slice(20)]) : complete(response, text);
  });
  const there = new Workspace({ host: server.url, token: 'dapi-test' });
  return { server, settings: { workspace: there, lm: 'small', rm: there.index('main.kb.handbook', { columns: ['title'] }) } };
}

test('a document says what it takes and does, and is checked when it is loaded', async () => {
  const assistant = pipeline(enterpriseAssistant);
  assert.equal(assistant.name, 'enterprise_assistant');
  assert.deepEqual(assistant.inputs.map(({ name, required }) => [name, required]), [['question', true], ['background', false], ['role', true], ['region', true], ['department', false]]);
  assert.equal(assistant.steps.find(({ name }) => name === 'retrieve')?.kind, 'retrieve');

  const wrong = pipeline({ lakelet: 1, name: 'x', inputs: { question: 'str' }, steps: { answer: { do: 'predikt' } }, outputs: {} });
  await assert.rejects(wrong.run({ question: '?' }), (error: unknown) => error instanceof LakeletError && error.code === 'pipeline' && error.step === 'answer');
  assert.throws(() => pipeline('[1'), /not a JSON object/);
});

test('the assistant answers from what the role may see', async (t) => {
  const { server, settings } = await workspace(t);
  const assistant = pipeline(enterpriseAssistant);
  const running = assistant.stream(INPUTS, settings);
  const kinds = new Set<string>();
  for await (const event of running) kinds.add(event.type);
  const result = await running.result;
  assert.match(String(result['answer']), /fourteen weeks/);
  assert.equal(inspect(result).stoppedBy, null);
  assert.ok(kinds.has('started') && kinds.has('finished') && kinds.has('result'));

  const query = server.received.find(({ url }) => url.includes('vector-search'));
  assert.deepEqual(JSON.parse(String(query?.body['filters_json'])), { audience: ['everyone', 'employees'], region: ['global', 'EU'] });
  await assert.rejects(assistant.run({ ...INPUTS, role: 'king' }, settings), (error: unknown) => error instanceof LakeletError && error.code === 'input' && error.field === 'role');
});

test('what the check refuses is never told', async (t) => {
  const { settings } = await workspace(t, 'False');
  const running = pipeline(enterpriseAssistant).stream(INPUTS, settings);
  let told = '';
  for await (const event of running) told += JSON.stringify(event);
  const result = await running.result;
  assert.match(String(result['answer']), /security restrictions/);
  assert.ok(inspect(result).stoppedBy);
  assert.ok(!JSON.stringify(inspect(result).trace.filter(({ name }) => name === 'generate_answer')).includes('fourteen'));
  assert.ok(!told.includes('fourteen weeks of parental leave. [1]'));
});

test('a gateway runs a pipeline and relays with its own credential', async (t) => {
  const { server, settings } = await workspace(t);
  configure(settings);
  const gateway = createGateway({
    programs: { assistant: { program: pipeline(enterpriseAssistant) } },
    workspace: settings.workspace,
    relay: { endpoints: ['small'] },
    inspect,
  });
  const post = (path: string, body: object, headers = {}) =>
    gateway(new Request(`https://page.example/api${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) }));

  const run = await post('/programs/assistant', { inputs: INPUTS });
  assert.equal(run.status, 200);
  assert.match(JSON.stringify(await run.json()), /fourteen weeks/);

  server.received.length = 0;
  const relayed = await post('/serving-endpoints/small/invocations', { messages: [{ role: 'user', content: 'Hi' }], stream: true }, { accept: 'text/event-stream' });
  assert.equal(relayed.status, 200);
  assert.match(relayed.headers.get('content-type') ?? '', /event-stream/);
  assert.match(await relayed.text(), /data: \[DONE\]/);
  assert.equal(server.received[0]?.headers.authorization, 'Bearer dapi-test');
  assert.equal((await post('/serving-endpoints/other/invocations', { messages: [] })).status, 404);
});

test('the workspace sends a request on, and tells refusals as they are', async (t) => {
  const server = await serve(t, (_, response) => json(response, 403, { error_code: 'PERMISSION_DENIED', message: 'You may not.' }));
  const there = new Workspace({ host: server.url, token: 'dapi-test' });
  const refused = await there.send({ path: '/serving-endpoints/small/invocations', body: '{}' });
  assert.equal(refused.status, 403);
  assert.equal(((await refused.json()) as { error_code: string }).error_code, 'PERMISSION_DENIED');
  for (const path of ['//evil.example/', '/a/../../b', '/a/%2e%2e/b', '@evil.example/x', '/a?b=c']) {
    await assert.rejects(there.send({ path, body: '{}' }), (error: unknown) => error instanceof LakeletError && error.code === 'config', path);
  }
  assert.equal(server.received.length, 1);
});
