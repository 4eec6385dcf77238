// Credentials in every place that something is told: answers, events, the audit, the operator's report, thrown errors, consoles.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect as show } from 'node:util';

import { inspect, pipeline, predict, Workspace } from 'lakelet';
import { createGateway } from 'lakelet/gateway';
import { serve } from 'lakelet/gateway/node';

import { makeCookies } from './cookies.mjs';
import { json, openUpstream } from './upstream.mjs';
import { openWorker } from './workerd.mjs';

const TOKEN = 'dapi-0123456789abcdef';
const CLIENT_SECRET = 'dose-client-secret';
const BASIC = Buffer.from(`an-id:${CLIENT_SECRET}`).toString('base64');
const SECRETS = [TOKEN, CLIENT_SECRET, BASIC];
/** What is told in full to the operator, and never to a page. */
const INNER = /127\.0\.0\.1|adb-1|corp\.example/;

const echo = (status) => ({ headers: { authorization } }, response) =>
  json(response, status, { error_code: authorization, message: `no: ${authorization} at adb-1, ops@corp.example`,
    details: [{ reason: authorization }], request_id: authorization }, { 'x-request-id': authorization,
    location: `https://evil.example/${authorization}` });

/** Ways in which a workspace can fail, some of them repeating what it was sent. */
const failures = {
  ...Object.fromEntries([302, 307, 401, 403, 404, 409, 429, 500, 503].map((status) => [status, echo(status)])),
  'a page of HTML': ({ headers: { authorization } }, response) => response.writeHead(502,
    { 'content-type': 'text/html' }).end(`<html>${authorization}</html>`),
  'a page that says all is well': (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Sign in</html>'),
  'no answer': (_, response) => response.destroy(),
  'half an answer': (_, response) => response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 }).write('{',
    () => response.destroy()),
  'an answer in pieces that breaks off': (_, response) => response.writeHead(200,
    { 'content-type': 'text/event-stream' }).write('data: {"choices":[', () => response.destroy()),
  'a token endpoint that repeats': ({ url, headers, body }, response) => (url === '/oidc/v1/token' ? json(response, 400,
    { error: headers.authorization, error_description: `${body} ${headers.authorization} ${CLIENT_SECRET}` }) : echo(401)({ headers },
    response)),
};

/** Everything that the process says meanwhile. */
function listen(t) {
  const said = [];
  for (const name of ['log', 'info', 'warn', 'error', 'debug']) t.mock.method(console, name, (...values) => said.push(values));
  for (const stream of [process.stderr, process.stdout]) t.mock.method(stream, 'write', function (text, ...rest) {
    said.push(String(text));
    return Object.getPrototypeOf(stream).write.call(stream, text, ...rest);
  });
  const onRejection = (reason) => said.push(['unhandled', reason]);
  process.on('unhandledRejection', onRejection);
  t.after(() => process.off('unhandledRejection', onRejection));
  return said;
}

