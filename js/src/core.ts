/** The Rust core: the module that holds programs. */
import * as exports from '../wasm/lakelet.js';
import type { InitOutput } from '../wasm/lakelet.js';
import { WasmModule, type ModuleSource } from './wasm-module.js';

/** @internal */
export type Core = typeof exports;

const it = new WasmModule<Core, InitOutput>(exports, { name: "Lakelet's core", file: 'lakelet.wasm', slim: 'init' });

/** Takes another module in the place of the core: it has the same exports, and more. @internal */
export const replace = (by: object, file: string, from?: Parameters<typeof it.replace>[2]): void => it.replace(by as Core, file, from);

/** Says where the module comes from. A module that is compiled already needs no `init()`. @internal */
export const provide: typeof it.provide = (from) => it.provide(from);

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
  return it.init(from);
}

/** Something in the core: made on first use, and anew when the core was replaced. @internal */
export const inCore = <T>(make: () => T): (() => T) => it.inCore(make);

/** The core; throws when it is not loaded yet or has crashed. @internal */
export const core = (): Core => it.core();

/** The core's memory. @internal */
export const memory = (): WebAssembly.Memory => it.memory();

/** Calls into the core, with its errors as `LakeletError`s. @internal */
export const calling = <T>(call: (core: Core) => T): T => it.calling(call);

/** Waits for the core, with its errors as `LakeletError`s, also when it crashes on the way. @internal */
export const waiting = <T>(work: Promise<T>): Promise<T> => it.waiting(work);
