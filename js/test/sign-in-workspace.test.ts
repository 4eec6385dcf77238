// Every way to authenticate, from one call of configureDatabricks to an answer of the local workspace.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { configureDatabricks, type DatabricksOptions } from 'lakelet/databricks';
import { startWorkspace } from 'lakelet-workspace';

const ISSUER = 'https://issuer.example';

/** What the user does on the page that asks for consent. */
async function approve(url: string): Promise<void> {
  const page = await (await fetch(url)).text();
  const ticket = /name="ticket" value="([^"]+)"/.exec(page)?.[1] ?? '';
  await fetch(new URL('/oidc/v1/authorize', url), { method: 'POST', body: new URLSearchParams({ ticket, decision: 'approve' }) });
}

test('the local workspace lets in by every way', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lakelet-sign-in-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwt = await new SignJWT({ sub: 'job' }).setProtectedHeader({ alg: 'ES256' }).setIssuer(ISSUER).setAudience('test').setExpirationTime('5m').sign(privateKey);
  const oidc_policy = { issuer: ISSUER, audiences: ['test'], jwks_json: JSON.stringify({ keys: [await exportJWK(publicKey)] }) };
  const { url, close } = await startWorkspace({
    port: 0, data: folder, model: 'smollm2', documents: false, threads: 1, token: 'dapi-test', clientId: 'app', clientSecret: 's3cret',
    federation: [{ client_id: 'app', oidc_policy: { ...oidc_policy, subject: 'job' } }, { oidc_policy }],
  });
  t.after(close);
  process.env['LAKELET_CACHE'] = folder; // after the workspace has found its models

  /** Asks something of the workspace. */
  const ask = async (environment: Record<string, string>, options: DatabricksOptions = {}) => {
    const { workspace, authType } = await configureDatabricks({ environment: { DATABRICKS_HOST: url, ...environment }, retries: 0, ...options });
    const [vector] = await workspace.embedder('local-embedding')(['x']);
    assert.equal(vector?.length, 384);
    return authType;
  };
  const principal = { DATABRICKS_CLIENT_ID: 'app', DATABRICKS_CLIENT_SECRET: 's3cret' };

  await t.test('pat', async () => assert.equal(await ask({ DATABRICKS_TOKEN: 'dapi-test' }), 'pat'));
  await t.test('oauth-m2m', async () => assert.equal(await ask(principal), 'oauth-m2m'));
  await t.test('oauth-m2m with few scopes', async () => {
    assert.equal(await ask({ ...principal, LAKELET_SCOPES: 'model-serving' }), 'oauth-m2m');
    await assert.rejects(ask(principal, { scopes: ['vector-search'] }), { code: 'permission', message: /required scopes: model-serving/ });
  });
  await t.test('env-oidc', async () => {
    assert.equal(await ask({ DATABRICKS_CLIENT_ID: 'app', DATABRICKS_OIDC_TOKEN: jwt }), 'env-oidc');
    assert.equal(await ask({ DATABRICKS_OIDC_TOKEN: jwt }), 'env-oidc');
    await assert.rejects(ask({ DATABRICKS_OIDC_TOKEN: `${jwt}x` }), { status: 400, errorCode: 'invalid_request', message: /federation policy/ });
  });
  await t.test('file-oidc', async () => {
    const path = join(folder, 'token');
    writeFileSync(path, `${jwt}\n`);
    assert.equal(await ask({ DATABRICKS_OIDC_TOKEN_FILEPATH: path }), 'file-oidc');
  });
  await t.test('github-oidc', async (t) => {
    const asked: (string | undefined)[] = [];
    const github = createServer((request, response) => {
      asked.push(request.url, request.headers.authorization);
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ value: jwt }));
    }).listen(0, '127.0.0.1');
    await once(github, 'listening');
    t.after(() => github.close());
    const address = `http://127.0.0.1:${(github.address() as AddressInfo).port}/token?api-version=2.0`;
    const job = { DATABRICKS_CLIENT_ID: 'app', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'of-the-job', ACTIONS_ID_TOKEN_REQUEST_URL: address };
    assert.equal(await ask(job), 'github-oidc');
    const account = (await (await fetch(`${url}/.well-known/databricks-config`)).json()) as { account_id: string };
    assert.deepEqual(asked, [`/token?api-version=2.0&audience=${account.account_id}`, 'Bearer of-the-job']);
  });
  await t.test('external-browser', async () => {
    let shown = 0;
    const onSignIn = (address: string) => (shown++, void approve(address));
    for (let program = 0; program < 2; program++) assert.equal(await ask({ DATABRICKS_AUTH_TYPE: 'external-browser' }, { onSignIn }), 'external-browser');
    assert.equal(shown, 1);
  });
});
