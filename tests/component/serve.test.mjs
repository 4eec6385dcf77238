// The world `server` under the hosts that run it: `wasmtime serve` and `jco serve`, over real HTTP, on the scripted workspace.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { hasWasmtime, startWasmtime } from '../../www/server/wasmtime.mjs';

const COMPONENT = fileURLToPath(new URL('../../build/component/lakelet-server.component.wasm', import.meta.url));
const JCO = fileURLToPath(new URL('../../node_modules/@bytecodealliance/jco/dist/jco.js', import.meta.url));
const PROGRAM = JSON.stringify({
  lakelet: 1,
  name: 'echo',
  inputs: { question: 'str' },
  steps: { reply: { do: 'predict', signature: 'question -> answer', inputs: { question: 'question' } } },
  outputs: { answer: 'reply.answer' },
});
const TOKEN = 'dapi-for-tests';

/** Why a test is skipped that needs Wasmtime. */
const skip = hasWasmtime ? false : 'there is no wasmtime command';

let workspace;
const closing = [];

before(async () => {
  const server = spawn(process.execPath, [fileURLToPath(new URL('endpoint.mjs', import.meta.url))], { stdio: ['ignore', 'pipe', 'inherit'] });
  closing.push(() => server.kill());
  workspace = `http://127.0.0.1:${String(await once(server.stdout, 'data')).trim()}`;
});

after(() => Promise.all(closing.map((close) => close())));

const settings = (endpoint, others = {}) => ({ DATABRICKS_HOST: workspace, DATABRICKS_TOKEN: TOKEN, LAKELET_CHAT_ENDPOINT: endpoint, LAKELET_PROGRAM: PROGRAM, ...others });

async function wasmtime(environment, flags = []) {
  const log = [];
  const { url, close } = await startWasmtime(COMPONENT, { environment, flags, onLine: (line) => log.push(line) });
  closing.push(close);
  return { url, log };
}

/** jco takes no port 0. */
async function jco(environment) {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  const server = spawn(process.execPath, [JCO, 'serve', '--host', '127.0.0.1', '--port', String(port), '--isolate-worker-pool-size', '1', COMPONENT], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  // It serves in a process of its own, which outlives it.
  closing.push(() => process.kill(-server.pid));
  const log = [];
  createInterface(server.stdout).on('line', (line) => log.push(line));
  await new Promise((listening, failed) => {
    createInterface(server.stderr).on('line', (line) => (line.includes('Server listening') ? listening() : log.push(line)));
    server.on('exit', (code) => failed(new Error(`jco ended with ${code}:\n${log.join('\n')}`)));
  });
  return { url: `http://127.0.0.1:${port}`, log };
}

const ask = (url, { accept = 'application/json', question = 'Why?', ...more } = {}) =>
  fetch(`${url}/api/programs/echo`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify({ inputs: { question } }),
    ...more,
  });

const EVENTS = { accept: 'text/event-stream' };
const names = (body) => [...body.matchAll(/^event: (.*)$/gm)].map(([, name]) => name);
const seen = async () => (await fetch(`${workspace}/seen`)).json();

