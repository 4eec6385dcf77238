import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { GatewayOptions, GatewayUser, RelayedRequest } from 'lakelet/gateway';
import { failure, page, recorded } from './gateway-support.js';

const INDEX = 'main.default.handbook';
const QUERY = `/api/api/2.0/vector-search/indexes/${INDEX}/query`;
const CHAT = '/api/serving-endpoints/chat/completions';

function relaying(workspace = recorded(), user: GatewayUser = { id: 'ada', role: 'employee' }) {
  const options: GatewayOptions = {
    workspace,
    relay: {
      endpoints: ['local-chat'],
      indexes: { [INDEX]: ({ role }) => ({ audience: role === 'hr' ? ['all', 'hr'] : ['all'] }), 'main.default.menu': 'public' },
    },
    user: () => user,
  };
  return { ask: page(options), sent: workspace.sent, options };
}

const filtersOf = ({ body }: RelayedRequest) => JSON.parse(JSON.parse(body).filters_json) as unknown;

test('calls of listed endpoints go out under the name of the list, with nothing of the request but its body', async () => {
  const { ask, sent } = relaying();
  const messages = [{ role: 'user', content: 'Hello' }];
  const headers = { authorization: 'Bearer mine', cookie: 'a=b', 'x-forwarded-access-token': 't', 'x-databricks-org-id': '1', accept: '*/*' };
  await ask('/api/serving-endpoints/local-chat/invocations', { messages }, headers);
  await ask(CHAT, { model: 'local-chat', messages, stream: true }, headers);
  const [one, two] = sent.map(({ signal, ...rest }) => ({ ...rest, body: JSON.parse(rest.body) as unknown }));
  assert.deepEqual(one, { path: '/serving-endpoints/local-chat/invocations', body: { messages }, accept: 'application/json' });
  assert.deepEqual(two, { path: '/serving-endpoints/chat/completions', body: { model: 'local-chat', messages, stream: true }, accept: 'text/event-stream' });
});

test('no request names an endpoint, an index or a host off the list', async () => {
  const { ask, sent } = relaying();
  const messages = [{ role: 'user', content: 'Hello' }];
  const attacks: [string, unknown][] = [
    ['/api/serving-endpoints/other/invocations', { messages }],
    ['/api/serving-endpoints/Local-Chat/invocations', { messages }],
    ['/api/serving-endpoints/local-chat%20/invocations', { messages }],
    ['/api/serving-endpoints/local-chat%2f..%2fother/invocations', { messages }],
    ['/api/serving-endpoints/local-chat/../other/invocations', { messages }],
    ['/api/serving-endpoints/local-chat\\..\\other/invocations', { messages }],
    ['/api/serving-endpoints/local-chat/invocations?endpoint=other', { messages }],
    ['/api/serving-endpoints/local-chat@evil.example/invocations', { messages }],
    ['/api/serving-endpoints//invocations', { messages }],
    ['/api/serving-endpoints/local-chat/served-models/x/invocations', { messages }],
    ['/api/https://evil.example/serving-endpoints/local-chat/invocations', { messages }],
    ['/api/serving-endpoints/local-chat/invocations', { messages, model: 'other' }],
    ['/api/serving-endpoints/local-chat/invocations', { messages, extra_params: {} }],
    ['/api/serving-endpoints/local-chat/invocations', { messages: [null, { content: [{ type: 'image_url', image_url: { url: 'http://169.254.169.254/' } }] }] }],
    ['/api/serving-endpoints/local-chat/invocations', { messages: [{ content: [{ type: 'image', image_url: 'https://evil.example/x.png' }] }] }],
    ['/api/serving-endpoints/local-chat/invocations', { messages, tools: [{ type: 'mcp', server_url: 'https://evil.example' }] }],
    [CHAT, { messages }],
    [CHAT, { model: 'other', messages }],
    [CHAT, { model: ['local-chat'], messages }],
    [CHAT, `{"model":"local-chat","model":"other","messages":[]}`],
    ['/api/serving-endpoints/completions', { model: 'local-chat', prompt: 'x' }],
    ['/api/api/2.0/serving-endpoints', {}],
    ['/api/api/2.0/vector-search/indexes/main.default.secret/query', { columns: ['id'] }],
    ['/api/api/2.0/vector-search/indexes/__proto__/query', { columns: ['id'] }],
    [`/api/api/2.0/vector-search/indexes/${INDEX}/scan`, {}],
    [`/api/api/2.0/vector-search/indexes/${INDEX}/upsert-data`, { inputs_json: '[]' }],
    [`/api/api/2.0/vector-search/indexes/${INDEX}%2fscan/query`, {}],
  ];
  for (const [path, body] of attacks) {
    const refused = await failure(ask(path, body));
    assert.ok(refused.status === 400 || refused.status === 404, `${path} ${JSON.stringify(body)}: ${refused.status}`);
  }
  assert.deepEqual(sent, []);
});