test('no credential is told to anybody, whatever goes wrong', async (t) => {
  const said = listen(t);
  const upstream = await openUpstream();
  t.after(upstream.close);
  const program = pipeline({ lakelet: 1, name: 'qa', inputs: { question: 'str' },
    steps: { answer: { do: 'predict', signature: 'question -> answer', inputs: { question: 'question' } } },
    outputs: { answer: 'answer.answer' } });
  const [told, kept] = [[], []];
  for (const credential of [{ token: TOKEN }, { clientId: 'an-id', clientSecret: CLIENT_SECRET }]) {
    const workspace = new Workspace({ host: upstream.url, ...credential, retries: 0 });
    kept.push(workspace, workspace.lm('chat'));
    const lm = workspace.lm('chat');
    const bound = { ...program, inputs: program.inputs, steps: program.steps,
      stream: (inputs, options) => program.stream(inputs, { ...options, lm, cache: false }) };
    const server = await serve(createGateway({
      programs: { qa: { program: bound } },
      inspect,
      workspace,
      relay: { endpoints: ['chat'] },
      rateLimiter: { take: () => 0 },
      audit: (line) => kept.push(line),
      report: (error, id) => kept.push([error, id]),
    }), { port: 0 });
    t.after(server.close);
    for (const [name, fail] of Object.entries(failures)) {
      upstream.answer = ({ url, ...request }, response) => {
        if (url === '/oidc/v1/token' && !name.startsWith('a token')) return json(response, 200,
          { access_token: TOKEN, expires_in: 3600, token_type: 'Bearer' });
        return fail({ url, ...request }, response);
      };
      for (const [path, body, accept] of [
        ['programs/qa', { inputs: { question: 'Why?' } }, 'application/json'],
        ['programs/qa', { inputs: { question: 'Why?' } }, 'text/event-stream'],
        ['serving-endpoints/chat/invocations', { messages: [{ role: 'user', content: 'x' }] }, 'application/json'],
        ['serving-endpoints/chat/invocations', { messages: [{ role: 'user', content: 'x' }], stream: true }, 'text/event-stream'],
      ]) {
        const response = await fetch(`${server.url}/api/${path}`, { method: 'POST', headers: { 'content-type': 'application/json', accept },
          body: JSON.stringify(body) });
        told.push([name, path, [...response.headers], await response.text().catch(() => 'cut off')]);
      }
      await predict('question -> answer').run({ question: 'Why?' }, { lm, cache: false }).catch((error) => kept.push(error));
    }
  }
  assert.ok(told.length > 100 && kept.length > told.length, 'everything was tried');
  const everything = show([told, kept, said], { depth: Infinity, showHidden: true, maxArrayLength: null, maxStringLength: null,
    getters: true });
  for (const secret of SECRETS) assert.ok(!everything.includes(secret), `${secret} in ${around(everything, secret)}`);
  // What the operator is told of the workspace stays with the operator.
  for (const [name, path, headers, text] of told) assert.doesNotMatch(`${headers} ${show(text)}`, INNER, `${name}, ${path}`);
  assert.match(show(kept, { depth: Infinity }), INNER);
  assert.deepEqual(said.filter(([what]) => what === 'unhandled'), []);
});

function around(text, part) {
  const at = text.indexOf(part);
  return text.slice(Math.max(0, at - 300), at + 100);
}

const CALL = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"messages":[]}' };
const PATH = '/api/serving-endpoints/chat/invocations';

function inNode(_, host) {
  const gateway = createGateway({ workspace: new Workspace({ host, token: TOKEN, retries: 0 }), relay: { endpoints: ['chat'] },
    rateLimiter: { take: () => 0 } });
  return () => gateway(new Request(`https://app.example${PATH}`, CALL));
}

async function inWorkerd(t, host) {
  const { url, close } = await openWorker({ host, token: TOKEN, onLine: () => {} });
  t.after(close);
  const { good: cookie } = await makeCookies(() => {});
  return () => fetch(url + PATH, { ...CALL, headers: { ...CALL.headers, cookie } });
}

async function leadNowhere(t, open) {
  const [workspace, evil] = [await openUpstream(), await openUpstream()];
  t.after(workspace.close);
  t.after(evil.close);
  const ask = await open(t, workspace.url);
  for (const status of [301, 302, 303, 307, 308]) {
    for (const location of [evil.url, `//${new URL(evil.url).host}/x`, evil.url + PATH, '/elsewhere']) {
      workspace.answer = (_, response) => response.writeHead(status, { location }).end();
      const answer = await ask();
      assert.equal(answer.status, 502);
      assert.equal(answer.headers.get('location'), null);
    }
  }
  assert.deepEqual(evil.received, []);
  assert.deepEqual(new Set(workspace.received.map(({ url }) => url)), new Set(['/serving-endpoints/chat/invocations']));
}

test('a workspace that redirects leads the credential nowhere', (t) => leadNowhere(t, inNode));

test('a workspace that redirects leads the credential of a Worker nowhere', (t) => leadNowhere(t, inWorkerd));
