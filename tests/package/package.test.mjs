/**
 * The npm package as its users get it: packed, installed from the tarball into an empty folder, and loaded in each host.
 *
 *   node --test tests/package/        (after `npm run build --workspace lakelet`)
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { chromium } from 'playwright-core';
import { build, createServer as createViteServer } from 'vite';

import { startModel } from '../support/model.mjs';
import { FOUND } from '../support/search.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const installed = (path) => fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url));
/** How each host runs a script. */
const HOSTS = {
  Node: [process.execPath],
  Deno: [installed('@deno/linux-x64-glibc/deno'), 'run', '--quiet', '--no-remote', '--no-lock', '--node-modules-dir=manual', '--allow-read', '--allow-env', '--allow-net=127.0.0.1'],
  Bun: [installed('@oven/bun-linux-x64/bin/bun')],
};
/** What the programs of each folder of `app` print, or show. */
const SHOWN = { programs: { answer: 'Yes.', score: 0.9 }, optimizers: FOUND };
const app = mkdtempSync(join(tmpdir(), 'lakelet-package-'));
const REPLY = '[[ ## answer ## ]]\nYes.\n\n[[ ## score ## ]]\n0.9\n\n[[ ## completed ## ]]';
let browser, model;

before(async () => {
  const npm = (args, cwd) => execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const [{ filename, files }] = JSON.parse(npm(['pack', '--json', '--pack-destination', app], join(here, '../../js')));
  for (const { path } of files) assert.match(path, /^(bin|dist|wasm)\/|^(LICENSE|NOTICE|package\.json|README\.md)$/, 'nothing else is published');
  writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  npm(['install', '--offline', '--no-audit', '--no-fund', join(app, filename)], app);
  cpSync(join(here, 'app'), app, { recursive: true });
  cpSync(join(here, '../support/search.js'), join(app, 'optimizers/search.js'));
  model = await startModel();
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
});

after(async () => {
  await browser?.close();
  model?.close();
  rmSync(app, { recursive: true, force: true });
});

test('it needs nothing but itself', () => {
  const manifest = JSON.parse(readFileSync(join(app, 'node_modules/lakelet/package.json'), 'utf8'));
  assert.equal(manifest.dependencies, undefined);
  assert.ok(existsSync(join(app, 'node_modules/lakelet/LICENSE')));
});

test('it asks no more of WebAssembly than docs/runtimes.md says', () => {
  const optimizer = installed('binaryen/bin/wasm-opt');
  const features = (name) => execFileSync(process.execPath, [optimizer, '--quiet', '--print-features', join(app, 'node_modules/lakelet/wasm', name)], { encoding: 'utf8' });
  const used = ['lakelet.wasm', 'optimize.wasm', 'databricks.wasm'].map(features).join('');
  const known = ['mutable-globals', 'sign-ext', 'nontrapping-float-to-int', 'bulk-memory', 'multivalue', 'reference-types'];
  // Binaryen's names for parts of bulk memory and of reference types.
  const parts = ['bulk-memory-opt', 'call-indirect-overlong'];
  const others = used.trim().split('\n').map((line) => line.replace('--enable-', '')).filter((name) => ![...known, ...parts].includes(name));
  assert.deepEqual(others, []);
});

test('its command evaluates and optimizes programs', async () => {
  const env = { ...process.env, DATABRICKS_HOST: model.url, DATABRICKS_TOKEN: 'dapi-1', LAKELET_CHAT_ENDPOINT: 'small' };
  const npx = async (...args) => (await promisify(execFile)('npx', ['--offline', 'lakelet', ...args], { cwd: app, env })).stdout;
  const { version } = JSON.parse(readFileSync(join(app, 'node_modules/lakelet/package.json'), 'utf8'));
  assert.equal(await npx('--version'), `${version}\n`);
  writeFileSync(join(app, 'set.csv'), 'question,answer\na,right\nhard,right\n');
  assert.match(await npx('evaluate', 'question -> answer', '--devset', 'set.csv', '--metric', 'answerExactMatch'), /^score +50\.00 /);
  assert.match(await npx('optimize', 'question -> answer', '--trainset', 'set.csv', '--optimizer', 'LabeledFewShot', '--out', 'qa.json'), /saved in +qa\.json/);
});

test('its types are found and right', () => {
  const tsc = installed('typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--types', '', '--lib', 'es2023,dom,dom.iterable', 'types.ts'], { cwd: app, stdio: ['ignore', 'inherit', 'inherit'] });
});

for (const [folder, shown] of Object.entries(SHOWN)) {
  const root = join(app, folder);

  for (const [host, [command, ...options]] of Object.entries(HOSTS)) {
    const missing = existsSync(command) ? false : `there is no ${host} on this machine`;
    test(`${host} loads the ${folder}`, { skip: missing }, async () => {
      const { stdout } = await promisify(execFile)(command, [...options, 'node.mjs', model.url], { cwd: root });
      assert.deepEqual(JSON.parse(stdout), shown);
    });
  }

  test(`Vite bundles the ${folder} without configuration`, async (t) => {
    await build({ root, logLevel: 'error', build: { outDir: join(root, 'built') } });
    assert.deepEqual(await open(t, await serve(t, join(root, 'built'))), shown);
  });

  test(`Vite's development server serves the ${folder} without configuration`, async (t) => {
    const server = await createViteServer({ root, logLevel: 'error', server: { port: 0, host: '127.0.0.1' } });
    t.after(() => server.close());
    await server.listen();
    assert.deepEqual(await open(t, server.resolvedUrls.local[0]), shown);
  });

  test(`a plain script tag loads the ${folder}`, async (t) => {
    assert.deepEqual(await open(t, `${await serve(t, app)}/${folder}/plain.html`), shown);
  });
}

test('a page hands the module to the slim entries', async (t) => {
  assert.deepEqual(await open(t, `${await serve(t, app)}/optimizers/slim.html`), FOUND);
});

/** What the page shows once it is done. */
async function open(t, url) {
  const page = await browser.newPage();
  t.after(() => page.close());
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(`${url}?model=${model.url}`);
  await page.waitForFunction(() => document.body.dataset.done, undefined, { timeout: 60_000 }).catch((error) => {
    throw new Error([...errors, error.message].join('\n'));
  });
  return JSON.parse(await page.textContent('body'));
}

async function serve(t, folder) {
  const types = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };
  const server = createServer((request, response) => {
    const path = new URL(request.url, 'http://x').pathname;
    const file = join(folder, path.endsWith('/') ? `${path}index.html` : path);
    if (path === '/model/serving-endpoints/small/invocations') {
      response.setHeader('content-type', 'application/json');
      return response.end(completion());
    }
    if (!existsSync(file)) return response.writeHead(404).end();
    response.setHeader('content-type', types[extname(file)] ?? 'application/octet-stream');
    response.end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.closeAllConnections() ?? server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

function completion() {
  return JSON.stringify({ model: 'small', choices: [{ index: 0, message: { role: 'assistant', content: REPLY }, finish_reason: 'stop' }] });
}
