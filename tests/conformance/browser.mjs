// Runs recorded cases through WebAssembly in headless Chromium: node tests/conformance/browser.mjs DIR
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { buildSuite, main } from './harness.mjs';

const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm' };

await main(async (files) => {
  const built = buildSuite();
  const server = createServer(({ url }, response) => {
    const type = TYPES[url.slice(url.lastIndexOf('.'))];
    response.writeHead(200, { 'content-type': type ?? 'text/html' });
    response.end(type ? readFileSync(join(built, url)) : '<!doctype html><title>Conformance</title>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    return await page.evaluate(async (files) => {
      const { default: load, run_case_file } = await import('/conformance.js');
      await load();
      return files.map((text) => run_case_file(text));
    }, files);
  } finally {
    await browser.close();
    server.close();
  }
});
