// Chromium, as the tests of pages use it.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const PICTURES = fileURLToPath(new URL('../../test-results/', import.meta.url));
const CHROMIUM = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => path && existsSync(path));

export const DESKTOP = { width: 1280, height: 860 };
export const PHONE = { width: 390, height: 844 };

/** What the browser had to complain about, in any page. */
export const complaints = [];

export async function startBrowser() {
  assert.ok(CHROMIUM, 'Chromium is missing: apt-get install -y chromium, or set CHROMIUM to the path of its binary');
  await mkdir(PICTURES, { recursive: true });
  const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--disable-background-networking'];
  return chromium.launch({ executablePath: CHROMIUM, args });
}

/** Ends it. `close()` was once seen waiting for ever after the browser had gone. */
export async function endBrowser(browser) {
  const gone = new Promise((resolve) => browser.once('disconnected', resolve));
  await Promise.race([browser.close(), gone]);
}

/** A page that is watched for complaints; `expected` are words of one that is no failure. */
export async function openPage(context, url, expected) {
  const page = await context.newPage();
  page.setDefaultTimeout(90_000);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !(expected && message.text().includes(expected))) complaints.push(message.text());
  });
  await page.goto(url);
  return page;
}

/** Nothing sticks out at the side. */
export async function assertFits(page) {
  const { scrollWidth, clientWidth } = await page.evaluate(() => ({ scrollWidth: document.documentElement.scrollWidth, clientWidth: document.documentElement.clientWidth }));
  assert.ok(scrollWidth <= clientWidth, `the page is ${scrollWidth} wide on a screen of ${clientWidth}`);
}

/** Keeps what a page looks like. */
export const picture = (page, name) => page.screenshot({ path: `${PICTURES}${name}.png`, fullPage: true });
