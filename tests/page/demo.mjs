// The demo as `make demo` starts it, on the small test model and two short documents; on the edge that EDGE names, as there.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The token of the local workspace. */
export const TOKEN = 'dapi-for-tests';

/** The demo on a local workspace of its own; `workspace` is where that one is. */
export async function startDemo() {
  const data = await mkdtemp(join(tmpdir(), 'lakelet-page-'));
  const demo = await start({
    DATABRICKS_TOKEN: TOKEN,
    LAKELET_MODEL: 'smollm2',
    LAKELET_DOCUMENTS: here('documents'),
    LAKELET_OVERLAY: here('overlay.json'),
    LAKELET_DATA: data,
  });
  const workspace = /workspace is at (\S+);/.exec(demo.log())[1];
  const stop = async () => {
    await demo.stop();
    await rm(data, { recursive: true });
  };
  return { ...demo, workspace, stop };
}

/** Starts the server, and waits until it says that it is ready. */
export async function start(environment) {
  const passedOn = ['PATH', 'HOME', 'LAKELET_CACHE', 'EDGE'].filter((name) => process.env[name]);
  const server = spawn(process.execPath, [here('../../www/server/main.mjs')], {
    env: { ...Object.fromEntries(passedOn.map((name) => [name, process.env[name]])), PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  const url = await new Promise((resolve, reject) => {
    server.stderr.on('data', (text) => (log += text));
    createInterface(server.stdout).on('line', (line) => {
      log += `${line}\n`;
      const ready = /Ready: (\S+)$/.exec(line);
      if (ready) resolve(ready[1]);
    });
    server.on('exit', (code, signal) => reject(new Error(`the demo ended with ${code ?? signal}:\n${log}`)));
  });
  const crashed = (code, signal) => console.error(`The demo ended by itself with ${code ?? signal}:\n${log}`);
  server.on('exit', crashed);
  const ended = new Promise((resolve) => server.on('exit', resolve));
  const stop = async () => {
    server.off('exit', crashed);
    server.kill('SIGTERM');
    return ended;
  };
  return { url, log: () => log, stop };
}
