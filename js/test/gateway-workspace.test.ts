// A program in a page, whose workspace is a gateway, whose workspace is a server: nothing scripted between the two ends.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { LakeletError, predict, Workspace } from 'lakelet';
import { createGateway } from 'lakelet/gateway';
import { serve } from 'lakelet/gateway/node';
import * as upstream from './support.js';

const TOKEN = 'dapi-secret';
const PIECES = ['[[ ## answer ## ]]\nFour', ' words, no more\n\n[[ ## completed ## ]]'];
const qa = predict('question -> answer');

/** The two ends, and the gateway between them. */
async function connected(t: TestContext) {
  const server = await upstream.serve(t, ({ body }, response) => {
    if (body.stream) upstream.stream(response, PIECES);
    else upstream.complete(response, PIECES.join(''));
  });
  const audit: unknown[] = [];
  const gateway = await serve(createGateway({
    workspace: new Workspace({ host: server.url, token: TOKEN, retries: 0 }),
    relay: { endpoints: ['chat'] },
    audit: ({ status, prompt_tokens, completion_tokens }) => audit.push([status, prompt_tokens, completion_tokens]),
  }), { port: 0 });
  t.after(() => gateway.close());
  return { page: new Workspace({ baseUrl: `${gateway.url}/api`, retries: 0 }), received: server.received, audit };
}

test('a program in a page asks a listed endpoint through the gateway, whole and streamed', async (t) => {
  const { page, received, audit } = await connected(t);
  const lm = page.lm('chat');
  assert.deepEqual(await qa.run({ question: 'How many?' }, { lm, cache: false }), { answer: 'Four words, no more' });
  const stream = qa.stream({ question: 'How many?' }, { lm, cache: false });
  let written = '';
  for await (const event of stream) if (event.type === 'text') written += event.text;
  assert.equal(written, 'Four words, no more');
  assert.deepEqual(await stream.result, { answer: 'Four words, no more' });
  for (const { headers, url } of received) {
    assert.equal(headers.authorization, `Bearer ${TOKEN}`);
    assert.match(url, /^\/serving-endpoints\//);
  }
  assert.deepEqual(audit, [[200, 11, 7], [200, 11, 7]]);
});

test('an endpoint off the list is an error of the page, and is not asked', async (t) => {
  const { page, received } = await connected(t);
  await assert.rejects(qa.run({ question: 'How many?' }, { lm: page.lm('other') }), (error: unknown) => {
    assert.ok(error instanceof LakeletError);
    assert.deepEqual([error.code, error.status, error.errorCode], ['not_found', 404, 'RESOURCE_DOES_NOT_EXIST']);
    return true;
  });
  assert.deepEqual(received, []);
});

test('a page that cancels ends the call of the endpoint', async (t) => {
  const server = await upstream.serve(t, (_, response) => upstream.stream(response, PIECES.slice(0, 1), false));
  const workspace = new Workspace({ host: server.url, token: TOKEN, retries: 0 });
  const gateway = await serve(createGateway({ workspace, relay: { endpoints: ['chat'] } }), { port: 0 });
  t.after(() => gateway.close());
  const lm = new Workspace({ baseUrl: `${gateway.url}/api`, retries: 0 }).lm('chat');
  for await (const event of qa.stream({ question: 'How many?' }, { lm })) if (event.type === 'text') break;
  await server.received[0]!.gone;
});
