// A gateway in a Databricks App, which is told with every request who asks.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pipeline } from 'lakelet';
import { configureDatabricks } from 'lakelet/databricks';
import { databricksApp, type GatewayOptions } from 'lakelet/gateway';
import { failure, page } from './gateway-support.js';
import { complete, reply, serve } from './support.js';

const APP = { DATABRICKS_APP_NAME: 'assistant', DATABRICKS_CLIENT_ID: 'app', DATABRICKS_CLIENT_SECRET: 'app-secret' };
const ADA = { 'x-forwarded-user': '7', 'x-forwarded-email': 'ada@example.com', 'x-forwarded-access-token': 'of-ada' };
const program = pipeline({
  lakelet: 1,
  name: 'qa',
  inputs: { question: 'str' },
  steps: { answer: { do: 'predict', signature: 'question -> answer', inputs: { question: 'question' } } },
  outputs: { answer: 'answer.answer' },
});

test('programs and relayed calls go out in the name of who asks', async (t) => {
  const server = await serve(t, (_, response) => complete(response, reply({ answer: 'yes' })));
  const databricks = await configureDatabricks({ environment: { ...APP, DATABRICKS_HOST: server.url }, lm: 'chat' });
  const app = databricksApp(APP);
  const audited: unknown[] = [];
  const options: GatewayOptions = {
    programs: { qa: { program } },
    relay: { endpoints: ['chat'] },
    user: app.user,
    reach: (request) => ({ ...databricks.onBehalfOf(app.token(request)) }),
    audit: (line) => audited.push(line),
  };
  const ask = page(options);
  assert.equal((await ask('/api/programs/qa', { inputs: { question: '?' } }, ADA)).status, 200);
  const messages = [{ role: 'user', content: '?' }];
  assert.equal((await ask('/api/serving-endpoints/chat/invocations', { messages }, { ...ADA, 'x-forwarded-access-token': 'of-ada-later' })).status, 200);
  assert.deepEqual(server.received.map(({ headers }) => headers.authorization), ['Bearer of-ada', 'Bearer of-ada-later']);
  assert.match(JSON.stringify(audited), /"user":"7"/);
  assert.doesNotMatch(JSON.stringify(audited), /of-ada/);

  const stranger = await failure(ask('/api/programs/qa', { inputs: { question: '?' } }));
  assert.deepEqual([stranger.status, stranger.error_code], [401, 'UNAUTHENTICATED']);
  const { 'x-forwarded-access-token': _, ...withoutToken } = ADA;
  assert.match((await failure(ask('/api/programs/qa', { inputs: { question: '?' } }, withoutToken))).message, /not given a token/);
  assert.equal(server.received.length, 2);
});

test('the user is known by the headers of the proxy', () => {
  const { user } = databricksApp(APP);
  assert.deepEqual(user(new Request('https://app.example', { headers: ADA })), { id: '7', email: 'ada@example.com' });
  assert.equal(user(new Request('https://app.example')), undefined);
});

test('outside of a Databricks App nobody believes the headers', () => {
  assert.throws(() => databricksApp({}), { code: 'config', message: /no Databricks App/ });
});
