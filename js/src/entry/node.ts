/** The entry for Node: the module is read from the disk. */
import { readFile } from 'node:fs/promises';

import { provide } from '../core.js';

provide(() => readFile(new URL('../../wasm/lakelet.wasm', import.meta.url)));

export * from '../index.js';