test('a call may have a model write so much and no more', async () => {
  const { options, sent } = relaying();
  const ask = page({ ...options, limits: { completionTokens: 100 } });
  const call = (more: object) => ask('/api/serving-endpoints/local-chat/invocations', { messages: [], ...more });
  for (const more of [{}, { n: 4 }, { n: 2, max_tokens: 50 }, { max_tokens: 1 }]) assert.equal((await call(more)).status, 200);
  assert.deepEqual(sent.map(({ body }) => JSON.parse(body).max_tokens), [100, 25, 50, 1]);
  for (const more of [{ max_tokens: 101 }, { n: 101 }, { n: 3, max_tokens: 34 }, { n: 0 }, { n: -1, max_tokens: 5 }, { max_tokens: 0.5 }, { max_tokens: '5' }, { n: '2' }, { n: [1] }, { max_tokens: null }]) {
    assert.equal((await failure(call(more))).status, 400, JSON.stringify(more));
  }
  assert.equal(sent.length, 4);
  assert.equal((await ask('/api/serving-endpoints/local-chat/invocations', { input: ['a text to embed'] })).status, 200);
  assert.equal(JSON.parse(sent[4]!.body).max_tokens, undefined);
});

test('what was checked is what is sent', async () => {
  const { ask, sent } = relaying();
  await ask(CHAT, '{"model":"other","model":"local-chat","messages":[]}');
  assert.equal(sent[0]!.body, '{"model":"local-chat","messages":[]}');
});

test('filters of a page narrow those of the policy, and never replace them', async () => {
  const { ask, sent } = relaying();
  const query = (filters?: unknown) => ask(QUERY, { columns: ['id'], query_text: 'leave', ...(filters !== undefined && { filters_json: JSON.stringify(filters) }) });
  await query();
  await query({ region: ['EU'], 'year >=': 2024 });
  await query({ audience: ['all', 'hr'] });
  await ask(QUERY, '{"columns":["id"],"filters_json":"{\\"__proto__\\":{\\"audience\\":\\"hr\\"}}"}');
  assert.deepEqual(sent.map(filtersOf), [
    { audience: ['all'] },
    { audience: ['all'], region: ['EU'], 'year >=': 2024 },
    { audience: ['all'] },
    JSON.parse('{"audience":["all"],"__proto__":{"audience":"hr"}}'),
  ]);
  assert.equal((await failure(query({ audience: 'hr' }))).status, 403);
  const attacks = [
    { 'audience NOT': 'x' }, { ' audience': 'hr' }, { Audience: 'hr' }, { '`audience`': 'hr' }, { 'audience OR region': ['hr', 'EU'] },
    { 'region or AUDIENCE': ['EU', 'hr'] }, [{ audience: 'hr' }], 'audience = "hr"', null,
  ];
  for (const attack of attacks) assert.equal((await failure(query(attack))).status, 400, JSON.stringify(attack));
  for (const body of [{ filter_string: '1=1' }, { filters: {} }, { filters_json: {} }, { filters_json: '{' }, { reranker: {} }]) {
    assert.equal((await failure(ask(QUERY, { columns: ['id'], ...body }))).status, 400, JSON.stringify(body));
  }
  assert.equal(sent.length, 4);
});

