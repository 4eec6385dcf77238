// What a Worker makes of its environment. tests/worker/ runs one in workerd.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inspect, pipeline, predict } from 'lakelet';
import { createWorker, type KeyValueBinding, type WorkerEnv, type WorkerOptions, type WorkerProgram } from 'lakelet/worker';

import { complete, json, reply, serve } from './support.js';

const qa = predict('question -> answer');
const program: WorkerProgram = {
  inputs: [{ name: 'question', type: 'str' }],
  steps: [],
  stream: (inputs, options) => qa.stream(inputs as { question: string }, options),
};

interface Told {
  status: number;
  prediction?: object;
  error_code?: string;
  message?: string;
}

/** A namespace, and how long what was put there is to stay. */
function namespace() {
  const texts = new Map<string, string>();
  const seconds: (number | undefined)[] = [];
  const binding: KeyValueBinding = {
    get: async (key) => texts.get(key) ?? null,
    async put(key, text, { expirationTtl } = {}) {
      texts.set(key, text);
      seconds.push(expirationTtl);
    },
  };
  return { binding, texts, seconds };
}

/** An isolate of a Worker: asks it a question, and waits for what it does after its answer. */
function isolate(env: Partial<WorkerEnv>, options: Partial<WorkerOptions<WorkerEnv>> = {}) {
  const { fetch } = createWorker({ programs: () => ({ qa: { program } }), inspect, audit: () => {}, ...options });
  return async (question: string, headers: Record<string, string> = {}): Promise<Told> => {
    const later: Promise<unknown>[] = [];
    const request = new Request('https://app.example/api/programs/qa', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ inputs: { question } }),
    });
    const response = await fetch(request, { LAKELET_CHAT_ENDPOINT: 'chat', ...env } as WorkerEnv, { waitUntil: (work) => void later.push(work) });
    const told = (await response.json()) as object;
    await Promise.all(later);
    return { status: response.status, ...told };
  };
}

test('answers are kept for a day in the namespace that is bound', async (t) => {
  const server = await serve(t, (_, response) => complete(response, reply({ answer: String(server.received.length) })));
  const { binding: CACHE, texts, seconds } = namespace();
  const env = { DATABRICKS_HOST: server.url, DATABRICKS_TOKEN: 'dapi-test', CACHE };
  const ask = isolate(env);
  const answers = [await ask('?'), await ask('!'), await ask('?'), await isolate(env)('?')];
  assert.deepEqual(answers.map(({ prediction }) => prediction), [{ answer: '1' }, { answer: '2' }, { answer: '1' }, { answer: '1' }]);
  assert.deepEqual([server.received.length, texts.size, seconds], [2, 2, [86_400, 86_400]]);
});

test('tokens are shared by isolates, and cannot be read where they are kept', async (t) => {
  const server = await serve(t, ({ url }, response) => {
    if (url !== '/oidc/v1/token') return complete(response, reply({ answer: 'yes' }));
    json(response, 200, { access_token: `token-${server.received.length}`, expires_in: 3600 });
  });
  const { binding: CACHE, texts, seconds } = namespace();
  const env = { DATABRICKS_HOST: server.url, DATABRICKS_CLIENT_ID: 'an-id', DATABRICKS_CLIENT_SECRET: 'a-secret', CACHE };
  const none = { cache: () => undefined };
  /** The token that the last call was made with. */
  const used = () => server.received.at(-1)?.headers.authorization;

  const ask = isolate(env, none);
  await ask('?');
  await ask('?');
  await isolate(env, none)('?');
  assert.deepEqual([server.received.length, used(), seconds], [4, 'Bearer token-1', [3600]]);
  const [[key = '', sealed = ''] = []] = [...texts];
  assert.match(key, /^token\/[0-9a-f]{64}$/);
  assert.doesNotMatch(sealed + Buffer.from(sealed, 'base64').toString('latin1'), /token-1|a-secret|access_token/);

  const turned = (await isolate({ ...env, DATABRICKS_CLIENT_SECRET: 'the-next-secret' }, none)('?'), used());
  assert.equal(turned, 'Bearer token-5', 'a token that another secret has sealed is not there');
  for (const damaged of ['', '!', 'AAAA', sealed.slice(4), `${sealed.slice(0, -8)}AAAAAAA=`]) {
    texts.set(key, damaged);
    const before = server.received.length;
    assert.equal((await isolate(env, none)('?')).status, 200);
    assert.equal(server.received.length, before + 2, `${damaged} is not a token`);
  }
});

test('the environment names the scopes of the sign-in, and the workspace', async (t) => {
  const server = await serve(t, ({ url }, response) => {
    if (url !== '/oidc/v1/token') return complete(response, reply({ answer: 'yes' }));
    json(response, 200, { access_token: 'the-token', expires_in: 3600 });
  });
  const principal = { DATABRICKS_HOST: server.url, DATABRICKS_CLIENT_ID: 'an-id', DATABRICKS_CLIENT_SECRET: 'a-secret' };
  await isolate({ ...principal, DATABRICKS_WORKSPACE_ID: '123', LAKELET_SCOPES: 'vector-search, model-serving' })('?');
  await isolate(principal)('?');
  const [signIn, call, another] = server.received;
  assert.equal(signIn?.form.get('scope'), 'model-serving vector-search');
  assert.equal(call?.headers['x-databricks-workspace-id'], '123');
  assert.equal(another?.form.get('scope'), 'all-apis');
});

