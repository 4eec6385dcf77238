import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LakeletError } from 'lakelet';
import { sessions, type ClosedSessions, type SessionOptions } from 'lakelet/gateway';

const SECRET = 'the first secret of these tests, long';
const OTHER = 'the second secret of these tests, long';
const ADA = { id: 'ada', role: 'hr' };
const START = Date.UTC(2026, 0, 1);

const pair = (setCookie: string) => setCookie.split(';')[0]!;
const having = (cookie: string) => new Request('https://app.example/', { headers: { cookie } });
const kept = (options: Partial<SessionOptions> = {}) => sessions({ secrets: [SECRET], idleMs: 1000, lifetimeMs: 5000, ...options });

test('a cookie that the gateway signed names its user, and cannot be read by pages or sent from other sites', async () => {
  const setCookie = await sessions({ secrets: [SECRET] }).open(ADA);
  assert.match(setCookie, /^__Host-lakelet=[\w-]+\.[\w-]{43}; Path=\/; Max-Age=1800; Secure; HttpOnly; SameSite=Strict$/);
  assert.deepEqual(await kept().user(having(`theme=dark; ${pair(setCookie)}; lang=en`)), ADA);
});

test('a cookie that was changed, cut, doubled, moved or signed by somebody else is nobody', async () => {
  const cookie = pair(await kept().open(ADA));
  const [name, payload, signature] = cookie.split(/[=.]/) as [string, string, string];
  const altered = Buffer.from(Buffer.from(payload, 'base64url').toString().replace('ada', 'bob')).toString('base64url');
  const foreign = pair(await kept({ secrets: [OTHER] }).open(ADA));
  const moved = pair(await kept({ name: 'other' }).open(ADA)).replace('__Host-other', name);
  const attempts = [
    '', name, `${name}=`, `${name}=.`, `${name}=${payload}`, `${name}=${payload}.`, `${name}=.${signature}`,
    `${name}=${altered}.${signature}`, `${name}=${payload}.${signature.slice(1)}`,
    `${name}=${payload}.${signature}.${signature}`, `${name}=${payload}.${signature}=`, `${name}="${payload}.${signature}"`,
    `${cookie}; ${cookie}`, foreign, moved, cookie.replace('__Host-', ''), cookie.toUpperCase(), `${cookie}${'a'.repeat(5000)}`,
  ];
  for (const attempt of attempts) assert.equal(await kept().user(having(attempt)), undefined, attempt);
});

test('a session ends when it is idle, and at the latest after its lifetime, however often it was renewed', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: START });
  const { open, user, renew } = kept();
  let cookie = pair(await open(ADA));
  t.mock.timers.setTime(START + 999);
  assert.deepEqual(await user(having(cookie)), ADA);
  t.mock.timers.setTime(START + 1000);
  assert.equal(await user(having(cookie)), undefined);

  t.mock.timers.setTime(START);
  let renewals = 0;
  for (let ms = 0; ms < 5000; ms += 300) {
    t.mock.timers.setTime(START + ms);
    assert.deepEqual(await user(having(cookie)), ADA, `${ms}`);
    const next = await renew(having(cookie));
    if (next) [cookie, renewals] = [pair(next), renewals + 1];
  }
  assert.ok(renewals > 3);
  t.mock.timers.setTime(START + 5000);
  assert.equal(await user(having(cookie)), undefined);
  assert.equal(await renew(having(cookie)), undefined);
});

test('a cookie lives no longer in the browser than its session', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: START });
  const { open, renew } = kept({ idleMs: 4000 });
  const cookie = pair(await open(ADA));
  t.mock.timers.setTime(START + 3000);
  assert.match((await renew(having(cookie)))!, /Max-Age=2;/);
});

test('a session that was closed is refused, also to who kept its cookie', async () => {
  const { open, user, close, renew } = kept();
  const [mine, other] = [pair(await open(ADA)), pair(await open(ADA))];
  assert.match(await close(having(mine)), /^__Host-lakelet=; Path=\/; Max-Age=0;/);
  assert.equal(await user(having(mine)), undefined);
  assert.equal(await renew(having(mine)), undefined);
  assert.deepEqual(await user(having(other)), ADA);
  assert.match(await close(having('')), /Max-Age=0/, 'who has no session can sign out too');
});

test('closed sessions are remembered where the operator says; a store that fails refuses', async () => {
  const ends = new Map<string, number>();
  const shared: ClosedSessions = { add: (id, until) => void ends.set(id, until), has: async (id) => ends.has(id) };
  const [here, there] = [kept({ closed: shared }), kept({ closed: shared })];
  const cookie = pair(await here.open(ADA));
  await here.close(having(cookie));
  assert.equal(await there.user(having(cookie)), undefined);
  assert.ok([...ends.values()].every((until) => until > Date.now()));
  const failing = kept({ closed: { add() {}, has: () => Promise.reject(new Error('no store')) } });
  await assert.rejects(failing.user(having(pair(await failing.open(ADA)))), /no store/);
});

test('secrets are changed without signing anybody out', async () => {
  const old = pair(await kept({ secrets: [SECRET] }).open(ADA));
  const both = kept({ secrets: [OTHER, SECRET] });
  assert.deepEqual(await both.user(having(old)), ADA);
  const fresh = pair(await both.open(ADA));
  assert.deepEqual(await kept({ secrets: [OTHER] }).user(having(fresh)), ADA);
  assert.equal(await kept({ secrets: [OTHER] }).user(having(old)), undefined);
});

test('secrets that could be guessed and users that are too large are mistakes of the operator', async () => {
  const isConfig = (error: unknown) => error instanceof LakeletError && error.code === 'config' && !error.message.includes('short');
  assert.throws(() => sessions({ secrets: [] }), isConfig);
  assert.throws(() => sessions({ secrets: [SECRET, 'short'] }), isConfig);
  await assert.rejects(kept().open({ id: 'x'.repeat(4000) }), isConfig);
});
