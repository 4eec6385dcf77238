// The page in Chromium, against the real demo on the small test model. Its answers make no sense, so that what is checked is what the page
// does with them. Pictures of every state are left in test-results/.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { assertFits, complaints, DESKTOP, endBrowser, openPage, PHONE, picture, startBrowser } from './browser.mjs';
import { start, startDemo, TOKEN } from './demo.mjs';

const SALARY = 'How much does Yuki Tanabe earn?';

let demo, browser;

before(async () => {
  [demo, browser] = await Promise.all([startDemo(), startBrowser()]);
});

after(async () => {
  if (browser) await endBrowser(browser);
  await demo?.stop();
});

/** A page of its own, with an empty history. */
async function open({ url = demo.url, viewport = DESKTOP, colorScheme = 'light', storageState, expected } = {}) {
  const context = await browser.newContext({ viewport, colorScheme, storageState, reducedMotion: 'reduce' });
  return openPage(context, url, expected);
}

async function ask(page, question) {
  await page.fill('#question', question);
  await page.click('button[type=submit]');
}

/** The answered conversation, for the tests that only look at it. */
let answered;

test('an answer comes with its steps and its sources, and formats without doing anything else', async () => {
  const page = await open();
  await picture(page, 'welcome-desktop-light');
  await ask(page, 'Where do bicycles stand?');
  await page.waitForSelector('.turn[data-state=running] .steps .name:text-is("complex_query")');
  await page.waitForSelector('.steps .name:text-is("generate_answer")');
  await picture(page, 'running-desktop-light');
  await page.waitForSelector('.turn[data-state=answered]');

  const answer = page.locator('.answer');
  assert.equal(await answer.locator('strong').count(), 1);
  assert.equal(await answer.locator('img, a, script, [onerror]').count(), 0);
  assert.doesNotMatch(await answer.innerText(), /\*\*/);
  assert.notEqual(await page.title(), 'taken');

  const source = page.locator('.sources details');
  assert.equal(await source.locator('.passage').isVisible(), false);
  await source.locator('summary').click();
  const [passage, quote] = [await source.locator('.passage').innerText(), await source.locator('mark').innerText()];
  assert.ok(passage.includes(quote) && quote.length < passage.length);
  assert.match(quote, /^(Bicycles stand in the \*\*yard\*\*|The \*\*key\*\* is kept)/);
  assert.match(await source.innerText(), /Bicycles[\s\S]*Where they stand[\s\S]*bicycles\.md/);

  await page.locator('.steps .name:text-is("generate_answer")').click();
  await page.locator('.step[open] .messages summary').click();
  assert.match(await page.locator('.step[open] .messages').innerText(), /SYSTEM[\s\S]*USER[\s\S]*Where do bicycles stand\?[\s\S]*REPLY/i);
  assert.match(await page.locator('.total').innerText(), /· 4 model calls · \d+ tokens in, \d+ out/);
  await picture(page, 'answered-desktop-light');
  answered = await page.context().storageState();
  await page.context().close();
});

test('a question that may not be asked is refused before any model is called, with the reason', async () => {
  const page = await open();
  await ask(page, SALARY);
  await page.waitForSelector('.turn[data-state=refused]');
  const card = page.locator('.card.refused');
  assert.match(await card.innerText(), /I cannot answer this question due to security restrictions\./);
  assert.ok((await card.locator('.hint').innerText()).length > 10);
  assert.equal(await page.locator('.sources').count(), 0);
  assert.match(await page.locator('.total').innerText(), /· 0 model calls/);
  await picture(page, 'refused-desktop-light');
  await page.context().close();
});

test('a running answer can be stopped, and the conversation goes on; all by keyboard', async () => {
  const page = await open();
  // Asked nowhere else here: an answer that is known would be there before it can be stopped.
  await page.keyboard.type('Where can I leave my bicycle?');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.turn[data-state=running] .steps .name:text-is("complex_query")');
  await page.keyboard.press('Escape');
  await page.waitForSelector('.turn[data-state=stopped]');
  assert.match(await page.locator('.turn').innerText(), /You stopped this answer\./);
  for (let tries = 0; !/CANCELLED/.test(demo.log()); tries++) {
    assert.ok(tries < 100, 'the gateway did not notice');
    await page.waitForTimeout(100);
  }
  await page.keyboard.type(SALARY);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.turn[data-state=refused]');
  assert.equal(await page.locator('.turn').count(), 2);

  // From the question back to the steps, one opened by Enter; the ring around what has the focus is seen.
  const focused = () => page.evaluate(() => ({ tag: document.activeElement.tagName, outline: getComputedStyle(document.activeElement).outlineStyle, open: document.activeElement.parentElement.open }));
  let at;
  for (let presses = 0; presses < 20 && (at = await focused()).tag !== 'SUMMARY'; presses++) await page.keyboard.press('Shift+Tab');
  assert.deepEqual(at, { tag: 'SUMMARY', outline: 'solid', open: false });
  await page.keyboard.press('Enter');
  assert.equal((await focused()).open, true);
  await picture(page, 'keyboard-desktop-light');
  await page.context().close();
});

