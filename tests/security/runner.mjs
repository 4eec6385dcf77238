// Holds a gateway to the table of attacks.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { attacks, good, harmless, strangers, wire } from './attacks.mjs';

/**
 * A gateway that runs.
 *
 * @typedef {object} Door
 * @property {string} name
 * @property {string} origin where its pages come from
 * @property {(request: object) => Promise<{ status: number, headers: Headers, text: string }>} send
 * @property {(bytes: Uint8Array) => Promise<{ status: number, headers: Headers, text: string }>} [exchange] bytes as they are, where the server in front is ours
 * @property {[string, string]} signedIn the header of somebody who is signed in
 * @property {Record<string, string>} [cookies] of those who are not, where sessions say who asks
 * @property {boolean} [relays] whether it relays calls; what does not is not asked to
 * @property {unknown[]} received what has reached the workspace
 * @property {readonly string[]} secrets what nobody may be told
 */

/** Registers the tests of one gateway. `open` starts it; it is closed when they are over. `options` are those of a test. */
export function defend(name, open, options = {}) {
  test(name, options, async (t) => {
    const door = await open(t);
    await t.test('what is allowed is answered', () => answersGood(door));
    for (const group of door.cookies ? [...attacks, strangers] : attacks) {
      const requests = group.requests.filter((request) => isFor(door, request));
      if (requests.length > 0) await t.test(group.title, () => refuses(door, { ...group, requests }));
    }
    if (door.exchange) {
      for (const group of wire) await t.test(group.title, () => refusesBytes(door, group));
      await t.test('headers of any name make no difference', () => ignores(door));
    }
    await t.test('what is allowed is still answered', () => answersGood(door));
  });
}

const isFor = ({ relays = true }, { target }) => relays || !/serving-endpoints|vector-search/.test(target);

async function answersGood(door) {
  for (const attack of good.filter((request) => isFor(door, request))) {
    const { status, text } = await door.send(fill(attack, door));
    assert.equal(status, 200, `${describe(attack)}: ${text}`);
  }
}

async function refuses(door, { refused, requests }) {
  const before = door.received.length;
  for (const attack of requests) check(door, describe(attack), attack.refused ?? refused, await door.send(fill(attack, door)));
  assert.equal(door.received.length, before, 'nothing reached the workspace');
}

async function refusesBytes(door, { refused, requests }) {
  const before = door.received.length;
  for (const request of requests) check(door, JSON.stringify(request.slice(0, 300)), [0, ...refused],
    await door.exchange(Buffer.from(insert(request, door), 'latin1')));
  assert.equal(door.received.length, before, 'nothing reached the workspace');
}

async function ignores(door) {
  for (const request of harmless) {
    const { status } = await door.exchange(Buffer.from(insert(request, door), 'latin1'));
    assert.ok([0, 100, 200, 400].includes(status), `${request}: ${status}`);
    assert.deepEqual(Object.keys(Object.prototype), []);
  }
}

function check(door, what, refused, { status, headers, text }) {
  assert.ok(refused.includes(status), `${what}: ${status} ${text.slice(0, 300)}`);
  assert.equal(headers.get('access-control-allow-origin'), null, what);
  assert.equal(headers.get('set-cookie'), null, what);
  for (const secret of door.secrets) assert.ok(!text.includes(secret), `${what}: told ${secret}`);
}

/** The request as it is sent: a page's own headers, unless the attack has others. */
function fill({ method = 'POST', target, headers = [], body }, door) {
  const own = [['origin', door.origin], ['content-type', 'application/json'], door.signedIn];
  const all = [...own.filter(([name]) => !headers.some(([other]) => other === name)), ...headers];
  const isText = typeof body === 'string' || body instanceof Uint8Array || body === undefined;
  return { method, target, headers: all.filter(([, value]) => value !== null).map(([name, value]) => [name, insert(value, door)]),
    body: isText ? body : JSON.stringify(body) };
}

function insert(text, { origin, signedIn, cookies }) {
  const { protocol, host, port } = new URL(origin);
  const scheme = protocol.slice(0, -1);
  const known = { host, port, scheme, SCHEME: scheme.toUpperCase(), signedIn: signedIn.join(': '), ...cookies };
  return text.replace(/\{(\w+)\}/g, (whole, name) => known[name] ?? whole);
}

function describe({ method = 'POST', target, headers = [], body = '' }) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return `${method} ${target} ${JSON.stringify(headers)} ${text.slice(0, 200)}`;
}
