import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LakeletError } from 'lakelet';
import { createGateway, GatewayError, tokenBucket, type AuditLine } from 'lakelet/gateway';
import { echo, failure, ORIGIN, page, scripted } from './gateway-support.js';

const programs = { assistant: { program: echo } };
const asEmployee = { user: () => ({ id: 'ada', role: 'employee' }) };

async function text(response: Response | Promise<Response>): Promise<string> {
  return (await response).text();
}

test('a program answers once, or tells its events as they come', async () => {
  const ask = page({ programs });
  const once = await ask('/api/programs/assistant', { inputs: { question: 'Why?' } });
  assert.equal(once.status, 200);
  const { request_id, ...answer } = (await once.json()) as { request_id: string };
  assert.equal(once.headers.get('x-request-id'), request_id);
  assert.deepEqual(answer, {
    prediction: { answer: { question: 'Why?' } },
    stoppedBy: null,
    trace: [{ name: 'generate_answer' }],
  });
  const streamed = await ask('/api/programs/assistant', { inputs: { question: 'Why?' } }, { accept: 'text/event-stream' });
  assert.equal(streamed.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  assert.equal(streamed.headers.get('cache-control'), 'no-store');
  assert.deepEqual((await streamed.text()).split('\n\n').slice(0, -1), [
    'event: started\ndata: {"id":0,"step":"generate_answer","kind":"predict","atMs":0}',
    'event: finished\ndata: {"span":{"name":"generate_answer"}}',
    'event: result\ndata: {"fields":{"answer":{"question":"Why?"}},"stoppedBy":null,"trace":[{"name":"generate_answer"}]}',
  ]);
});

test('programs are listed without what comes from the user', async () => {
  const gateway = createGateway({ programs: { assistant: { program: echo, userInputs: ['role'] } } });
  const list = await (await gateway(new Request(`${ORIGIN}/api/programs`))).json();
  assert.deepEqual(list, {
    programs: [{ name: 'assistant', inputs: [{ name: 'question', type: 'str' }], steps: [{ name: 'generate_answer', kind: 'predict' }] }],
  });
});

test('what the user is comes from the hook, never from the inputs of a page', async () => {
  const served = { programs: { assistant: { program: echo, userInputs: ['role'] } } };
  const ask = page({ ...served, ...asEmployee });
  const answer = await text(ask('/api/programs/assistant', { inputs: { question: 'Why?' }, user: { role: 'hr' } }));
  assert.match(answer, /"answer":\{"question":"Why\?","role":"employee"\}/);
  const claimed = await failure(ask('/api/programs/assistant', { inputs: { question: 'Why?', role: 'hr' } }));
  assert.deepEqual([claimed.status, claimed.error_code], [400, 'INVALID_PARAMETER_VALUE']);
  assert.match(claimed.message, /`role`/);

  const without = await failure(page(served)('/api/programs/assistant', { inputs: { question: 'Why?' } }));
  assert.deepEqual([without.status, without.error_code], [401, 'UNAUTHENTICATED']);
  const stranger = await failure(page({ ...served, user: () => undefined })('/api/programs/assistant', { inputs: { question: 'Why?' } }));
  assert.equal(stranger.status, 401);
  const told = page({ ...served, user: () => { throw new GatewayError(403, 'PERMISSION_DENIED', 'Not today.'); } });
  assert.equal((await failure(told('/api/programs/assistant', { inputs: {} }))).message, 'Not today.');
});

test('failures are told without what stands behind the gateway', async () => {
  const secret = 'dapi-0123 at https://adb-1.azuredatabricks.net';
  const failing = (error: Error) => {
    const reported: unknown[] = [];
    const program = scripted(async function* () {
      throw error;
    });
    return { ask: page({ programs: { assistant: { program } }, report: (error) => reported.push(error) }), reported };
  };
  const cases: [Error, number, string][] = [
    [new LakeletError(`401 for ${secret}`, { code: 'auth' }), 502, 'BACKEND_AUTHENTICATION'],
    [new LakeletError(secret, { code: 'permission' }), 502, 'BACKEND_PERMISSION'],
    [new LakeletError(secret, { code: 'not_found' }), 502, 'BACKEND_NOT_FOUND'],
    [new LakeletError(secret, { code: 'rate_limited', retryAfterMs: 2500 }), 429, 'REQUEST_LIMIT_EXCEEDED'],
    [new LakeletError(secret, { code: 'network' }), 502, 'BACKEND_UNREACHABLE'],
    [new LakeletError(secret, { code: 'deadline' }), 504, 'DEADLINE_EXCEEDED'],
    [new LakeletError(secret, { code: 'config' }), 500, 'INTERNAL_ERROR'],
    [new TypeError(secret), 500, 'INTERNAL_ERROR'],
  ];
  for (const [error, status, code] of cases) {
    for (const accept of ['application/json', 'text/event-stream']) {
      const { ask, reported } = failing(error);
      const response = await ask('/api/programs/assistant', { inputs: { question: 'Why?' } }, { accept });
      if (code === 'REQUEST_LIMIT_EXCEEDED') assert.equal(response.headers.get('retry-after') ?? '3', '3');
      const body = await response.text();
      assert.ok(!body.includes('dapi') && !body.includes('azure'), body);
      assert.match(body, new RegExp(`"error_code":"${code}"`));
      assert.match(body, /"hint":"/);
      assert.deepEqual(reported, [error]);
      assert.equal(response.status, accept === 'application/json' || !body.startsWith('event') ? status : 200);
    }
  }
  const { ask } = failing(new LakeletError('`role` must be one of a, b', { code: 'input', hint: 'did you mean a?' }));
  const input = await failure(ask('/api/programs/assistant', { inputs: { question: 'Why?' } }, { accept: 'text/event-stream' }));
  assert.deepEqual([input.status, input.message, input.hint], [400, '`role` must be one of a, b', 'did you mean a?']);
});

test('an event cannot pass for two', async () => {
  const forged = 'x\n\nevent: result\ndata: {"fields":{"answer":"forged"}}\r\n\r\n\u2028';
  const program = scripted(async function* () {
    yield { type: `text${forged}`, text: forged, [forged]: forged };
    yield { type: 'result', fields: { answer: forged }, stoppedBy: null };
  });
  const told = await text(page({ programs: { assistant: { program } } })('/api/programs/assistant', { inputs: {} }, { accept: 'text/event-stream' }));
  const frames = told.split('\n\n').slice(0, -1).map((frame) => frame.split(/\r\n|\r|\n/));
  assert.deepEqual(frames.map((lines) => lines.map((line) => line.slice(0, 6))), [['event:', 'data: '], ['event:', 'data: ']]);
  assert.deepEqual(JSON.parse(frames[0]![1]!.slice(6)), { text: forged, [forged]: forged });
});

test('a run that failed before it began is told by its own error', async () => {
  const reported: unknown[] = [];
  const error = new LakeletError('the module is not there', { code: 'config' });
  const program = scripted(async function* () {
    throw error;
  });
  const inspect = () => {
    throw new LakeletError('there is no record of this object', { code: 'input' });
  };
  const refused = await failure(page({ programs: { assistant: { program } }, inspect, report: (error) => reported.push(error) })('/api/programs/assistant', { inputs: {} }));
  assert.equal(refused.error_code, 'INTERNAL_ERROR');
  assert.deepEqual(reported, [error]);
});

test('a run that breaks after its first event ends the stream with an error', async () => {
  const lines: AuditLine[] = [];
  const program = scripted(async function* () {
    yield { type: 'started', step: 'retrieve' };
    throw new LakeletError('secret', { code: 'server' });
  });
  const ask = page({ programs: { assistant: { program } }, audit: (line) => lines.push(line) });
  const response = await ask('/api/programs/assistant', { inputs: {} }, { accept: 'text/event-stream' });
  assert.equal(response.status, 200);
  const body = await response.text();
  assert.match(body, /event: error\ndata: \{"error":\{"error_code":"BACKEND_ERROR",.*"request_id":"/);
  assert.deepEqual(lines.map((line) => [line.status, line.error_code]), [[200, 'BACKEND_ERROR']]);
});

test('a program without a result is a failure', async () => {
  const program = scripted(async function* () {
    yield { type: 'started', step: 'retrieve' };
  });
  assert.equal((await failure(page({ programs: { assistant: { program } } })('/api/programs/assistant', { inputs: {} }))).status, 500);
});

test('a caller that leaves ends the run', async () => {
  let stopped!: (reason: string) => void;
  const reason = new Promise<string>((resolve) => (stopped = resolve));
  const lines: AuditLine[] = [];
  const program = scripted(async function* (_, signal) {
    signal.addEventListener('abort', () => stopped('aborted'));
    yield { type: 'started', step: 'retrieve' };
    await new Promise(() => {});
  });
  const ask = page({ programs: { assistant: { program } }, audit: (line) => lines.push(line) });
  const reader = (await ask('/api/programs/assistant', { inputs: {} }, { accept: 'text/event-stream' })).body!.getReader();
  await reader.read();
  const waiting = reader.read();
  await reader.cancel();
  await waiting;
  assert.equal(await reason, 'aborted');
  assert.deepEqual(lines.map((line) => line.error_code), ['CANCELLED']);
});

test('a run that takes too long is given up, whether or not it listens', async () => {
  const program = scripted(async function* () {
    yield { type: 'started', step: 'retrieve' };
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.fail('nobody waits for this');
  });
  const ask = page({ programs: { assistant: { program } }, limits: { timeoutMs: 60, heartbeatMs: 15 } });
  const once = await failure(ask('/api/programs/assistant', { inputs: {} }));
  assert.deepEqual([once.status, once.error_code], [504, 'DEADLINE_EXCEEDED']);
  const streamed = await text(ask('/api/programs/assistant', { inputs: {} }, { accept: 'text/event-stream' }));
  assert.match(streamed, /^event: started\n.*\n\n(:\n\n)+event: error\ndata: .*DEADLINE_EXCEEDED/);
});

test('requests that are no JSON object of a known shape are refused', async () => {
  const ask = page({ programs, limits: { bodyBytes: 100 } });
  const cases: [unknown, Record<string, string>, number][] = [
    [{ inputs: {} }, { 'content-type': 'text/plain' }, 415],
    [{ inputs: {} }, { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['{"inputs":', {}, 400],
    ['', {}, 400],
    ['[]', {}, 400],
    ['{"inputs":[]}', {}, 400],
    [{}, {}, 400],
    [{ inputs: {}, program: {} }, {}, 400],
    [{ inputs: { question: 'x'.repeat(200) } }, {}, 413],
  ];
  for (const [body, headers, status] of cases) {
    const refused = await failure(ask('/api/programs/assistant', body, headers));
    assert.equal(refused.status, status, JSON.stringify(body));
    assert.ok(refused.message);
  }
  // The length is counted, not believed.
  const endless = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array(64).fill(32)) });
  const init = { body: endless, duplex: 'half' } as RequestInit;
  assert.equal((await failure(ask('/api/programs/assistant', '', {}, init))).status, 413);
  const latin1 = { body: new Uint8Array([0x22, 0xff, 0x22]) };
  assert.equal((await failure(ask('/api/programs/assistant', '', {}, latin1))).message, 'The body is not UTF-8.');
});

test('paths that two readers could understand differently lead nowhere', async () => {
  const ask = page({ programs, ...asEmployee });
  const paths = [
    '/api/programs/assistant?x=1', '/api//programs/assistant', '/api/programs//assistant', '/api/programs/assistant/', '/api/programs/%2e%2e/assistant',
    '/api/programs%2fassistant', '/api/programs/%2F..%2Fassistant', '/api/programs/assistant%00', '/api/programs/assistant@evil.example',
    '/api/programs/%5cassistant', '/api/programs/%', '/api/programs/%2561ssistant', '/api/programs/assistant%3Fx', '/api/programs/Assistant',
    '/api/programs/toString', '/api/programs/__proto__', '/programs/assistant', '/apix/programs/assistant', '/api', '/', '/api/programs/assistant/steps',
    '/api/../api/programs/other', '/api/@evil.example/programs/assistant', '/api/https:/evil.example/programs/assistant',
  ];
  for (const path of paths) {
    const { status } = await failure(ask(path, { inputs: { question: 'Why?' } }));
    assert.ok(status === 400 || status === 404, `${path}: ${status}`);
  }
  // An encoded letter is the letter.
  assert.equal((await ask('/api/programs/%61ssistant', { inputs: { question: 'Why?' } })).status, 200);
});

test('pages of other origins are refused unless allowed', async () => {
  const ask = page({ programs, allowedOrigins: ['https://portal.example'] });
  for (const origin of ['https://evil.example', 'http://app.example', 'https://app.example:8443', 'null', 'https://portal.example.evil.example']) {
    const refused = await ask('/api/programs/assistant', { inputs: {} }, { origin });
    assert.equal(refused.status, 403, origin);
    assert.equal(refused.headers.get('access-control-allow-origin'), null);
  }
  const allowed = await ask('/api/programs/assistant', { inputs: {} }, { origin: 'https://portal.example' });
  assert.equal(allowed.status, 200);
  assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://portal.example');
  assert.equal(allowed.headers.get('access-control-allow-credentials'), null);
  const gateway = createGateway({ programs, allowedOrigins: ['https://portal.example'] });
  const preflight = (origin: string) => gateway(new Request(`${ORIGIN}/api/programs/assistant`, { method: 'OPTIONS', headers: { origin } }));
  assert.equal((await preflight('https://portal.example')).headers.get('access-control-allow-methods'), 'GET, POST');
  assert.equal((await preflight('https://evil.example')).status, 403);
});

test('a gateway with names answers to no other', async () => {
  const gateway = createGateway({ programs, names: ['app.example', '::1'] });
  const call = (host: string) => gateway(new Request(`https://${host}/api/programs`));
  for (const host of ['app.example', 'APP.example:8443', '[::1]:80']) assert.equal((await call(host)).status, 200, host);
  for (const host of ['evil.example', 'app.example.evil.example', 'app.example.', '127.0.0.1']) {
    const refused = await failure(call(host));
    assert.deepEqual([refused.status, refused.error_code], [421, 'MISDIRECTED_REQUEST'], host);
  }
});

test('methods that mean nothing say which does', async () => {
  const gateway = createGateway({ programs });
  for (const [path, method, allow] of [['programs', 'DELETE', 'GET'], ['programs/assistant', 'GET', 'POST'], ['serving-endpoints/x/invocations', 'PUT', 'POST']]) {
    const response = await gateway(new Request(`${ORIGIN}/api/${path}`, { method: method! }));
    assert.deepEqual([response.status, response.headers.get('allow')], [405, allow]);
  }
});

test('each client has its own allowance', async () => {
  const options = { programs, rateLimiter: tokenBucket({ perMinute: 6, burst: 2 }) };
  const gateway = createGateway(options);
  const call = (address: string) => gateway(new Request(`${ORIGIN}/api/programs`), { address });
  assert.deepEqual([(await call('a')).status, (await call('a')).status, (await call('b')).status], [200, 200, 200]);
  const refused = await call('a');
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get('retry-after'), '10');
  assert.equal((await failure(refused)).error_code, 'REQUEST_LIMIT_EXCEEDED');
});

test('a client is its network, whichever of its addresses it calls from', async () => {
  const gateway = createGateway({ programs, rateLimiter: tokenBucket({ burst: 1 }) });
  const call = async (address: string) => (await gateway(new Request(`${ORIGIN}/api/programs`), { address })).status;
  const networks = [['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:db8:1:2:3:4:5:6'], ['2001:db8:1:3::1'], ['2001:db8::1', '2001:db8::2:0:0:1'], ['::1', '::2'], ['192.0.2.1', '::ffff:192.0.2.1'], ['192.0.2.2'], ['']];
  for (const [first, ...others] of networks) {
    assert.equal(await call(first!), 200, first);
    for (const other of [first!, ...others]) assert.equal(await call(other), 429, other);
  }
});

test('every call leaves one line without contents', async () => {
  const lines: AuditLine[] = [];
  const ask = page({ programs, ...asEmployee, audit: (line) => lines.push(line) });
  const answered = await ask('/api/programs/assistant', { inputs: { question: 'a private matter' } });
  await text(ask('/api/programs/assistant', { inputs: { question: 'a private matter' } }, { accept: 'text/event-stream' }));
  await ask('/api/programs/secret-name', { inputs: { question: 'a private matter' } });
  assert.deepEqual(lines.map(({ route, status, user, error_code, prompt_tokens }) => [route, status, user, error_code, prompt_tokens]), [
    ['POST /programs/assistant', 200, 'ada', undefined, 7],
    ['POST /programs/assistant', 200, 'ada', undefined, 7],
    ['POST', 404, 'ada', 'RESOURCE_DOES_NOT_EXIST', undefined],
  ]);
  assert.equal(lines[0]!.request_id, answered.headers.get('x-request-id'));
  assert.ok(!JSON.stringify(lines).includes('private'));
});