test('who asks can be chosen, and is what the question is asked as', async () => {
  const page = await open();
  await page.selectOption('select[name=role]', 'contractor');
  await page.selectOption('select[name=region]', 'APAC');
  await page.selectOption('select[name=department]', 'sales');
  await ask(page, SALARY);
  await page.waitForSelector('.turn[data-state=refused]');
  assert.match(await page.locator('.turn h2').innerText(), /asked as contractor, APAC, sales/);
  assert.match(demo.log(), /as contractor, APAC, sales: 200/);
  await page.context().close();
});

test('an error says what to do, and shows nothing of the workspace', async () => {
  const other = await start({ DATABRICKS_HOST: demo.workspace, DATABRICKS_TOKEN: TOKEN, LAKELET_CHAT_ENDPOINT: 'no-such-endpoint', LAKELET_INDEX: 'main.default.handbook' });
  const page = await open({ url: other.url, expected: '502' });
  await ask(page, 'Where do bicycles stand?');
  await page.waitForSelector('.turn[data-state=failed]');
  const told = await page.locator('[role=alert]').innerText();
  assert.match(told, /The model or the index that this needs is not there\.[\s\S]*configuration[\s\S]*BACKEND_NOT_FOUND · request [0-9a-f-]{36}/);
  assert.ok(!told.includes(demo.workspace) && !told.includes(TOKEN));
  assert.match(other.log(), /no-such-endpoint/);
  assert.ok(!other.log().includes(TOKEN));
  await picture(page, 'error-desktop-light');
  await other.stop();
  await ask(page, 'And now?');
  await page.waitForSelector('.turn[data-state=failed] >> text=The gateway cannot be reached.');
  await page.context().close();
  complaints.splice(0, complaints.length, ...complaints.filter((text) => !text.includes('net::ERR_CONNECTION_REFUSED')));
});

test('the conversation is kept, in every size and scheme', async () => {
  for (const [name, viewport] of [['phone', PHONE], ['desktop', DESKTOP]]) {
    for (const colorScheme of ['light', 'dark']) {
      const page = await open({ viewport, colorScheme, storageState: answered });
      assert.equal(await page.locator('.turn[data-state=answered]').count(), 1);
      const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number));
      assert.ok(colorScheme === 'dark' ? ground[0] < 60 : ground[0] > 200, `${colorScheme}: ${ground}`);
      await page.locator('.sources summary').click();
      await page.locator('.steps .name:text-is("security_checker")').click();
      await assertFits(page);
      await picture(page, `answered-${name}-${colorScheme}`);
      await page.click('text=Clear history');
      await page.waitForSelector('.welcome');
      await assertFits(page);
      await picture(page, `welcome-${name}-${colorScheme}`);
      await page.context().close();
    }
  }
});

test('the page is served with a strict policy, and only what belongs to it', async () => {
  const response = await fetch(demo.url);
  assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
  const policy = response.headers.get('content-security-policy');
  for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]) {
    assert.ok(policy.split('; ').includes(part), part);
  }
  assert.deepEqual(['x-content-type-options', 'referrer-policy', 'cross-origin-opener-policy'].map((name) => response.headers.get(name)), ['nosniff', 'no-referrer', 'same-origin']);
  for (const path of ['/server/main.mjs', '/..%2fserver/main.mjs', '/%2e%2e/package.json', '/assets/', '/assets/..%5c..%5cpackage.json', '/index.html/', '/apix']) {
    const { status } = await fetch(demo.url + path);
    assert.ok(status === 404 || status === 400, `${path}: ${status}`);
  }
  const stranger = { inputs: { question: 'x' }, user: { role: 'admin', region: 'EU', department: 'it' } };
  const refused = await fetch(`${demo.url}/api/programs/enterprise_assistant`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(stranger) });
  assert.deepEqual([refused.status, (await refused.json()).message], [400, '`user.role` is missing or not known.']);
});

test('the browser had nothing to complain about', () => assert.deepEqual(complaints, []));
