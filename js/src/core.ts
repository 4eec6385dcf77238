/**
 * The Rust core, loaded once for the whole program.
 *
 * The entry file of each host says where the module comes from ({@link provide}); everything else asks {@link core} for it.
 */
import load, * as exports from '../wasm/lakelet.js';
import type { InitOutput } from '../wasm/lakelet.js';
import { LakeletError, readError } from './errors.js';

/** @internal */
export type Core = typeof exports;

/** A WebAssembly module, its bytes, or where to fetch it. */
export type ModuleSource = WebAssembly.Module | BufferSource | Response | URL | string;

let source: (() => ModuleSource | Promise<ModuleSource>) | undefined;
let loaded: InitOutput | undefined;
let loading: Promise<void> | undefined;
let crash: LakeletError | undefined;
/** Counts the cores there have been. */
let instance = 0;
const pending = new Set<(error: LakeletError) => void>();

/** Says where the module comes from. A module that is compiled already needs no `init()`. @internal */
export function provide(from: WebAssembly.Module | (() => ModuleSource | Promise<ModuleSource>)): void {
  if (from instanceof WebAssembly.Module) start(exports.initSync({ module: from }));
  else source = from;
}

/**
 * Loads the core. It can be called again, and from many places: the module is loaded once, and once more after the core has crashed. Calls
 * that are asynchronous anyway (`run`, `stream`) load it themselves.
 *
 * ```ts
 * import { init, signature } from 'lakelet';
 * await init();
 * signature('question -> answer');
 * ```
 *
 * @param from where the module comes from; only `lakelet/slim` needs it.
 */
export function init(from?: ModuleSource | Promise<ModuleSource>): Promise<void> {
  if (crash) return restart();
  if (loaded) return Promise.resolve();
  loading ??= fetchAndStart(from).catch((cause: unknown) => {
    loading = undefined;
    throw cause instanceof LakeletError ? cause : new LakeletError(`the WebAssembly module could not be loaded: ${String(cause)}`, {
      code: 'config',
      hint: 'serve lakelet.wasm beside the script, or import from lakelet/slim and hand the module to init()',
    }, { cause });
  });
  return loading;
}

async function fetchAndStart(from?: ModuleSource | Promise<ModuleSource>): Promise<void> {
  const given = await (from ?? source?.());
  if (given === undefined) {
    throw new LakeletError('lakelet/slim brings no WebAssembly module', {
      code: 'config',
      hint: 'hand one to init(): await init(fetch(url)), with lakelet/lakelet.wasm served at that url',
    });
  }
  // What an entry has compiled is started at once. `load` would look for `Response`, and so make Node load its whole `fetch`: 20 ms.
  start(from === undefined && given instanceof WebAssembly.Module ? exports.initSync({ module: given }) : await load({ module_or_path: given }));
}

function start(exported: InitOutput): void {
  loaded = exported;
  instance++;
  exports.on_crash(crashed);
}

/** Replaces a core that has crashed, once what was under way in it has been told. */
async function restart(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
  if (!crash) return;
  exports.__wbg_reset_state();
  crash = undefined;
  start(exports.initSync({} as { module: WebAssembly.Module })); // what runs already, whatever it is given
}

/**
 * Something in the core: made on first use, and anew when the core was replaced. Whatever is kept of the core for longer than a call is kept
 * like this.
 *
 * @internal
 */
export function inCore<T>(make: () => T): () => T {
  let made: { readonly it: T; readonly by: number } | undefined;
  return () => {
    core();
    if (made?.by !== instance) made = { it: make(), by: instance };
    return made.it;
  };
}

/** After a panic or another trap this core works no more: what waits is told, and so is what calls before the next `init()`. */
function crashed(what: string): void {
  crash ??= new LakeletError(`Lakelet's core has stopped working: ${what}`, {
    code: 'crashed',
    hint: 'this is a defect of Lakelet, please report it; `await init()` starts anew',
  });
  for (const reject of pending) reject(crash);
  pending.clear();
}

/** The core; throws when it is not loaded yet or has crashed. @internal */
export function core(): Core {
  if (crash) throw crash;
  if (!loaded) {
    throw new LakeletError('Lakelet is not loaded yet', { code: 'config', hint: 'call `await init()` once before this' });
  }
  return exports;
}

/** The core's memory. @internal */
export function memory(): WebAssembly.Memory {
  core();
  return (loaded as InitOutput).memory;
}

/** Calls into the core, with its errors as {@link LakeletError}s. @internal */
export function calling<T>(call: (core: Core) => T): T {
  const it = core();
  try {
    return call(it);
  } catch (thrown) {
    if (thrown instanceof WebAssembly.RuntimeError) crashed(thrown.message);
    throw crash ?? (isStale(thrown) ? madeBefore() : readError(thrown));
  }
}

function isStale(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message.startsWith('Invalid stale object');
}

/** What is told of something that a core held which has crashed since. @internal */
export function madeBefore(): LakeletError {
  return new LakeletError("this was made before Lakelet's core stopped working, and is lost", { code: 'crashed', hint: 'make it anew, and load its state again' });
}

/** Waits for the core, with its errors as {@link LakeletError}s, also when it crashes on the way. @internal */
export function waiting<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    pending.add(reject);
    const over = () => pending.delete(reject);
    work.then((value) => (over(), resolve(value)), (thrown: unknown) => (over(), reject(readError(thrown))));
  });
}
