/** The optimizers, for pages, and for hosts that fetch: a core with them is loaded in the place of the other one. */
import * as core from '../../../wasm/optimize.js';
import { replace } from '../../core.js';

replace(core, 'optimize.wasm', () => new URL('../../../wasm/optimize.wasm', import.meta.url));

export * from '../../optimize/index.js';
