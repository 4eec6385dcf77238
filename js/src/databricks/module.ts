/** The second module, which holds the services of the platform, and operations of a workspace in it. */
import * as exports from '../../wasm/databricks.js';
import type { InitOutput, Platform } from '../../wasm/databricks.js';
import { access } from '../cache.js';
import { WasmModule, type ModuleSource } from '../wasm-module.js';
import type { Workspace } from '../workspace.js';

const it = new WasmModule<typeof exports, InitOutput>(exports, { name: "Lakelet's module for Databricks", file: 'databricks.wasm', slim: 'initDatabricks' });

/** Says where the module comes from. @internal */
export const provide: typeof it.provide = (from) => it.provide(from);

/** Calls into the module, with its errors as `LakeletError`s. @internal */
export const calling: typeof it.calling = (call) => it.calling(call);

/**
 * Loads the module of `lakelet/databricks`. Every call of it does so itself.
 *
 * @param from where the module comes from; only `lakelet/databricks/slim` needs it.
 */
export function initDatabricks(from?: ModuleSource | Promise<ModuleSource>): Promise<void> {
  return it.init(from);
}

/** How far something is that takes long. */
export interface Progress {
  /** The service's own word for the state: `PROVISIONING`, `RUNNING`. */
  readonly state: string;
  /** What the service says to it; empty when it says nothing. */
  readonly message: string;
  /** How long has been waited, in milliseconds. */
  readonly elapsedMs: number;
}

/** What a call may be given beside its arguments. */
export interface ServiceCallOptions {
  readonly signal?: AbortSignal;
}

/** What a call that waits may be given. */
export interface WaitOptions extends ServiceCallOptions {
  /** How long to wait, in milliseconds; twenty minutes unless given. */
  readonly timeout?: number;
  /** Told each change of the state. */
  readonly onProgress?: (progress: Progress) => void;
}

/** What a call was given that is an argument of its operation. @internal */
export function given<T extends WaitOptions>({ signal, timeout, onProgress, ...args }: T): Omit<T, keyof WaitOptions> {
  return args;
}

const platforms = it.inCore(() => new WeakMap<Workspace, Platform>());

function platform(of: Workspace): Platform {
  let found = platforms().get(of);
  if (!found) {
    const { fetch, tokens, source, ...options } = of.connection();
    const made = it.calling((core) => new core.Platform(JSON.stringify(options), fetch, source));
    if (tokens) {
      const { get, put } = access(tokens);
      made.keep_tokens(it.calling((core) => core.Store.of(async (key: string) => (await get(key)) ?? undefined, async (key: string, text: string) => void (await put(key, text)))));
    }
    platforms().set(of, (found = made));
  }
  return found;
}

/**
 * Calls an operation of a workspace by its name: `sql.execute`. Arguments are named as the fields of the REST API; those that are
 * `undefined` are not given. @internal
 */
export async function operation<T>(
  workspace: Workspace, name: string, args: Readonly<Record<string, unknown>>, options: WaitOptions & { readonly bytes?: Uint8Array } = {},
): Promise<T> {
  const result = await outcome(workspace, name, args, options);
  return (typeof result === 'string' ? JSON.parse(result) : result) as T;
}

async function outcome(
  workspace: Workspace, name: string, args: Readonly<Record<string, unknown>>, { bytes, signal, timeout, onProgress }: WaitOptions & { readonly bytes?: Uint8Array },
): Promise<unknown> {
  await initDatabricks();
  signal?.throwIfAborted();
  const tell = onProgress && ((text: string) => onProgress(JSON.parse(text) as Progress));
  const text = JSON.stringify({ timeout_ms: timeout, ...args });
  const call = it.calling(() => platform(workspace).operation(name, text, bytes ?? new Uint8Array(0), tell));
  const giveUp = () => call.give_up();
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    return await it.waiting(call.run());
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}
