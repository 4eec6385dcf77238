// The gateway of the npm package answers every call of the table as the gateway of the core does: cases.json, `table.rs`.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { inspect, pipeline, Workspace } from 'lakelet';
import { createGateway } from 'lakelet/gateway';

import { believedReader } from '../../www/server/reader.mjs';

const read = (name) => readFileSync(new URL(name, import.meta.url), 'utf8');
const USER = ['role', 'region', 'department'];

const USERS = {
  page: believedReader,
  unknown: undefined,
  headers: ({ headers }) => {
    const values = USER.map((name) => headers.get(`x-user-${name}`));
    return values.every(Boolean) ? { id: values.join(', '), ...Object.fromEntries(USER.map((name, i) => [name, values[i]])) } : undefined;
  },
};

/** A streamed reply of the model. */
function says(answer) {
  const chunk = (delta, finish_reason, usage) => `data: ${JSON.stringify({ model: 'llama-v1', choices: [{ index: 0, delta, finish_reason }], usage })}\n\n`;
  const begun = chunk({ content: `[[ ## answer ## ]]\n${answer}\n\n[[ ## completed ## ]]` }, null, null);
  const ended = chunk({}, 'stop', { prompt_tokens: 14, completion_tokens: 5, total_tokens: 19 });
  return new Response(`${begun}${ended}data: [DONE]\n\n`, { headers: { 'content-type': 'text/event-stream' } });
}

/** A gateway in front of a workspace that answers as the case says, and its audit. */
function gateway({ users = 'page', upstream }) {
  const fetch = async () => {
    if (upstream === 'refused') throw new TypeError('fetch failed');
    return upstream ? new Response(JSON.stringify(upstream.body), upstream) : says('Ask Ada.');
  };
  const workspace = new Workspace({ host: 'https://lake.example', token: 'dapi-very-secret', retries: 0, fetch });
  const program = pipeline(read('program.json'));
  const lines = [];
  const served = {
    inputs: program.inputs,
    steps: program.steps,
    stream: (inputs, options) => program.stream(inputs, { ...options, workspace, lm: workspace.lm('chat') }),
  };
  const handle = createGateway({
    programs: { helpdesk: { program: served, userInputs: USER } },
    inspect,
    user: USERS[users],
    names: ['app.example'],
    allowedOrigins: ['https://portal.example'],
    limits: { bodyBytes: 1000 },
    rateLimiter: { take: () => 0 },
    audit: (line) => lines.push(line),
  });
  return { handle, lines };
}

function request({ method = 'POST', host = 'app.example', path = '/api/programs/helpdesk', headers = {}, body = '' }) {
  const given = { origin: 'https://app.example', ...(method === 'POST' && { 'content-type': 'application/json' }), ...headers };
  const sent = Object.entries(given).filter(([, value]) => value !== null);
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return new Request(`https://${host}${path}`, { method, headers: sent, ...(method === 'POST' && { body: new TextEncoder().encode(text) }) });
}

/** The value without what is different in every call: ids and times. */
function steady(value) {
  if (Array.isArray(value)) return value.map(steady);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([name]) => name !== 'request_id');
  return Object.fromEntries(members.map(([name, member]) => [name, ['atMs', 'startMs', 'durationMs'].includes(name) ? 0 : steady(member)]));
}

/** `[name, data]` of every event. */
const events = (body) =>
  body.split('\n\n').slice(0, -1).map((frame) => {
    const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(frame);
    return [name, steady(JSON.parse(data))];
  });

for (const { name, ...expected } of JSON.parse(read('cases.json'))) {
  test(name, async () => {
    const { handle, lines } = gateway(expected);
    const response = await handle(request(expected));
    const body = await response.text();
    assert.equal(response.status, expected.status, body);
    const headers = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...expected.answer_headers };
    for (const [header, value] of Object.entries(headers)) assert.equal(response.headers.get(header), value, header);
    if (expected.answer) assert.deepEqual(steady(JSON.parse(body)), expected.answer);
    if (expected.events) assert.deepEqual(events(body), expected.events);
    if (expected.last_event) assert.deepEqual(events(body).at(-1), expected.last_event);
    if (expected.failed_step) assert.deepEqual(events(body).findLast(([, { span }]) => span?.error)[1].span.error, expected.failed_step);
    assert.equal(lines.length, 1);
    assert.equal(lines[0].request_id, response.headers.get('x-request-id'));
    for (const [member, value] of Object.entries(expected.audit ?? {})) assert.equal(lines[0][member] ?? null, value, member);
    assert.ok(!(body + JSON.stringify(lines)).includes('dapi-very-secret'));
  });
}
