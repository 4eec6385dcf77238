// One gateway as a plain function from Request to Response, under the hosts that take one: Node, Deno and Bun.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { startDatabricks } from './databricks.mjs';
import { events, until } from './waiting.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const HOSTS = {
  node: [process.execPath],
  deno: [here('../../node_modules/@deno/linux-x64-glibc/deno'), 'run', '--quiet', '--no-remote', '--no-lock', '--unstable-no-legacy-abort', '--node-modules-dir=manual', '--allow-read', '--allow-env', '--allow-net=127.0.0.1'],
  bun: [here('../../node_modules/@oven/bun-linux-x64/bin/bun')],
};

let databricks;
/** What the first host answered: the others must answer the same. */
let expected;

before(async () => (databricks = await startDatabricks()));
after(() => databricks.close());

/** Starts the host; it is stopped when the test ends. */
async function start(t, name) {
  const [command, ...options] = HOSTS[name];
  const server = spawn(command, [...options, here(`hosts/${name}.mjs`), databricks.url], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => server.kill());
  const log = [];
  const url = await new Promise((resolve, reject) => {
    server.on('exit', (code) => reject(new Error(`${name} ended with ${code}`)));
    createInterface(server.stdout).on('line', (line) => (line.startsWith('http') ? resolve(line) : log.push(JSON.parse(line))));
  });
  const ask = (accept, signal) =>
    fetch(`${url}/api/programs/enterprise_assistant`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify({ inputs: { question: 'How long is parental leave?', role: 'employee', region: 'EU' } }),
      signal,
    });
  return { ask, log };
}

for (const name of Object.keys(HOSTS)) {
  const missing = existsSync(HOSTS[name][0]) ? false : `there is no ${name} on this machine`;
  test(`${name} answers, streams, and notices who leaves`, { skip: missing }, async (t) => {
    const { ask, log } = await start(t, name);
    const { prediction } = await (await ask('application/json')).json();
    expected ??= prediction;
    assert.equal(prediction.answer, 'Parents get 26 weeks of paid leave.');
    assert.deepEqual(prediction, expected);

    // The first step's reply is complete only after a piece of it has come through.
    let goOn;
    const half = new Promise((resolve) => (goOn = resolve));
    databricks.model = ({ text }) => (text.includes('search_strategy') ? half : undefined);
    let last;
    for await (const event of events(await ask('text/event-stream'))) {
      if (event.type === 'text') goOn();
      last = event;
    }
    assert.deepEqual(last.fields, expected);
    await until(() => log.length === 2);
    assert.deepEqual(log.map(({ status, error_code }) => [status, error_code]), [[200, undefined], [200, undefined]]);

    for (const accept of ['text/event-stream', 'application/json']) {
      const asked = new Promise((resolve) => {
        databricks.model = (request) => {
          resolve(request);
          return new Promise(() => {});
        };
      });
      const before = log.length;
      const leave = new AbortController();
      const answer = ask(accept, leave.signal).then((response) => response.text());
      const { gone } = await asked;
      leave.abort();
      await assert.rejects(answer);
      await gone;
      await until(() => log.length > before);
      assert.equal(log.at(-1).error_code, 'CANCELLED');
    }
    databricks.model = () => {};
  });
}
