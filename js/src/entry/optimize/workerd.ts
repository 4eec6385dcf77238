/** The optimizers, for Workers: a core with them takes the place of the other one. */
import compiled from '../../../wasm/optimize.wasm';

import * as core from '../../../wasm/optimize.js';
import { replace } from '../../core.js';

replace(core, 'optimize.wasm', compiled);

export * from '../../optimize/index.js';
