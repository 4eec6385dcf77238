/** The optimizers, for Node: a core with them is loaded in the place of the other one. */
import { readFileSync } from 'node:fs';

import * as core from '../../../wasm/optimize.js';
import { replace } from '../../core.js';

replace(core, 'optimize.wasm', () => new WebAssembly.Module(readFileSync(new URL('../../../wasm/optimize.wasm', import.meta.url))));

export * from '../../optimize/index.js';
