// The page of examples/optimize-in-a-worker in Chromium, with its own proxy, against a model that can be taught.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';

import { ADVICE, startModel } from '../support/model.mjs';
import { assertFits, complaints, DESKTOP, endBrowser, openPage, PHONE, picture, startBrowser } from './browser.mjs';

const EXAMPLE = fileURLToPath(new URL('../../examples/optimize-in-a-worker', import.meta.url));
const tickets = (await readFile(join(EXAMPLE, 'tickets.jsonl'), 'utf8')).trim().split('\n').map((line) => JSON.parse(line));

let folder, model, server, browser, url;

before(async () => {
  // Right about every third ticket, and about all of them once it is taught.
  model = await startModel({
    team(prompt, isTaught) {
      const place = tickets.findIndex(({ ticket }) => prompt.includes(`[[ ## ticket ## ]]\n${ticket}\n`));
      return isTaught || place % 3 === 0 ? tickets[place].team : tickets[(place + 1) % tickets.length].team;
    },
  });
  [process.env.DATABRICKS_HOST, process.env.DATABRICKS_TOKEN] = [model.url, 'dapi-the-secret'];
  folder = await mkdtemp(join(tmpdir(), 'lakelet-example-'));
  const config = { root: EXAMPLE, logLevel: 'error', build: { outDir: folder, emptyOutDir: true } };
  await build(config);
  server = await preview({ ...config, preview: { port: 0, host: '127.0.0.1' } });
  url = server.resolvedUrls.local[0];
  browser = await startBrowser();
});

after(async () => {
  if (browser) await endBrowser(browser);
  await server?.close();
  model?.close();
  if (folder) await rm(folder, { recursive: true });
});

/** A browser of its own, where nothing is kept yet. */
async function visitor(t, viewport = DESKTOP) {
  const context = await browser.newContext({ viewport });
  t.after(() => context.close());
  return { open: (expected) => openPage(context, url, expected) };
}

const says = (page, text) => page.waitForFunction((wanted) => document.querySelector('[role=status]').textContent.includes(wanted), text);

/** Lets the model answer `count` requests of those to come, and holds the others; `held` resolves when one is held. */
function answerOnly(count) {
  const last = model.asked.length + count;
  return new Promise((held) => {
    model.pause = () => model.asked.length > last && new Promise(() => held());
  });
}

test('a search in a Web Worker finds a better program, which can be downloaded', async (t) => {
  const page = await (await visitor(t, PHONE)).open();
  const asked = model.asked.length;
  await page.click('text=Start');
  await says(page, 'Done.');
  assert.match(await page.innerText('.score'), /^100\.0\s% of the tickets; \d+\.\d\s% at first$/);
  assert.equal(await page.innerText('.instructions'), ADVICE);
  assert.equal(await page.locator('rect').count() > 2, true);
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('text=Download')]);
  const state = JSON.parse(await readFile(await download.path(), 'utf8'));
  assert.equal(state.signature.instructions, ADVICE);
  assert.ok(model.asked.length > asked);
  await assertFits(page);
  await picture(page, 'optimize-phone-light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await picture(page, 'optimize-phone-dark');
});

test('the page goes on answering while it searches, and Stop leaves the best program so far', async (t) => {
  const page = await (await visitor(t)).open();
  await page.evaluate(() => {
    window.frames_ = 0;
    const frame = () => requestAnimationFrame(() => (window.frames_++, frame()));
    frame();
  });
  const held = answerOnly(100);
  await page.click('text=Start');
  await held;
  await page.waitForSelector('#best:not([hidden])');
  const frames = () => page.evaluate(() => window.frames_);
  const before = await frames();
  await page.waitForFunction((count) => window.frames_ > count, before);
  // What is heavy is not on the page's thread.
  assert.equal(page.workers().length, 1);
  const loaded = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
  assert.ok(!loaded.some((name) => name.endsWith('.wasm')));
  await picture(page, 'optimize-running-desktop');

  await page.click('text=Stop');
  await says(page, 'Stopped. This is the best program so far.');
  assert.equal(await page.locator('a[download]').isVisible(), true);
  model.pause = () => {};
});

test('a search goes on where a closed tab left it', async (t) => {
  const whole = await (await visitor(t)).open();
  let asked = model.asked.length;
  await whole.click('text=Start');
  await says(whole, 'Done.');
  const wanted = model.asked.length - asked;
  const best = await whole.innerText('#best');

  const reader = await visitor(t);
  const closed = await reader.open();
  asked = model.asked.length;
  const held = answerOnly(100);
  await closed.click('text=Start');
  await held;
  const kept = () => closed.evaluate(async () => (await (await caches.open('optimize-in-a-worker')).keys()).filter(({ url }) => url.endsWith('/1')).length);
  while ((await kept()) < 100) await closed.evaluate(() => new Promise(requestAnimationFrame));
  await closed.close();
  model.pause = () => {};

  const again = await reader.open();
  asked = model.asked.length;
  assert.match(await again.innerText('[role=status]'), /under way when this page was closed/);
  await again.click('text=Go on');
  await says(again, 'Done.');
  assert.equal(await again.innerText('#best'), best);
  assert.equal(model.asked.length - asked, wanted - 100);
});

test('a budget that is spent, and what fails, are told', async (t) => {
  const page = await (await visitor(t)).open('403');
  await page.fill('[name=calls]', '5');
  await page.click('text=Start');
  await says(page, 'Ended: the budget of 5 calls is spent. No program was scored yet.');

  model.status = 403;
  await page.fill('[name=calls]', '600');
  await page.click('text=Start');
  await says(page, 'as the test wants it');
  model.status = 200;
});

test('the browser had nothing to complain about', () => assert.deepEqual(complaints, []));
