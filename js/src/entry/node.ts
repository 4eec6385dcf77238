/** The entry for Node: the module is read from the disk. Functions of it are compiled when they are first called. */
import { readFileSync } from 'node:fs';

import { provide } from '../core.js';

provide(() => new WebAssembly.Module(readFileSync(new URL('../../wasm/lakelet.wasm', import.meta.url))));

export * from '../index.js';
