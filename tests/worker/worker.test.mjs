// The Worker of examples/worker as wrangler bundles it, in workerd, against a workspace that answers as each test wants it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { startDatabricks } from './databricks.mjs';
import { bundle } from './isolate.mjs';
import { startStores } from './stores.mjs';
import { events, until } from './waiting.mjs';

const SECRETS = { DATABRICKS_CLIENT_ID: 'an-id', DATABRICKS_CLIENT_SECRET: 'the-secret-of-the-client' };
const READER = { role: 'employee', region: 'EU', department: 'engineering' };
const variables = { LAKELET_BELIEVE_THE_PAGE: 'yes' };

let assistant, databricks, stores, isolate;

before(async () => {
  [assistant, databricks, stores] = await Promise.all([bundle('../../examples/worker'), startDatabricks(), startStores()]);
  isolate = await assistant.start({ databricks, stores, secrets: SECRETS, variables });
});

after(async () => {
  await isolate?.close();
  await assistant?.remove();
  databricks?.close();
  stores?.close();
});

let address = 0;

/** Asks the assistant, each time from another address: one may ask three times. */
function ask(question, { url = isolate.url, accept = 'application/json', from = `198.51.100.${++address}`, user = READER, headers = {}, signal } = {}) {
  return fetch(`${url}/api/programs/enterprise_assistant`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept, 'cf-connecting-ip': from, ...headers },
    body: JSON.stringify({ inputs: { question }, user }),
    signal,
  });
}

const modelCalls = () => databricks.received.filter(({ path }) => path.startsWith('/serving-endpoints/')).length;
const audits = (log = isolate.log) => log.filter((line) => line.includes('"route"')).map((line) => JSON.parse(line));

test('the template has the right types, and fits the smallest plan', async () => {
  const here = (path) => fileURLToPath(new URL(path, import.meta.url));
  execFileSync(process.execPath, [here('../../node_modules/typescript/bin/tsc'), '-p', here('../../examples/worker')], { stdio: ['ignore', 'inherit', 'inherit'] });
  const files = (await readdir(assistant.folder)).filter((name) => name === 'index.js' || name.endsWith('.wasm'));
  const sizes = await Promise.all(files.map(async (name) => gzipSync(await readFile(join(assistant.folder, name))).length));
  const total = sizes.reduce((sum, size) => sum + size);
  assert.ok(total < 1024 * 1024, `the bundle has ${total} bytes in gzip; Cloudflare's free plan takes 3 MB`);
});

test('the assistant answers', async () => {
  const response = await ask('How long is parental leave?');
  const { prediction, trace, request_id } = await response.json();
  assert.equal(response.status, 200);
  assert.equal(prediction.answer, 'Parents get 26 weeks of paid leave.');
  assert.equal(prediction.sources[0].document, 'leave.md');
  assert.deepEqual([trace.length > 0, modelCalls()], [true, 4]);
  await until(() => audits().length === 1);
  const [line] = audits();
  assert.deepEqual([line.request_id, line.route, line.status, line.user], [request_id, 'POST /programs/enterprise_assistant', 200, 'employee, EU, engineering']);
});

test('an answer arrives piece by piece', async () => {
  let goOn;
  const half = new Promise((resolve) => (goOn = resolve));
  databricks.model = ({ text }) => (text.includes('search_strategy') ? half : undefined);
  const seen = [];
  // The first step's reply is complete only after a piece of it has come through.
  for await (const event of events(await ask('How is leave paid?', { accept: 'text/event-stream' }))) {
    seen.push(event.type);
    if (event.type === 'text') goOn();
  }
  databricks.model = () => {};
  assert.equal(seen.at(-1), 'result');
});

// workerd itself notices who leaves only once the head of the answer is sent.
test('who leaves ends the calls that were made for it', async () => {
  let asked;
  const arrived = new Promise((resolve) => (asked = resolve));
  databricks.model = (request) => {
    asked(request);
      return new Promise(() => {});
  };
  const before = audits().length;
  const leave = new AbortController();
  const response = await ask('Who pays?', { accept: 'text/event-stream', signal: leave.signal });
  const { gone } = await arrived;
  leave.abort();
  await gone;
  await assert.rejects(response.text());
  await until(() => audits().length > before);
  assert.equal(audits().at(-1).error_code, 'CANCELLED');
  databricks.model = () => {};
});

