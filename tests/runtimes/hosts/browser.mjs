// Browsers: a call is evaluated in a page.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';

import puppeteer from 'puppeteer-core';

import { root } from '../build.mjs';

const TYPES = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };
/** A browser starts in seconds, and in minutes on a machine that is busy. */
const PATIENCE_MS = 180_000;
const CHROMIUM_ARGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** `browser` is what puppeteer calls it: `chrome` or `firefox`, which it drives by WebDriver BiDi. */
export async function startBrowser(browser, executablePath) {
  const server = createServer(async ({ url }, response) => {
    const type = TYPES[extname(url)];
    response.writeHead(200, { 'content-type': type ?? 'text/html' });
    response.end(type ? await readFile(join(root, url)) : '<!doctype html><title>Suite</title>');
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  const running = await puppeteer.launch({ browser, executablePath, args: browser === 'chrome' ? CHROMIUM_ARGS : [], timeout: PATIENCE_MS });
  const page = await running.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  return {
    call: (...call) => page.evaluate(async (call) => (await import('/tests/runtimes/guests/page.mjs')).call(call), call),
    async stop() {
      await running.close();
      server.close();
    },
  };
}