/** Waits for what another process tells in its own time. */
async function until(what, holds) {
  for (let tries = 0; !(await holds()); tries++) {
    assert.ok(tries < 200, `not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const audit = (log) => log.filter((line) => line.startsWith('{"time"')).map((line) => JSON.parse(line));

for (const [name, start, missing] of [['wasmtime serve', wasmtime, skip], ['jco serve', jco, false]]) {
  test(`${name} lists the program, answers, and tells the events`, { skip: missing }, async () => {
    const { url, log } = await start(settings('echo'));
    const { programs } = await (await fetch(`${url}/api/programs`)).json();
    assert.deepEqual(programs.map((program) => program.name), ['echo']);
    const whole = await ask(url);
    assert.equal(whole.status, 200);
    assert.equal(whole.headers.get('cache-control'), 'no-store');
    assert.deepEqual((await whole.json()).prediction, { answer: 'Why?!' });
    const streamed = await ask(url, EVENTS);
    assert.equal(streamed.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    const told = names(await streamed.text());
    assert.deepEqual([told[0], told.at(-1)], ['started', 'result']);
    assert.ok(told.filter((event) => event === 'text').length > 1);
    const question = 'Why '.repeat(2500);
    const long = await (await ask(url, { question })).json();
    assert.equal(long.prediction.answer, `${question.trimEnd()} !`);
    const refused = await ask(url, { body: '{' });
    assert.deepEqual([refused.status, (await refused.json()).message], [400, 'The body is not JSON.']);
    await until('five lines of the audit', () => audit(log).length === 5);
    assert.deepEqual(audit(log).map(({ route, status }) => `${route} ${status}`), ['GET /programs 200', ...Array(3).fill('POST /programs/echo 200'), 'POST 400']);
    assert.ok(!log.join('\n').includes(TOKEN) && !log.join('\n').includes('Why?'));
  });
}

test('a caller who leaves ends the run, and its request of the model', { skip }, async () => {
  await fetch(`${workspace}/reset`);
  const { url, log } = await wasmtime(settings('endless'));
  const leaving = new AbortController();
  const reader = (await ask(url, { ...EVENTS, signal: leaving.signal })).body.getReader();
  await reader.read();
  leaving.abort();
  await until('the line of the audit', () => audit(log).length === 1);
  assert.deepEqual(audit(log).map(({ status, error_code }) => [status, error_code]), [[200, 'CANCELLED']]);
  await until('the aborted request', async () => (await seen()).aborted === 1);
});

test('a caller who leaves while nothing is told ends the run as well', { skip }, async () => {
  await fetch(`${workspace}/reset`);
  const { url, log } = await wasmtime(settings('silent'));
  const leaving = new AbortController();
  const reader = (await ask(url, { ...EVENTS, signal: leaving.signal })).body.getReader();
  await reader.read();
  await until('the request of the model', async () => (await seen()).bodies.length === 1);
  leaving.abort();
  await until('the line of the audit', () => audit(log)[0]?.error_code === 'CANCELLED');
  await until('the aborted request', async () => (await seen()).aborted === 1);
});

test('a call that takes too long is answered all the same', { skip }, async () => {
  const { url } = await wasmtime(settings('silent', { LAKELET_TIMEOUT_MS: '300' }));
  const late = await ask(url);
  assert.deepEqual([late.status, (await late.json()).error_code], [504, 'DEADLINE_EXCEEDED']);
  const told = await (await ask(url, EVENTS)).text();
  assert.match(told, /event: error\ndata: .*DEADLINE_EXCEEDED.*\n\n$/);
});

test('settings that are missing are named in the log, and the caller is told to ask', { skip }, async () => {
  const { url, log } = await wasmtime(settings('echo', { DATABRICKS_HOST: '' }));
  const refused = await ask(url);
  assert.deepEqual([refused.status, (await refused.json()).error_code], [500, 'INTERNAL_ERROR']);
  await until('the reason', () => /DATABRICKS_HOST/.test(log.join('\n')));
});

test('an answer that the host cuts off has no result, and the next one is whole', { skip }, async () => {
  const cut = async (url, question) => names(await ask(url, { ...EVENTS, question }).then((response) => response.text(), () => ''));
  for (const flags of [['-W', 'timeout=1500ms', '-W', 'max-memory-size=2000000'], ['-W', 'fuel=16000000']]) {
    const { url } = await wasmtime(settings('endless'), flags);
    // A short question is answered until time or fuel is over; a long one finds no room.
    for (const question of ['Why?', 'Why '.repeat(50_000)]) {
      const told = await cut(url, question);
      assert.ok(!told.includes('result') && !told.includes('error'), `${flags}: ${told.at(-1)}`);
    }
    assert.equal((await fetch(`${url}/api/programs`)).status, 200, flags.join(' '));
  }
});

test('it imports nothing that a server does not need', () => {
  const wit = execFileSync(process.execPath, [JCO, 'wit', COMPONENT], { encoding: 'utf8' });
  const [world] = /world root \{[^}]*\}/.exec(wit);
  assert.deepEqual([...world.matchAll(/(?:import|export) (\S+);/g)].map(([, name]) => name).sort(), [
    'wasi:cli/environment@0.2.0',
    'wasi:cli/stderr@0.2.0',
    'wasi:clocks/monotonic-clock@0.2.0',
    'wasi:clocks/wall-clock@0.2.0',
    'wasi:http/incoming-handler@0.2.0',
    'wasi:http/outgoing-handler@0.2.0',
    'wasi:http/types@0.2.0',
    'wasi:io/error@0.2.0',
    'wasi:io/poll@0.2.0',
    'wasi:io/streams@0.2.0',
    'wasi:random/random@0.2.0',
  ]);
});