test('one call signs in for all that come meanwhile', async (t) => {
  const server = await serve(t, ({ url }, response) => {
    if (url !== '/oidc/v1/token') return complete(response, reply({ answer: 'yes' }));
    json(response, 200, { access_token: 'the-token', expires_in: 3600 });
  });
  const ask = isolate({ DATABRICKS_HOST: server.url, DATABRICKS_CLIENT_ID: 'an-id', DATABRICKS_CLIENT_SECRET: 'a-secret' });
  const answers = await Promise.all(['1', '2', '3', '4', '5'].map((question) => ask(question)));
  assert.ok(answers.every(({ status }) => status === 200));
  assert.equal(server.received.filter(({ url }) => url === '/oidc/v1/token').length, 1);
});

test('a sign-in that fails is told, and the next call tries again', async (t) => {
  let refused = true;
  const server = await serve(t, ({ url }, response) => {
    if (url !== '/oidc/v1/token') return complete(response, reply({ answer: 'yes' }));
    if (refused) return json(response, 401, { error: 'invalid_client' });
    json(response, 200, { access_token: 'the-token', expires_in: 3600 });
  });
  const ask = isolate({ DATABRICKS_HOST: server.url, DATABRICKS_CLIENT_ID: 'an-id', DATABRICKS_CLIENT_SECRET: 'a-secret' }, { report: () => {} });
  assert.equal((await ask('?')).error_code, 'BACKEND_AUTHENTICATION');
  refused = false;
  assert.equal((await ask('?')).status, 200);
});

test('a pipeline is a program as it is', async (t) => {
  const server = await serve(t, (_, response) => complete(response, reply({ answer: 'yes' })));
  const program = pipeline({
    lakelet: 1,
    name: 'qa',
    inputs: { question: 'str' },
    steps: { answer: { do: 'predict', signature: 'question -> answer', inputs: { question: 'question' } } },
    outputs: { answer: 'answer.answer' },
  });
  const ask = isolate({ DATABRICKS_HOST: server.url, DATABRICKS_TOKEN: 'dapi-test' }, { programs: () => ({ qa: { program } }) });
  assert.deepEqual((await ask('?')).prediction, { answer: 'yes' });
});

test('the platform counts calls by the address that it knows', async (t) => {
  const server = await serve(t, (_, response) => complete(response, reply({ answer: 'yes' })));
  const counted: string[] = [];
  const RATE_LIMITER = { limit: async ({ key }: { key: string }) => ({ success: counted.push(key) < 2 }) };
  const ask = isolate({ DATABRICKS_HOST: server.url, DATABRICKS_TOKEN: 'dapi-test', RATE_LIMITER });
  const asked = [await ask('?', { 'cf-connecting-ip': '192.0.2.1' }), await ask('?', { 'cf-connecting-ip': '192.0.2.1' })];
  assert.deepEqual(asked.map(({ status }) => status), [200, 429]);
  assert.deepEqual(counted, ['192.0.2.1', '192.0.2.1']);
});

test('what is missing is told to the operator, and not to the page', async () => {
  const complete = { DATABRICKS_HOST: 'https://adb-1.azuredatabricks.net', DATABRICKS_TOKEN: 'dapi-test', LAKELET_CHAT_ENDPOINT: 'chat' };
  for (const name of Object.keys(complete)) {
    const reported: unknown[] = [];
    const told = await isolate({ ...complete, [name]: '' }, { report: (error) => void reported.push(error) })('?');
    assert.deepEqual([told.status, told.error_code], [500, 'INTERNAL_ERROR']);
    assert.doesNotMatch(JSON.stringify(told), /DATABRICKS|LAKELET/);
    assert.match(String(reported[0]), new RegExp(`${name}.* is not set`));
  }
});

test('the log names what failed, without what was asked and answered', async (t) => {
  const server = await serve(t, (_, response) => complete(response, 'a private answer'));
  const lines: string[] = [];
  for (const name of ['log', 'error'] as const) t.mock.method(console, name, (line: string) => lines.push(line));
  const { fetch } = createWorker({ programs: () => ({ qa: { program } }) });
  const request = new Request('https://app.example/api/programs/qa', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ inputs: { question: 'a private question' } }),
  });
  const env = { DATABRICKS_HOST: server.url, DATABRICKS_TOKEN: 'dapi-test', LAKELET_CHAT_ENDPOINT: 'chat' };
  assert.equal((await fetch(request, env, { waitUntil: () => {} })).status, 502);
  const [failure, audit] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual([failure?.['code'], failure?.['request_id']], ['parse', audit?.['request_id']]);
  assert.deepEqual([audit?.['route'], audit?.['status'], audit?.['error_code']], ['POST /programs/qa', 502, 'UNREADABLE_REPLY']);
  assert.doesNotMatch(lines.join('\n'), /private|dapi-test/);
});

test('what is not below the base path is a file', async () => {
  const ASSETS = { fetch: async (request: Request) => new Response(`file ${new URL(request.url).pathname}`) };
  const { fetch } = createWorker({ programs: () => ({}) });
  const get = async (path: string, env: object) => fetch(new Request(`https://app.example${path}`), env as WorkerEnv, { waitUntil: () => {} });
  assert.equal(await (await get('/x.js', { ASSETS })).text(), 'file /x.js');
  assert.equal((await get('/x.js', {})).status, 404);
});
