// workerd: a call is a request to a worker.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

import { root } from '../build.mjs';

/** The worker's modules are named in a configuration: those of the suite, whose names change with its contents, and two of ours. */
async function configure() {
  const names = await readdir(`${root}build/runtimes/web`, { recursive: true });
  const of = (name, path, kind) => `(name = "${name}", ${kind} = embed "${path}")`;
  const modules = [
    ...['worker.mjs', 'answer.mjs'].map((name) => of(name, `../../tests/runtimes/guests/${name}`, 'esModule')),
    ...names.filter((name) => name.endsWith('.js')).map((name) => of(name, `web/${name}`, 'esModule')),
    of('suite_bg.wasm', 'web/suite_bg.wasm', 'wasm'),
  ];
  const path = `${root}build/runtimes/workerd.capnp`;
  await writeFile(
    path,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "suite", worker = (compatibilityDate = "2026-11-01", modules = [ ${modules.join(', ')} ])) ],
  sockets = [ (name = "http", address = "127.0.0.1:0", http = (), service = "suite") ],
);
`,
  );
  return path;
}

export async function startWorkerd(command) {
  const program = spawn(command, ['serve', await configure(), '--control-fd=3'], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  const exit = once(program, 'exit');
  const [line] = await Promise.race([once(createInterface({ input: program.stdio[3] }), 'line'), exit.then(() => [null])]);
  if (line === null) throw new Error('workerd ended before it listened');
  const url = `http://127.0.0.1:${JSON.parse(line).port}/`;
  return {
    call: async (...call) => (await fetch(url, { method: 'POST', body: JSON.stringify(call) })).json(),
    async stop() {
      program.kill();
      await exit;
    },
  };
}
