import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { test } from 'node:test';

import { LakeletError } from 'lakelet';
import { tokenUser, type TokenOptions } from 'lakelet/gateway';

const ISSUER = 'https://team.cloudflareaccess.com';
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
const jwk = ({ publicKey }: { publicKey: KeyObject }, kid: string, more = {}) => ({ ...publicKey.export({ format: 'jwk' }), kid, use: 'sig',
  ...more });
const KEYS = [jwk(rsa, 'r', { alg: 'RS256' }), jwk(ec, 'e'), jwk(weak, 'w'), jwk(rsa, 'enc', { use: 'enc' }),
  { kty: 'oct', kid: 'o', k: 'c2VjcmV0' }, null];

const now = () => Math.floor(Date.now() / 1000);
const claims = (more = {}) => ({ iss: ISSUER, aud: ['app'], sub: 'ada', exp: now() + 600, ...more });
const part = (json: unknown) => Buffer.from(JSON.stringify(json)).toString('base64url');

/** A token signed by a key of the issuer, unless changed. */
function token(body: object = claims(), head: object = { alg: 'RS256', kid: 'r' }, key: KeyObject = rsa.privateKey): string {
  const signed = `${part(head)}.${part(body)}`;
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

function hook(options: Partial<TokenOptions> = {}) {
  const asked: string[] = [];
  const fetch = (async (url: string) => {
    asked.push(url);
    return Response.json({ keys: KEYS });
  }) as unknown as typeof globalThis.fetch;
  const user = tokenUser({ issuer: ISSUER, audience: 'app', keys: `${ISSUER}/certs`, header: 'cf-access-jwt-assertion', fetch,
    ...options });
  return { asked, user: (text: string) => user(new Request('https://app.example/',
    { headers: { [options.header ?? 'cf-access-jwt-assertion']: text } })) };
}

test('a token of the issuer for this application names its user', async () => {
  const { user, asked } = hook();
  assert.deepEqual(await user(token()), { id: 'ada' });
  assert.deepEqual(await user(token(claims({ aud: 'app', nbf: now() }), { alg: 'ES256', kid: 'e' }, ec.privateKey)), { id: 'ada' });
  assert.deepEqual(asked, [`${ISSUER}/certs`], 'the keys are kept');
  const bearer = hook({ header: 'authorization', user: ({ sub, role }) => ({ id: `${sub}`, role }) });
  assert.deepEqual(await bearer.user(`Bearer ${token(claims({ role: 'hr' }))}`), { id: 'ada', role: 'hr' });
});

test('a token that is over, not yet, for others, of others or unsigned is nobody', async () => {
  const { user } = hook();
  const [head, body, signature] = token().split('.') as [string, string, string];
  const hmac = (key: string) => createHmac('sha256', key).update(`${part({ alg: 'HS256', kid: 'r' })}.${body}`).digest('base64url');
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const attempts: Record<string, string> = {
    'nothing': '', 'no token': 'Bearer x', 'no signature': `${head}.${body}`, 'an empty signature': `${head}.${body}.`,
    'more parts': `${head}.${body}.${signature}.x`, 'the signature of another': token(claims(), undefined, stranger),
    'changed claims': `${head}.${part(claims({ sub: 'bo' }))}.${signature}`, 'not JSON': `${head}.eA.${signature}`,
    'a list': `${head}.${part([])}.${signature}`, 'too long': token(claims({ x: 'x'.repeat(20_000) })),
    'over': token(claims({ exp: now() - 120 })), 'without an end': token(claims({ exp: undefined })),
    'an end in words': token(claims({ exp: '9999999999' })), 'not yet': token(claims({ nbf: now() + 120 })),
    'for others': token(claims({ aud: ['other'] })), 'for nobody': token(claims({ aud: undefined })),
    'for a part of the name': token(claims({ aud: 'ap' })), 'of another issuer': token(claims({ iss: `${ISSUER}.evil.example` })),
    'of no issuer': token(claims({ iss: undefined })), 'without a subject': token(claims({ sub: '' })),
    'alg none': `${part({ alg: 'none', kid: 'r' })}.${body}.`,
    'alg None with a signature': `${part({ alg: 'None', kid: 'r' })}.${body}.${signature}`,
    'no alg': `${part({ kid: 'r' })}.${body}.${signature}`,
    'alg of an object': `${part({ alg: '__proto__', kid: 'r' })}.${body}.${signature}`,
    'HMAC with the public key':
      `${part({ alg: 'HS256', kid: 'r' })}.${body}.${hmac(rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString())}`,
    'HMAC with a shared key': `${part({ alg: 'HS256', kid: 'o' })}.${body}.${hmac('secret')}`,
    'an RSA key as an EC one': token(claims(), { alg: 'ES256', kid: 'r' }),
    'an EC key as an RSA one': token(claims(), { alg: 'RS256', kid: 'e' }, ec.privateKey),
    'a weak key': token(claims(), { alg: 'RS256', kid: 'w' }, weak.privateKey),
    'a key for encryption': token(claims(), { alg: 'RS256', kid: 'enc' }),
    'an unknown key': token(claims(), { alg: 'RS256', kid: 'x' }), 'no key id': token(claims(), { alg: 'RS256' }),
    'its own key': token(claims(), { alg: 'RS256', kid: 'x', jwk: jwk(rsa, 'x') }),
    'its own address': token(claims(), { alg: 'RS256', kid: 'x', jku: 'https://evil.example' }),
    'something critical': token(claims(), { alg: 'RS256', kid: 'r', crit: ['exp'] }),
  };
  for (const [what, attempt] of Object.entries(attempts)) assert.equal(await user(attempt), undefined, what);
});

test('keys are asked for again when they are old or one is not known, and no stranger can make that often', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const { user, asked } = hook();
  const unknown = () => token(claims(), { alg: 'RS256', kid: 'new' });
  for (let i = 0; i < 5; i++) assert.equal(await user(unknown()), undefined);
  assert.equal(asked.length, 1);
  t.mock.timers.tick(61_000);
  await user(unknown());
  assert.equal(asked.length, 2);
  await user(token());
  assert.equal(asked.length, 2);
  t.mock.timers.tick(3_600_001);
  await user(token());
  assert.equal(asked.length, 3);
});

test('keys that cannot be had are a failure, not a stranger', async () => {
  const answers: (() => Promise<Response>)[] = [
    () => Promise.reject(new TypeError('fetch failed')), async () => new Response('no', { status: 503 }),
    async () => Response.redirect('https://evil.example/', 302),
    async () => new Response('<html>'), async () => Response.json({}), async () => Response.json([]),
  ];
  for (const fetch of answers) {
    await assert.rejects(hook({ fetch: fetch as typeof globalThis.fetch }).user(token()),
      (error: unknown) => error instanceof LakeletError && error.code === 'network' && error.retryable);
  }
});
