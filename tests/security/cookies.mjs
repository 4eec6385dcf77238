// Cookies of somebody who is signed in, and of those who are not, or no longer.
import { sessions } from 'lakelet/gateway';

import { IDLE_MS, LIFETIME_MS, SECRET } from './gateway.mjs';

const ADA = { id: 'ada', role: 'employee' };

/** The name and value of a `set-cookie` header. */
export const pair = (setCookie) => setCookie.split(';')[0];

/** Makes them. The gateway's own sessions close the one that is `closed`. */
export async function makeCookies(close) {
  const open = async (at, secret = SECRET, name = undefined) => {
    const now = Date.now;
    Date.now = () => now() - at;
    try {
      return pair(await sessions({ secrets: [secret], idleMs: IDLE_MS, lifetimeMs: LIFETIME_MS, name }).open(ADA));
    } finally {
      Date.now = now;
    }
  };
  const [good, closed, foreign, renamed] = [await open(0), await open(0), await open(0, 'another secret of 32 letters, no'),
    await open(0, SECRET, 'other')];
  await close(closed);
  const [name, value] = [good.slice(0, good.indexOf('=')), good.slice(good.indexOf('=') + 1)];
  const [payload, signature] = value.split('.');
  const promoted = Buffer.from(Buffer.from(payload, 'base64url').toString().replace('employee', 'hr')).toString('base64url');
  return {
    good,
    closed,
    foreign,
    idle: await open(IDLE_MS),
    expired: await open(LIFETIME_MS),
    altered: `${name}=${promoted}.${signature}`,
    unsigned: `${name}=${payload}.`,
    doubled: `${good}; ${good}`,
    renamed: `${name}=${renamed.slice(renamed.indexOf('=') + 1)}`,
  };
}