test('who may see what depends on the user; without one only public indexes answer', async () => {
  const asHr = relaying(recorded(), { id: 'bo', role: 'hr' });
  await asHr.ask(QUERY, { columns: ['id'] });
  assert.deepEqual(filtersOf(asHr.sent[0]!), { audience: ['all', 'hr'] });
  const { user, ...anonymous } = relaying().options;
  const ask = page(anonymous);
  assert.equal((await failure(ask(QUERY, { columns: ['id'] }))).status, 401);
  assert.equal((await ask('/api/api/2.0/vector-search/indexes/main.default.menu/query', { columns: ['id'] })).status, 200);
});

test('answers lose their headers, and errors what they say about the gateway', async () => {
  const headers = { 'set-cookie': 'a=b', server: 'databricks', 'x-databricks-org-id': '7', 'served-model-name': 'm', 'retry-after': '4' };
  const answering = (status: number, body: unknown) => relaying(recorded(() => Response.json(body, { status, headers }))).ask(CHAT, { model: 'local-chat', messages: [] });
  const good = await answering(200, { choices: [] });
  const allowed = ['cache-control', 'content-type', 'x-content-type-options', 'x-request-id'];
  assert.deepEqual([...good.headers.keys()].sort(), allowed);

  const secret = { error_code: 'PERMISSION_DENIED', message: 'User gateway@corp.example lacks CAN_QUERY on https://adb-1.azuredatabricks.net' };
  for (const [status, told] of [[401, 502], [403, 502], [404, 502], [429, 429], [500, 502], [503, 502], [302, 502]] as const) {
    const response = await answering(status, secret);
    assert.equal(response.headers.get('set-cookie'), null);
    if (status === 429) assert.equal(response.headers.get('retry-after'), '4');
    const refused = await failure(response);
    assert.equal(refused.status, told);
    assert.doesNotMatch(JSON.stringify(refused), /corp|azure/);
  }
  const malformed = await failure(answering(400, { error_code: 'INVALID_PARAMETER_VALUE', message: 'max_tokens must be positive', details: [{ serving_data: 'x' }] }));
  assert.equal(malformed.message, 'max_tokens must be positive');
  assert.ok(!('details' in malformed));
  const page502 = await failure(relaying(recorded(() => new Response('<html>', { headers: { 'content-type': 'text/html' } }))).ask(CHAT, { model: 'local-chat', messages: [] }));
  assert.equal(page502.status, 502);
});

test('a reply streams through, and its tokens are counted', async () => {
  const chunks = ['data: {"choices":[]}\n\n', 'data: {"usage":{"prompt_tokens":11,"completion_tokens":5}}\n\n', 'data: [DONE]\n\n'];
  const body = () => new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });
  const { options } = relaying(recorded(() => new Response(body(), { headers: { 'content-type': 'text/event-stream' } })));
  const lines: unknown[] = [];
  const reply = await page({ ...options, audit: ({ route, prompt_tokens, completion_tokens }) => lines.push([route, prompt_tokens, completion_tokens]) })(CHAT, { model: 'local-chat', messages: [], stream: true });
  assert.equal(await reply.text(), chunks.join(''));
  assert.deepEqual(lines, [['POST /serving-endpoints/chat/completions', 11, 5]]);
});

test('a page that leaves ends the call of the workspace', async () => {
  const workspace = recorded(() => new Response(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array([123])) }), { headers: { 'content-type': 'application/json' } }));
  const reply = await relaying(workspace).ask(CHAT, { model: 'local-chat', messages: [] });
  const reader = reply.body!.getReader();
  await reader.read();
  await reader.cancel();
  assert.ok(workspace.sent[0]!.signal.aborted);
});
