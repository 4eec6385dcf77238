/** The entry for Node: the module is read from the disk. Functions of it are compiled when they are first called. */
import { readFileSync } from 'node:fs';

import { node } from '../auth/node.js';
import { provideSurroundings } from '../auth/surroundings.js';
import { provide } from '../core.js';

provide(() => new WebAssembly.Module(readFileSync(new URL('../../wasm/lakelet.wasm', import.meta.url))));
provideSurroundings(node);

export * from '../index.js';