test('nobody waits for the connections of another', { timeout: 60_000 }, async () => {
  // Many at once, none of whom has a token; the first leave while theirs is on its way.
  const other = await assistant.start({ databricks, stores: { ...stores }, secrets: { ...SECRETS, DATABRICKS_CLIENT_ID: 'another-id' }, variables });
  const leave = new AbortController();
  const [impatient, patient] = [4, 8].map((n) => Array.from({ length: n }, (_, i) => i));
  const left = impatient.map((i) => ask(`Left ${i}?`, { url: other.url, signal: leave.signal }));
  const stayed = patient.map((i) => ask(`Stayed ${i}?`, { url: other.url }));
  await until(() => databricks.received.some(({ text }) => text.includes('Left')));
  leave.abort();
  await Promise.allSettled(left);
  for (const response of await Promise.all(stayed)) assert.equal((await response.json()).prediction.answer, 'Parents get 26 weeks of paid leave.');
  await other.close();
});

test('answers and tokens are found by the next isolate, and secrets are nowhere', async () => {
  await (await ask('How long is parental leave?')).text();
  const asked = databricks.received.length;
  const next = await assistant.start({ databricks, stores, secrets: SECRETS, variables });
  const { prediction } = await (await ask('How long is parental leave?', { url: next.url })).json();
  assert.equal(prediction.answer, 'Parents get 26 weeks of paid leave.');
  assert.deepEqual(databricks.received.slice(asked).map(({ path }) => path.split('/').at(-1)), ['query'], 'only the search is not kept');
  await next.close();

  assert.deepEqual([...new Set([...stores.texts.keys()].map((key) => key.split('/')[0]))].sort(), ['answer', 'token']);
  const kept = [...stores.texts].filter(([key]) => key.startsWith('token/')).map(([, text]) => text + Buffer.from(text, 'base64').toString('latin1'));
  for (const text of [...kept, ...isolate.log, ...next.log]) assert.doesNotMatch(text, /a-short-lived-token|the-secret-of-the-client/);
});

test('calls are counted by the platform', async () => {
  const statuses = [];
  for (let call = 0; call < 4; call++) statuses.push((await ask('How long is parental leave?', { from: '192.0.2.1' })).status);
  assert.deepEqual(statuses, [200, 200, 200, 429]);
});

test('what fails behind the Worker is told in general words, and the next answer comes', async () => {
  databricks.refuse = () => 403;
  const failed = await ask('May I?');
  databricks.refuse = () => undefined;
  const told = await failed.json();
  assert.deepEqual([failed.status, told.error_code], [502, 'BACKEND_PERMISSION']);
  assert.ok(!JSON.stringify(told).includes(databricks.url) && !JSON.stringify(told).includes('scripted'));
  assert.ok(isolate.log.some((line) => line.includes(told.request_id) && line.includes('"code":"permission"')));
  assert.equal((await ask('May I?')).status, 200);
});

test('a sign-in is believed, and nobody else', async () => {
  const { publicKey, privateKey } = await crypto.subtle.generateKey({ name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }, true, ['sign', 'verify']);
  databricks.keys = [{ ...(await crypto.subtle.exportKey('jwk', publicKey)), kid: 'one' }];
  const part = (json) => Buffer.from(JSON.stringify(json)).toString('base64url');
  const token = async (claims) => {
    const text = `${part({ alg: 'RS256', kid: 'one' })}.${part({ iss: databricks.url, aud: ['the-app'], exp: Date.now() / 1000 + 60, email: 'ada@norrvik.example', ...claims })}`;
    return `${text}.${Buffer.from(await crypto.subtle.sign('RSASSA-PKCS1-v1_5', privateKey, Buffer.from(text))).toString('base64url')}`;
  };
  const access = await assistant.start({ databricks, stores, secrets: SECRETS, variables: { ACCESS_ISSUER: databricks.url, ACCESS_AUDIENCE: 'the-app' } });
  const status = async (headers) => (await ask('How long is parental leave?', { url: access.url, headers })).status;
  const good = await token({ custom: READER });
  assert.equal(await status({ 'cf-access-jwt-assertion': good }), 200);
  await until(() => audits(access.log).length === 1);
  assert.equal(audits(access.log)[0].user, 'ada@norrvik.example');
  for (const bad of [undefined, good.slice(0, -9) + 'AAAAAAAAA', await token({ custom: READER, aud: ['another'] }), await token({ custom: { ...READER, role: 'king' } })]) {
    assert.equal(await status(bad && { 'cf-access-jwt-assertion': bad }), 401);
  }
  await access.close();
});
