// The page of examples/optimize-in-a-worker in Chromium, with its own proxy, against a model that can be taught.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { build, preview } from 'vite';

import { ADVICE, startModel } from '../support/model.mjs';

const EXAMPLE = fileURLToPath(new URL('../../examples/optimize-in-a-worker', import.meta.url));
const PICTURES = fileURLToPath(new URL('../../test-results/', import.meta.url));
const tickets = (await readFile(join(EXAMPLE, 'tickets.jsonl'), 'utf8')).trim().split('\n').map((line) => JSON.parse(line));

let folder, model, server, browser, url;
const complaints = [];

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
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--disable-background-networking'],
  });
  await mkdir(PICTURES, { recursive: true });
});

after(async () => {
  await browser?.close();
  await server?.close();
  model?.close();
  if (folder) await rm(folder, { recursive: true });
});

/** A browser of its own, where nothing is kept yet. */
async function visitor(t, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  t.after(() => context.close());
  return {
    async open({ expected } = {}) {
      const page = await context.newPage();
      page.setDefaultTimeout(90_000);
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error' && !(expected && message.text().includes(expected))) complaints.push(message.text());
      });
      await page.goto(url);
      return page;
    },
  };
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
  const page = await (await visitor(t, { viewport: { width: 390, height: 844 } })).open();
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
  const { scrollWidth, clientWidth } = await page.evaluate(() => ({ scrollWidth: document.documentElement.scrollWidth, clientWidth: document.documentElement.clientWidth }));
  assert.ok(scrollWidth <= clientWidth);
  await page.screenshot({ path: `${PICTURES}optimize-phone-light.png`, fullPage: true });
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.screenshot({ path: `${PICTURES}optimize-phone-dark.png`, fullPage: true });
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
  await page.screenshot({ path: `${PICTURES}optimize-running-desktop.png`, fullPage: true });

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
  const page = await (await visitor(t)).open({ expected: '403' });
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
