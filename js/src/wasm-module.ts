/**
 * A WebAssembly module of this package, loaded once for the whole program, and once more after it has crashed.
 *
 * The entry file of each host says where it comes from ({@link WasmModule.provide}); everything else asks for what it exports.
 */
import { LakeletError, readError } from './errors.js';

/** A WebAssembly module, its bytes, or where to fetch it. */
export type ModuleSource = WebAssembly.Module | BufferSource | Response | URL | string;

/** A module, or where an entry has it from. */
type Provided = WebAssembly.Module | (() => ModuleSource | Promise<ModuleSource>);

/** What wasm-bindgen makes around a module. */
interface Glue<Output> {
  default(source: { module_or_path: ModuleSource }): Promise<Output>;
  initSync(source: { module: WebAssembly.Module }): Output;
  __wbg_reset_state(): void;
  on_crash(listener: (what: string) => void): void;
}

/** How a module is spoken of. */
interface Naming {
  /** `Lakelet`. */
  readonly name: string;
  /** Its file, `lakelet.wasm`. */
  readonly file: string;
  /** The entry that brings no module, and its function that takes one. */
  readonly slim: string;
}

/** @internal */
export class WasmModule<Exports extends Glue<Output>, Output extends { readonly memory: WebAssembly.Memory }> {
  #exports: Exports;
  #naming: Naming;
  readonly #pending = new Set<(error: LakeletError) => void>();
  #source: (() => ModuleSource | Promise<ModuleSource>) | undefined;
  #loaded: Output | undefined;
  #loading: Promise<void> | undefined;
  #crash: LakeletError | undefined;
  #isUsed = false;
  #isReplaced = false;
  /** Counts the instances there have been. */
  #instance = 0;

  constructor(exports: Exports, naming: Naming) {
    this.#exports = exports;
    this.#naming = naming;
  }

  /** Says where the module comes from, unless another one is there in its place. A module that is compiled already needs no `init()`. */
  provide(from: Provided): void {
    if (!this.#isReplaced) this.#take(from);
  }

  #take(from: Provided): void {
    if (from instanceof WebAssembly.Module) this.#start(this.#exports.initSync({ module: from }));
    else this.#source = from;
  }

  /** Takes another module in its place, which has the same exports and more. What was made of the one before is of no use in it. */
  replace(by: Exports, file: string, from?: Provided): void {
    if (this.#isUsed) {
      throw new LakeletError(`${file} cannot be loaded any more: programs have been made without it`, {
        code: 'config', hint: 'import it with the other modules, before the first program runs',
      });
    }
    this.#exports = by;
    this.#naming = { ...this.#naming, file };
    this.#isReplaced = true;
    this.#loaded = this.#loading = this.#source = undefined;
    if (from) this.#take(from);
  }

  /** Loads the module, if it is not there, or has crashed. */
  init(from?: ModuleSource | Promise<ModuleSource>): Promise<void> {
    if (this.#crash) return this.#restart();
    if (this.#loaded) return Promise.resolve();
    this.#loading ??= this.#fetchAndStart(from).catch((cause: unknown) => {
      this.#loading = undefined;
      throw cause instanceof LakeletError ? cause : new LakeletError(`the WebAssembly module could not be loaded: ${String(cause)}`, {
        code: 'config',
        hint: `serve ${this.#naming.file} beside the script, or import from lakelet/slim and hand the module to ${this.#naming.slim}()`,
      }, { cause });
    });
    return this.#loading;
  }

  async #fetchAndStart(from?: ModuleSource | Promise<ModuleSource>): Promise<void> {
    const given = await (from ?? this.#source?.());
    if (given === undefined) {
      throw new LakeletError('lakelet/slim brings no WebAssembly module', {
        code: 'config',
        hint: `hand one to ${this.#naming.slim}(): await ${this.#naming.slim}(fetch(url)), with lakelet/${this.#naming.file} served at that url`,
      });
    }
    // What an entry has compiled is started at once. The glue would look for `Response`, and so make Node load its whole `fetch`: 20 ms.
    const isCompiled = from === undefined && given instanceof WebAssembly.Module;
    this.#start(isCompiled ? this.#exports.initSync({ module: given }) : await this.#exports.default({ module_or_path: given }));
  }

  #start(exported: Output): void {
    this.#loaded = exported;
    this.#instance++;
    this.#exports.on_crash((what) => this.#crashed(what));
  }

  /** Replaces an instance that has crashed, once what was under way in it has been told. */
  async #restart(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve));
    if (!this.#crash) return;
    this.#exports.__wbg_reset_state();
    this.#crash = undefined;
    this.#start(this.#exports.initSync({} as { module: WebAssembly.Module })); // what runs already, whatever it is given
  }

  /**
   * Something in the module: made on first use, and anew when the instance was replaced. Whatever is kept of it for longer than a call is
   * kept like this.
   */
  inCore<T>(make: () => T): () => T {
    let made: { readonly it: T; readonly by: number } | undefined;
    return () => {
      this.core();
      if (made?.by !== this.#instance) made = { it: make(), by: this.#instance };
      return made.it;
    };
  }

  /** After a panic or another trap this instance works no more: what waits is told, and so is what calls before the next `init()`. */
  #crashed(what: string): void {
    this.#crash ??= new LakeletError(`${this.#naming.name} has stopped working: ${what}`, {
      code: 'crashed',
      hint: `this is a defect of Lakelet, please report it; \`await ${this.#naming.slim}()\` starts anew`,
    });
    for (const reject of this.#pending) reject(this.#crash);
    this.#pending.clear();
  }

  /** What the module exports; throws when it is not loaded yet or has crashed. */
  core(): Exports {
    if (this.#crash) throw this.#crash;
    if (!this.#loaded) {
      throw new LakeletError('Lakelet is not loaded yet', { code: 'config', hint: `call \`await ${this.#naming.slim}()\` once before this` });
    }
    this.#isUsed = true;
    return this.#exports;
  }

  /** The module's memory. */
  memory(): WebAssembly.Memory {
    this.core();
    return (this.#loaded as Output).memory;
  }

  /** Calls into the module, with its errors as {@link LakeletError}s. */
  calling<T>(call: (core: Exports) => T): T {
    const it = this.core();
    try {
      return call(it);
    } catch (thrown) {
      if (thrown instanceof WebAssembly.RuntimeError) this.#crashed(thrown.message);
      throw this.#crash ?? (isStale(thrown) ? madeBefore() : readError(thrown));
    }
  }

  /** Waits for the module, with its errors as {@link LakeletError}s, also when it crashes on the way. */
  waiting<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#pending.add(reject);
      const over = () => this.#pending.delete(reject);
      work.then((value) => (over(), resolve(value)), (thrown: unknown) => (over(), reject(readError(thrown))));
    });
  }
}

function isStale(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message.startsWith('Invalid stale object');
}

/** What is told of something that an instance held which has crashed since. @internal */
export function madeBefore(): LakeletError {
  return new LakeletError("this was made before Lakelet's core stopped working, and is lost", { code: 'crashed', hint: 'make it anew, and load its state again' });
}
