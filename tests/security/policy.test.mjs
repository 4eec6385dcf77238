// SECURITY.md says which test shows what: each of them is there.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const root = new URL('../../', import.meta.url);
const policy = readFileSync(new URL('SECURITY.md', root), 'utf8');
const links = [...policy.matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)].map(([, title, path]) => ({ title, path }));

/** How a test of this title begins in its file. */
function beginnings(title, path) {
  if (path.endsWith('.rs')) return [`fn ${title}()`];
  const written = title.replaceAll("'", "\\'");
  return [`test('${written}'`, `title: '${written}'`, `t.test('${written}'`];
}

test('every test that SECURITY.md names exists', () => {
  const named = links.filter(({ title, path }) => title !== path);
  assert.ok(named.length > 60, `${named.length}`);
  for (const { title, path } of named) {
    const text = readFileSync(new URL(path, root), 'utf8');
    assert.ok(beginnings(title, path).some((beginning) => text.includes(beginning)), `${path} has no test "${title}"`);
  }
  for (const { path } of links) assert.ok(existsSync(new URL(path, root)), path);
});

test('every group of attacks is named in SECURITY.md', async () => {
  const { attacks, strangers, wire } = await import('./attacks.mjs');
  for (const { title } of [...attacks, strangers, ...wire]) assert.ok(policy.includes(`[${title}]`), title);
});

test('every item of the two lists of OWASP has its row', () => {
  for (const [list, count] of [['LLM', 10], ['API', 10]]) {
    for (let i = 1; i <= count; i++) assert.match(policy, new RegExp(`^\\| ${list}${list === 'LLM' ? String(i).padStart(2, '0') : i} `,
      'm'));
  }
});
