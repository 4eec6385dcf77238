// Wasmtime, serving a component over HTTP.
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Whether there is one. */
export const hasWasmtime = spawnSync('wasmtime', ['--version']).status === 0;

/**
 * Serves a component with `wasmtime serve`.
 *
 * @param component path of the component
 * @param options `environment`: what the component finds in its environment, which no command line shows; `port`: 0 takes a free one;
 *   `flags`: limits, for instance `['-W', 'max-memory-size=67108864']`; `onLine`: told of every line of its log
 * @returns {Promise<{ url: string, pid: number, close: () => Promise<void> }>}
 */
export async function startWasmtime(component, { environment = {}, port = 0, flags = [], onLine = console.log } = {}) {
  const names = Object.keys(environment).flatMap((name) => ['--env', name]);
  const server = spawn('wasmtime', ['serve', '--addr', `127.0.0.1:${port}`, '--no-logging-prefix', '-S', 'cli', ...flags, ...names, component], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((done) => server.on('close', done));
  const url = await new Promise((listening, failed) => {
    const read = (line) => {
      const [, address] = /^Serving HTTP on (\S+)\/$/.exec(line) ?? [];
      if (address) listening(address);
      else onLine(line);
    };
    for (const stream of [server.stdout, server.stderr]) createInterface(stream).on('line', read);
    server.on('error', failed);
    server.on('exit', (code, signal) => failed(new Error(`wasmtime ended with ${code ?? signal} before it could be called`)));
  });
  const close = async () => {
    server.kill('SIGTERM');
    await ended;
  };
  return { url, pid: server.pid, close };
}
