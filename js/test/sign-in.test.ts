// The user signs in with the browser: the requests beside the recorded ones of Databricks' SDK, and what is kept.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { LakeletError } from 'lakelet';
import { configureDatabricks } from 'lakelet/databricks';

const recorded = JSON.parse(readFileSync(new URL('../../../tests/databricks/recorded/auth-u2m-pkce.json', import.meta.url), 'utf8')) as {
  exchanges: { request: { path: string; body: { value: [string, string][] } }; response: { body: { value: object } } }[];
  client_result: { authorization_url: Record<string, string> };
};

type Form = Record<string, string>;

/** A workspace that gives tokens as it is told and embeds everything as one number; with a folder for the tokens that are kept. */
async function workspace(t: TestContext, token: (form: Form) => { status?: number; [member: string]: unknown }) {
  const folder = mkdtempSync(join(tmpdir(), 'lakelet-sign-in-'));
  const before = process.env['LAKELET_CACHE'];
  process.env['LAKELET_CACHE'] = folder;
  const forms: Form[] = [];
  const bearers: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
      const answer = (status: number, body: unknown) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      if (request.url !== '/oidc/v1/token') {
        bearers.push(request.headers.authorization);
        return answer(200, { data: [{ embedding: [1], index: 0 }] });
      }
      const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
      forms.push(form);
      const { status = 200, ...body } = token(form);
      answer(status, body);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
    if (before === undefined) delete process.env['LAKELET_CACHE'];
    else process.env['LAKELET_CACHE'] = before;
    rmSync(folder, { recursive: true });
  });
  const shown: URL[] = [];
  const host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  /** A program that starts: it signs in by what `browser` brings back. */
  const start = async (browser: (page: URL) => Form = allow) => {
    const { workspace } = await configureDatabricks({
      environment: { DATABRICKS_HOST: host, DATABRICKS_AUTH_TYPE: 'external-browser' },
      retries: 0,
      onSignIn: (url) => {
        const page = new URL(url);
        shown.push(page);
        void fetch(`${page.searchParams.get('redirect_uri')}?${new URLSearchParams(browser(page))}`);
      },
    });
    const embed = workspace.embedder('e');
    return () => embed(['x']);
  };
  return { host, forms, bearers, shown, folder: join(folder, 'oauth'), start };
}

/** What the browser brings when the user consents. */
const allow = (page: URL): Form => ({ code: 'auth-code-1', state: page.searchParams.get('state') ?? '' });
const fresh = { access_token: 'eyJ-user', refresh_token: 'rt-1', token_type: 'Bearer', expires_in: 3600, scope: 'all-apis offline_access' };

test('signing in sends what the SDK sends', async (t) => {
  const [, exchange, refresh] = recorded.exchanges;
  const { start, forms, shown, host, bearers } = await workspace(t, ({ grant_type }) =>
    grant_type === 'authorization_code' ? { ...exchange?.response.body.value, expires_in: 30 } : { ...refresh?.response.body.value });
  await (await start())();
  await (await start())(); // what was kept ends in 30 seconds: it is refreshed

  const [page] = shown;
  const { path, state, code_challenge, ...asked } = recorded.client_result.authorization_url;
  assert.equal(page?.origin, host);
  assert.equal(page?.pathname, path);
  const { state: ourState, code_challenge: ourChallenge, ...ours } = Object.fromEntries(page?.searchParams ?? []);
  assert.deepEqual(ours, asked);
  assert.equal(ourState?.length, state?.length);
  assert.equal(ourChallenge?.length, code_challenge?.length);

  const wanted = [exchange, refresh].map((it) => Object.fromEntries(it?.request.body.value ?? []));
  const [first, second] = forms;
  assert.deepEqual({ ...first, code_verifier: '' }, { ...wanted[0], code_verifier: '' });
  assert.equal(createHash('sha256').update(first?.['code_verifier'] ?? '').digest('base64url'), ourChallenge);
  assert.deepEqual(second, wanted[1]);
  assert.deepEqual(bearers, ['Bearer eyJ-user', 'Bearer eyJ-user']);
});

test('what was signed in is kept for the next program, for its owner alone', async (t) => {
  const { start, shown, folder, forms } = await workspace(t, () => fresh);
  await (await start())();
  await (await start())();
  assert.deepEqual([shown.length, forms.length], [1, 1]);
  const [name = ''] = readdirSync(folder);
  assert.equal(readdirSync(folder).length, 1);
  assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
});

test('calls at once ask the user once', async (t) => {
  const { start, shown } = await workspace(t, () => fresh);
  const call = await start();
  await Promise.all([call(), call(), call()]);
  assert.equal(shown.length, 1);
});

test('a refresh token that is refused leads back to the browser', async (t) => {
  let ends = 30;
  const { start, shown, forms } = await workspace(t, ({ grant_type }) => {
    if (grant_type === 'refresh_token') return { status: 400, error: 'invalid_grant', error_description: 'rt-1 was revoked' };
    return { ...fresh, expires_in: ends };
  });
  await (await start())();
  ends = 3600;
  await (await start())();
  assert.deepEqual(forms.map(({ grant_type }) => grant_type), ['authorization_code', 'refresh_token', 'authorization_code']);
  assert.equal(shown.length, 2);
});

test('a user who refuses, and an endpoint that does, are told without what was secret', async (t) => {
  const { start } = await workspace(t, ({ code_verifier }) => ({ status: 401, error: 'invalid_client', error_description: `verifier ${code_verifier} is unknown` }));
  const refuse = (page: URL) => ({ error: 'access_denied', error_description: 'No.', state: page.searchParams.get('state') ?? '' });
  await assert.rejects((await start(refuse))(), (error: LakeletError) => {
    assert.deepEqual([error.code, error.message], ['auth', 'access_denied: No.']);
    return true;
  });
  await assert.rejects((await start())(), (error: LakeletError) => {
    assert.deepEqual([error.code, error.message], ['auth', 'invalid_client: verifier *** is unknown']);
    return true;
  });
});

test('who does not know the state is not listened to', async (t) => {
  const { start } = await workspace(t, () => fresh);
  let refusal: Promise<Response> | undefined;
  const call = await start((page) => {
    refusal = fetch(`${page.searchParams.get('redirect_uri')}?code=stolen&state=guessed`);
    return allow(page);
  });
  await call();
  assert.equal((await refusal)?.status, 400);
});
