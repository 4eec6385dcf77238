/**
 * Builds the demo as one component: the built page as a component of its own, with the server's component plugged in behind it.
 * Everything lands in build/component.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { componentNew } from '@bytecodealliance/jco-transpile/wasm-tools';

import { readPage } from '../server/page-files.mjs';
import { servePage } from '../server/page.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));
const out = join(root, 'build', 'component');
const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target');

const run = (command, arguments_, env = {}) => execFileSync(command, arguments_, { cwd: here, stdio: 'inherit', env: { ...process.env, ...env } });

/** A text as Rust writes it. */
const text = (value) => JSON.stringify(value).replace(/\\u([0-9a-f]{4})/g, '\\u{$1}');

/** What the page's handler answers, as a value in Rust. */
async function answer(serve, path, method = 'GET') {
  const response = serve(new Request(`http://page${path}`, { method }));
  const file = join(out, 'page', `${encodeURIComponent(method + path)}.bin`);
  await writeFile(file, Buffer.from(await response.arrayBuffer()));
  const headers = [...response.headers].map(([name, value]) => `(${text(name)}, ${text(value)})`);
  return `Answer { path: ${text(path)}, status: ${response.status}, headers: &[${headers.join(', ')}], body: include_bytes!(${text(file)}) }`;
}

const files = await readPage(join(here, '..', 'dist'));
const serve = servePage(files);
const paths = ['/', ...[...files.keys()].filter((path) => path !== '/_headers')];
await mkdir(join(out, 'page'), { recursive: true });
const pages = await Promise.all(paths.map((path) => answer(serve, path)));
const source = join(out, 'page', 'pages.rs');
await writeFile(source, [
  `static PAGES: &[Answer] = &[${pages.join(', ')}];`,
  `static NOT_THERE: Answer = ${await answer(serve, '/no-such-page')};`,
  `static NOT_ALLOWED: Answer = ${await answer(serve, '/', 'POST')};`,
].join('\n'));

run('cargo', ['build', '--quiet', '--release', '--target', 'wasm32-unknown-unknown', '--target-dir', target], { LAKELET_PAGE: source });
const page = join(out, 'page.component.wasm');
await writeFile(page, await componentNew(await readFile(join(target, 'wasm32-unknown-unknown', 'release', 'lakelet_page.wasm'))));
run('wac', ['plug', page, '--plug', join(out, 'lakelet-server.component.wasm'), '--output', join(out, 'demo.component.wasm')]);
